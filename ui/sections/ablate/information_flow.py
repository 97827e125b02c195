"""Where a prediction comes from in the text: attention followed through all layers, and gradients."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import streamlit as st
from torch import Tensor

from playground.charts.ablate import bars_figure, map_figure
from playground.lens.attribute.integrated_gradients import Baseline, TokenAttribution, integrated_gradients
from playground.lens.attribute.rollout import flow, rollout
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.ablation import Watched
from playground.progress import OnProgress
from playground.text import _
from ui.jobs import AT_ONCE, ask
from ui.sections.ablate.figure import numbered, show_figure, table_rows
from ui.sections.ablate.options import Subject, choose_position, choose_watched, kind_titles, read_again
from ui.widgets.choice import choose_word
from ui.widgets.download import offer_snippet, reading_line, traced

ROLLOUT, FLOW, GRADIENTS = "rollout", "flow", "gradients"


def show_flow(subject: Subject) -> None:
    """Rollout, flow or integrated gradients."""
    titles = {ROLLOUT: _("Attention rollout"), FLOW: _("Attention flow"), GRADIENTS: _("Integrated gradients")}
    method = choose_word("method", _("Method"), titles)
    if method == GRADIENTS:
        _show_gradients(subject)
        return
    kinds = [kind for kind in subject.reading.trace.kinds if kind != "cross"][::-1]
    titles = {kind: kind_titles()[kind] for kind in kinds}
    kind = cast(SiteKind, choose_word("flow_kind", _("In"), titles) if kinds[1:] else kinds[0])
    tokens = numbered(subject.reading.trace.query_tokens(kind))
    if method == ROLLOUT:
        _show_rollout(subject, kind, tokens)
    else:
        _show_maximum_flow(subject, kind, tokens)


def _maps(subject: Subject, kind: SiteKind) -> list[Tensor]:
    return [site.pattern(slice(None), slice(None)) for site in subject.reading.trace.layers(kind)]


def _show_rollout(subject: Subject, kind: SiteKind, tokens: list[str]) -> None:
    words = _("Multiplying the layers …")
    found = ask(subject.reading, ("rollout", kind), words, lambda _on_progress: rollout(_maps(subject, kind)))
    if found is not None:
        _draw_rollout(subject, kind, tokens, found)
    imports = ["playground.lens.attribute.rollout import rollout"]
    offer_snippet(subject.model, imports, [*_maps_lines(subject, kind), "print(rollout(maps)[-1])"])


def _draw_rollout(subject: Subject, kind: SiteKind, tokens: list[str], found: np.ndarray) -> None:
    st.caption(_("How much each token holds of each input token after the last layer; every layer is half attention."))
    figure = map_figure(
        found[-1], rows=tokens, columns=tokens, y=_("token"), x=_("input"), meaning=_("share"), signed=False
    )
    rows, label = table_rows("token", tokens, tokens, found[-1]), _("Attention rollout through all layers")
    show_figure(subject, figure, rows, name=f"rollout-{kind}", label=label, facts={"method": ROLLOUT, "in": kind})


def _maps_lines(subject: Subject, kind: SiteKind) -> list[str]:
    """The maps of `_maps` in Python."""
    maps = f"maps = [site.pattern(slice(None), slice(None)) for site in traced.layers({kind!r})]"
    return [traced(subject.texts), maps]


def _show_maximum_flow(subject: Subject, kind: SiteKind, tokens: list[str]) -> None:
    query = choose_position("flow_query", _("From the token"), subject.reading.trace.query_tokens(kind))
    words = _("Pushing through the layers:")

    def compute(on_progress: OnProgress) -> np.ndarray:
        return flow(_maps(subject, kind), query, on_progress)

    found = ask(subject.reading, ("flow", kind, query), words, compute)
    if found is not None:
        about = _("The largest flow from this token at the top down to each input token, every weight being a pipe.")
        st.caption(about)
        facts: dict[str, object] = {"method": FLOW, "in": kind, "from": query}
        _show_bars(subject, tokens, found, x=_("flow"), name=f"flow-{kind}-{query}", facts=facts)
    imports = ["playground.lens.attribute.rollout import flow"]
    offer_snippet(subject.model, imports, [*_maps_lines(subject, kind), f"print(flow(maps, {query}))"])


def _show_gradients(subject: Subject) -> None:
    watched = choose_watched(subject)
    if watched is None:
        return
    titles = {"filler": _("a token that says nothing"), "mean": _("the mean embedding"), "zero": _("zero")}
    baseline = choose_word("baseline", _("Begin at"), titles)

    def compute(on_progress: OnProgress) -> TokenAttribution:
        return integrated_gradients(
            subject.model,
            read_again(subject),
            position=watched.position,
            token=watched.token,
            baseline=cast(Baseline, baseline),
            on_progress=on_progress,
        )

    question = ("gradients", watched, baseline)
    found = ask(subject.reading, question, _("Adding up gradients, at most:"), compute, patience=AT_ONCE)
    if found is not None:
        _draw_gradients(subject, watched, baseline, found)
    place = f"position={watched.position}, token={watched.token}, baseline={baseline!r}"
    lines = [reading_line(subject.texts), f"found = integrated_gradients(model, reading, {place})"]
    imports = ["playground.lens.capture.activations import read"]
    imports += ["playground.lens.attribute.integrated_gradients import integrated_gradients"]
    offer_snippet(subject.model, imports, [*lines, "print(found.shares, found.error)"])


def _draw_gradients(subject: Subject, watched: Watched, baseline: str, found: TokenAttribution) -> None:
    sentence = _("From {begin:+.3f} to {end:+.3f}: the tokens' shares add up to the change but for {error:+.3f}.")
    st.caption(sentence.format(begin=found.at_baseline, end=found.at_text, error=found.error))
    if not found.is_complete:
        st.warning(_("The shares do not add up well; take them with care."), icon=":material/warning:")
    read = subject.clean.source or subject.clean.tokens
    facts: dict[str, object] = {"method": GRADIENTS, "begins at": baseline}
    facts |= {"watched position": watched.position, "watched token": watched.token}
    x = _("share of the logit's change")
    _show_bars(subject, numbered(read), found.shares, x=x, name=f"gradients-{baseline}", facts=facts)


def _show_bars(
    subject: Subject, tokens: list[str], values: np.ndarray, *, x: str, name: str, facts: dict[str, object]
) -> None:
    rows: list[Sequence[object]] = [("token", x), *zip(tokens, values.tolist(), strict=True)]
    figure = bars_figure(tokens, values.tolist(), x=x)
    show_figure(subject, figure, rows, name=name, label=_("Each token's share"), facts=facts)
