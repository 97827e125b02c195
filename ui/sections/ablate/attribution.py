"""Who writes the answer: a logit as a sum over heads and layers; where a head looks, and what that carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from playground.charts.ablate import bars_figure, map_figure
from playground.lens.attribute.attribution import Attribution, attribute, value_weighted
from playground.lens.capture.activations import capture
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.ablation import Watched
from playground.text import _
from ui import state
from ui.jobs import ask
from ui.sections.ablate.figure import numbered, show_figure, table_rows
from ui.sections.ablate.head_circuits import show_products
from ui.sections.ablate.options import Subject, choose_watched, kind_titles, read_again, token_title
from ui.widgets.download import offer_snippet, reading_line

MOST_BARS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """A layer's attention and what it carries, [head, query, key]; the latter in the residual stream's own unit."""

    weights: np.ndarray
    carried: np.ndarray


def show_writers(subject: Subject) -> None:
    """The sum that makes the watched logit, and what looks at what beside what matters."""
    st.subheader(_("The logit as a sum"), anchor=False)
    watched = choose_watched(subject)
    if watched is not None:
        _show_sum(subject, watched)
    st.subheader(_("Looks at, and matters"), anchor=False)
    _show_looks(subject)


def _show_sum(subject: Subject, watched: Watched) -> None:
    def compute() -> Attribution:
        clean = capture(subject.model, read_again(subject))
        return attribute(subject.model, clean, position=watched.position, token=watched.token)

    found = ask(subject.reading, ("writes", watched), _("Splitting the logit …"), lambda _on_run: compute())
    if found is None:
        return
    token = token_title(subject.model, watched.token)
    sentence = _(
        "The logit of {token} is {total:.3f}; the parts below add up to {sum:.3f}. The final norm's scale is frozen."
    )
    st.caption(sentence.format(token=token, total=found.total, sum=found.sum))
    shares = shares_of(found)
    first = sorted(shares, key=lambda name: -abs(shares[name]))[:MOST_BARS]
    rows: list[Sequence[object]] = [("part", "logits"), *shares.items()]
    figure = bars_figure(first, [shares[name] for name in first], x=_("share of the logit"))
    label, facts = _("The parts with the largest shares of the logit"), _watched_facts(watched)
    show_figure(subject, figure, rows, name="writers", label=label, facts=facts)
    layers, heads = (list(map(str, range(count))) for count in found.heads.shape)
    meaning = _("share of the logit")
    figure = map_figure(found.heads, rows=layers, columns=heads, y=_("layer"), x=_("head"), meaning=meaning)
    table, label = table_rows("layer", layers, heads, found.heads), _("Each head's share of the logit")
    show_figure(subject, figure, table, name="writing-heads", label=label, facts=facts)
    _offer_sum(subject, watched)


def _watched_facts(watched: Watched) -> dict[str, object]:
    return {"watched position": watched.position, "watched token": watched.token}


def _offer_sum(subject: Subject, watched: Watched) -> None:
    call = f"found = attribute(model, clean, position={watched.position}, token={watched.token})"
    lines = [reading_line(subject.texts), "clean = capture(model, reading)", call]
    imports = [
        "playground.lens.capture.activations import capture, read",
        "playground.lens.attribute.attribution import attribute",
    ]
    offer_snippet(subject.model, imports, [*lines, "print(found.total, found.heads, found.feed_forward)"])


def shares_of(found: Attribution) -> dict[str, float]:
    """Every part's share of the logit by the part's name; all together they are the logit."""
    shares = {_("embedding"): found.embedding, _("constant"): found.constant}
    for title, table in ((_("head {layer}.{head}"), found.heads), (_("cross head {layer}.{head}"), found.cross_heads)):
        for layer, head in np.ndindex(table.shape):
            shares[title.format(layer=layer, head=head)] = float(table[layer, head])
    for title, column in (
        (_("attention bias {layer}"), found.attention_bias),
        (_("feed-forward {layer}"), found.feed_forward),
    ):
        shares.update({title.format(layer=layer): float(share) for layer, share in enumerate(column)})
    return shares


def _show_looks(subject: Subject) -> None:
    clean = subject.clean
    places = {f"{kind}.{layer}": (kind, layer, heads) for kind, layer, heads in reversed(clean.places)}
    left, right = st.columns(2)
    with left:
        kind, layer, heads = places[_choose_layer(list(places))]
    with right:
        words = [str(head) for head in range(heads)]
        word = st.selectbox(
            _("Head"), words, index=words.index(state.read_word("look_head", words)), key=f"apart_head_{heads}"
        )
        state.write_word("look_head", word, words[0])

    def compute() -> Looks:
        found = capture(subject.model, read_again(subject), patterns=True)
        weights = found.patterns[kind, layer].float().cpu().numpy()
        return Looks(weights=weights, carried=value_weighted(found, kind, layer))

    looks = ask(subject.reading, ("looks", kind, layer), _("Weighing the values …"), lambda _on_run: compute())
    if looks is None:
        return
    _draw_looks(subject, kind, layer, int(word), looks)
    _offer_looks(subject, kind, layer, int(word))
    st.caption(_("what makes a query's scores: q times k in each dimension; a row's sum is its score before the mask"))
    show_products(subject, kind, layer, int(word))


def _draw_looks(subject: Subject, kind: SiteKind, layer: int, head: int, looks: Looks) -> None:
    """Both maps side by side."""
    clean = subject.clean
    queries = numbered(clean.tokens_of("encoder" if kind == "encoder" else "decoder"))
    keys = numbered(clean.tokens_of("encoder" if kind in ("encoder", "cross") else "decoder"))
    pictures = (
        (_("attention: where it looks"), looks.weights[head], "looks"),
        (_("norm of what is carried: what matters"), looks.carried[head], "matters"),
    )
    for column, (title, values, name) in zip(st.columns(2), pictures, strict=True):
        with column:
            st.caption(title)
            meaning = title.split(":")[0]
            figure = map_figure(
                values, rows=queries, columns=keys, y=_("query"), x=_("key"), meaning=meaning, signed=False
            )
            rows = table_rows("query", queries, keys, values)
            facts = {"attention": kind, "layer": layer, "head": head}
            show_figure(subject, figure, rows, name=f"{name}-{kind}-{layer}-{head}", label=title, facts=facts)


def _offer_looks(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    lines = [reading_line(subject.texts), "clean = capture(model, reading, patterns=True)"]
    lines += [
        f"print(clean.patterns[{kind!r}, {layer}][{head}])",
        f"print(value_weighted(clean, {kind!r}, {layer})[{head}])",
    ]
    imports = [
        "playground.lens.capture.activations import capture, read",
        "playground.lens.attribute.attribution import value_weighted",
    ]
    offer_snippet(subject.model, imports, lines)


def _choose_layer(words: list[str]) -> str:
    titles = kind_titles()

    def title(word: str) -> str:
        kind, layer = word.split(".")
        return _("{kind} layer {layer}").format(kind=titles[cast(SiteKind, kind)], layer=layer)

    word = st.selectbox(
        _("Layer"),
        words,
        index=words.index(state.read_word("look_layer", words)),
        key=f"apart_layer_{len(words)}",
        format_func=title,
    )
    state.write_word("look_layer", word, words[0])
    return word
