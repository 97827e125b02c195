"""Find heads: all heads ranked by a pattern, with what shuffled weights would give."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st
import torch
from torch import Tensor

from playground.charts.ablate import chance_figure, map_figure
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token
from playground.lens.inspect.steps.attention import Steps
from playground.lens.intervene.search import (
    CrossPattern,
    Pattern,
    RankedHead,
    Ranking,
    cross_mask_of,
    mask_of,
    rank_heads,
)
from playground.text import _
from ui import state
from ui.jobs import ask
from ui.sections.ablate.figure import numbered, show_figure, table_rows
from ui.sections.ablate.options import Subject, choose_position, kind_titles
from ui.widgets.choice import choose_word
from ui.widgets.download import offer_snippet, traced

MOST_BARS = 24
MOST_PAINTED = 32
PAINTED = "painted"


def show_search(subject: Subject) -> None:
    """Choose or paint a pattern; see which heads look that way, and what chance would give."""
    trace = subject.reading.trace
    kinds: list[SiteKind] = [kind for kind in ("decoder", "cross", "encoder") if kind in trace.kinds]
    titles: dict[str, str] = {one: kind_titles()[one] for one in kinds}
    kind = cast(SiteKind, choose_word("search_kind", _("In"), titles) if kinds[1:] else kinds[0])
    patterns = _cross_titles() if kind == "cross" else _titles()
    word = choose_word("pattern", _("Look for heads that look at"), patterns, key=f"choose_pattern_{kind}")
    queries, keys = trace.query_tokens(kind), trace.key_tokens(kind)
    mask = _paint(queries, keys) if word == PAINTED else _mask(word, queries, keys, is_cross=kind == "cross")
    if mask is None:
        return
    sites = trace.layers(kind)
    marked = tuple(map(tuple, mask.nonzero().tolist()))
    words = _("Searching layer after layer:")
    found = ask(
        subject.reading,
        ("search", kind, word, marked),
        words,
        lambda on_progress: rank_heads(sites, mask, on_progress=on_progress),
    )
    if found is not None:
        _say_and_draw(subject, found, kind, word)
    _offer_python(subject, kind, word, marked)


def _offer_python(subject: Subject, kind: SiteKind, word: str, marked: tuple[tuple[int, int], ...]) -> None:
    """The ranking in Python, with the pattern's marks as they stand."""
    trace = subject.reading.trace
    rows, columns = ([place[side] for place in marked] for side in (0, 1))
    shape = len(trace.query_tokens(kind)), len(trace.key_tokens(kind))
    lines = [traced(subject.texts), f"mask = zeros({shape}, dtype=bool)"]
    lines += [f"mask[{rows}, {columns}] = True" + ("" if word == PAINTED else f"  # {word}")]
    lines += [f"found = rank_heads(traced.layers({kind!r}), mask)"]
    lines += ["print([(head.layer, head.head, head.score, head.chance_most) for head in found.heads])"]
    offer_snippet(subject.model, ["torch import zeros", "playground.lens.intervene.search import rank_heads"], lines)


def _say_and_draw(subject: Subject, found: Ranking, kind: SiteKind, word: str) -> None:
    above = sum(head.is_above_chance for head in found.heads)
    sentence = _(
        "Mean weight on the marked keys, over {queries} queries. {above} of {all} heads are above all of their own "
        "{shuffles} shuffles; the best of all heads is {best:.3f} by chance. The marks: the most that "
        "shuffling gave a head."
    )
    st.caption(
        sentence.format(
            queries=found.queries,
            above=above,
            all=len(found.heads),
            shuffles=found.shuffles,
            best=found.best_by_chance,
        )
    )
    _show(subject, found.heads, found.best_by_chance, kind, word)


def _titles() -> dict[str, str]:
    return {
        "previous": _("the token before"),
        "first": _("the first token"),
        "same_token": _("the same token earlier"),
        "induction": _("what followed it"),
        "separator": _("separators"),
        PAINTED: _("your own pattern"),
    }


def _cross_titles() -> dict[str, str]:
    return {
        "same_token": _("the same token in the source"),
        "same_place": _("the same place in the source"),
        "first": _("the first token"),
        "separator": _("separators"),
        PAINTED: _("your own pattern"),
    }


def _mask(word: str, queries: tuple[Token, ...], keys: tuple[Token, ...], *, is_cross: bool) -> Tensor:
    """The pattern's keys for each query."""
    ids, pattern = [token.id for token in queries], word.replace("_", " ")
    labels, special = [token.text for token in keys], [token.special for token in keys]
    if is_cross:
        return cross_mask_of(cast(CrossPattern, pattern), ids, [token.id for token in keys], labels, special)
    return mask_of(cast(Pattern, pattern), ids, labels, special)


def _show(subject: Subject, heads: tuple[RankedHead, ...], best_by_chance: float, kind: SiteKind, word: str) -> None:
    shown = heads[:MOST_BARS]
    rows: list[Sequence[object]] = [
        ("layer", "head", "score", "chance", "most by chance", "deviations"),
        *((one.layer, one.head, one.score, one.chance, one.chance_most, one.deviations) for one in heads),
    ]
    figure = chance_figure(
        [f"{one.layer}.{one.head}" for one in shown],
        [one.score for one in shown],
        [one.chance_most for one in shown],
        best_by_chance,
        titles=(_("mean weight on the marked keys"), _("most by chance"), _("best head by chance")),
    )
    label, facts = _("Heads by how much they look that way"), {"in": kind, "pattern": word}
    show_figure(subject, figure, rows, name=f"search-{kind}-{word}", label=label, facts=facts)


def _paint(queries: tuple[Token, ...], keys: tuple[Token, ...]) -> Tensor | None:
    """A table of boxes, query by key; what is ticked stands in the address. None, with a sentence, if it is large."""
    count = max(len(queries), len(keys))
    if count > MOST_PAINTED:
        sentence = _("A pattern is painted on up to {most} tokens; this text has {count}. Shorten it.")
        st.info(sentence.format(most=MOST_PAINTED, count=count), icon=":material/content_cut:")
        return None
    shape = len(queries), len(keys)
    begun: torch.Tensor = state.first_value(f"painted_first_{shape}", lambda: _from_address(*shape))
    rows, columns = numbered(queries), numbered(keys)
    key = f"painted_{shape}_{hash((*rows, *columns))}"
    table = st.data_editor(pd.DataFrame(begun.numpy(), index=rows, columns=columns), key=key)
    mask = torch.from_numpy(table.to_numpy(dtype=bool).copy())
    state.write_text(PAINTED, ",".join(f"{query}-{key}" for query, key in mask.nonzero().tolist()) or None)
    if not mask.any():
        st.info(_("Tick the keys (columns) that each query (row) should look at."), icon=":material/brush:")
        return None
    return mask


def _from_address(queries: int, keys: int) -> Tensor:
    mask = torch.zeros(queries, keys, dtype=torch.bool)
    for pair in state.read_text(PAINTED, "", limit=4000).split(","):
        query, _dash, key = pair.partition("-")
        if query.isdecimal() and key.isdecimal() and int(query) < queries and int(key) < keys:
            mask[int(query), int(key)] = True
    return mask


NATURAL = "natural"


def show_products(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    """Choose a query; see every key's products, whose sum is the score before the mask."""
    trace = subject.reading.trace
    query = choose_position("look_query", _("Query"), trace.query_tokens(kind))
    order = choose_word("look_order", _("Dimensions"), {"largest": _("largest first"), NATURAL: _("as they are")})

    def compute() -> Steps:
        return trace.steps(layer, head, query, kind)

    steps = ask(
        subject.reading, ("steps", kind, layer, head, query), _("Multiplying …"), lambda _on_progress: compute()
    )
    if steps is None:
        return
    products = steps.query * steps.keys * steps.scaling
    shown = np.arange(products.shape[1])
    if order != NATURAL:
        shown = np.argsort(-np.abs(products).sum(0), kind="stable")
    keys, dimensions = numbered(trace.key_tokens(kind)), [str(dimension) for dimension in shown]
    values = products[:, shown]
    figure = map_figure(
        values, rows=keys, columns=dimensions, y=_("key"), x=_("dimension"), meaning=_("scaled product of q and k")
    )
    rows = table_rows("key", keys, dimensions, values)
    show_figure(
        subject,
        figure,
        rows,
        name=f"products-{kind}-{layer}-{head}-{query}",
        label=_("The products of the query and each key, by dimension"),
        facts={"attention": kind, "layer": layer, "head": head, "query": query},
    )
    line = f"steps = traced.steps({layer}, {head}, {query}, {kind!r})"
    product = "print(steps.query * steps.keys * steps.scaling)"
    offer_snippet(subject.model, [], [traced(subject.texts), line, product])
