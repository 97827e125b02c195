"""The heads that changed most over a set of texts, with intervals; each opens as a difference map."""

from collections.abc import Iterator
from typing import cast

import streamlit as st

from playground.charts.evaluate import spreads_figure
from playground.charts.finetune import head_drift_figure
from playground.errors import UserError
from playground.finetuning.findings import describe_heads
from playground.finetuning.head_drift import HeadChange, HeadDrift, head_drift
from playground.lens.capture.site import SiteKind
from playground.lens.several_texts import MOST_TEXTS, split_texts
from playground.text import _
from ui.jobs import require
from ui.sections.evaluate.numbers import offer_results
from ui.sections.finetune.as_trained import default_lines, lines_as_trained
from ui.sections.finetune.subject import FinetuneSubject
from ui.state.address import pack
from ui.state.parameters import HEAD, KIND, MODE, MODEL, OTHER_HEAD, OTHER_MODEL, SEVERAL, TEXT
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.doors import ATTENTION, door
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.text import address_text

RANKED = 8
ROW = 34


def show_head_drift(subject: FinetuneSubject) -> None:
    """The texts, the map of all heads, the ranking."""
    label = _("One text on each line, at most {most}").format(most=MOST_TEXTS)
    listed = split_texts(address_text(SEVERAL, "\n".join(default_lines(subject)), label=label, rows=4))
    if not listed:
        raise UserError("Type at least one text.")
    texts = lines_as_trained(subject, listed)
    kind = _choose_kind(subject)
    drift = require(
        subject.key("heads", tuple(texts), kind),
        lambda on_progress: head_drift(subject.pair, texts, kind, on_progress),
        title=_("Reading texts:"),
        cache=subject.cache,
    )
    show_findings(describe_heads(drift))
    ranked = drift.ranked(RANKED)
    left, right = st.columns([1, 1], gap="large")
    with left:
        picked = _draw_heads(subject, drift, ranked[0])
    with right:
        _draw_ranking(subject, ranked)
    with st.container(horizontal=True, gap="small"):
        st.caption(_("Difference map of head:"), width="content")
        shown = [(head.layer, head.head) for head in ranked]
        for layer, head in dict.fromkeys([*([picked] if picked else []), *shown]):
            _offer_difference(subject, drift, layer, head)
    st.caption(
        _(
            "Jensen–Shannon divergence of a head's attention from its own before, mean over the queries: 0 is the "
            "same, 0.693 nothing in common. Intervals: 1,000 resamples of the texts."
        )
    )
    _offer_files(subject, drift)


def _choose_kind(subject: FinetuneSubject) -> SiteKind | None:
    if subject.pair.before.kind != "encoder-decoder":
        return None
    titles = {"encoder": _("Encoder"), "decoder": _("Decoder"), "cross": _("Cross-attention")}
    return cast(SiteKind, choose_option(KIND, _("Attention"), titles, default="cross"))


def _draw_heads(subject: FinetuneSubject, drift: HeadDrift, first: HeadChange) -> tuple[int, int] | None:
    figure = head_drift_figure(drift)
    cell = draw(
        subject.pair.after,
        figure,
        key="head_drift",
        label=_("Change of each head"),
        details={**subject.details, "texts": len(drift.texts)},
        height=int(figure.layout.height),
        picks=True,
        picked=(0, first.layer, first.head),
    )
    return None if cell is None else (cell[1], cell[2])


def _draw_ranking(subject: FinetuneSubject, ranked: list[HeadChange]) -> None:
    names = [
        _("{layer}.{head} · in {share:.0%}").format(layer=head.layer, head=head.head, share=head.among_first)
        for head in ranked
    ]
    draw(
        subject.pair.after,
        spreads_figure(names, [head.divergence for head in ranked], meaning=_("divergence (nats)")),
        key="head_ranking",
        label=_("Heads that changed most"),
        details=subject.details,
        height=110 + ROW * len(ranked),
    )
    st.caption(_("Behind each head: in how many resamples it is among the five that changed most."))


def _offer_difference(subject: FinetuneSubject, drift: HeadDrift, layer: int, head: int) -> None:
    row = int(drift.divergence[:, layer, head].argmax())
    chosen = f"{layer}.{head}"
    door(
        chosen,
        ATTENTION,
        {
            str(MODE): "models",
            str(MODEL): subject.pair.before.name,
            str(OTHER_MODEL): subject.pair.after.name,
            str(TEXT): pack(drift.texts[row]),
            str(HEAD): chosen,
            str(OTHER_HEAD): chosen,
            **({str(KIND): drift.kind} if subject.pair.before.kind == "encoder-decoder" else {}),
        },
        help_text=_("Both maps and their difference, on the text that changed this head most."),
    )


def _offer_files(subject: FinetuneSubject, drift: HeadDrift) -> None:
    def rows() -> Iterator[list[object]]:
        for head in drift.ranked():
            spread = head.divergence
            yield [head.layer, head.head, spread.value, spread.low, spread.high, head.among_first]

    header = ["layer", "head", "divergence_nats", "low", "high", "among_first"]
    offer_results(header, rows, name="head-drift.csv", details={**subject.details, "attention": drift.kind})
    imports, lines = subject.snippet
    imports = [*imports, "playground.finetuning.head_drift import head_drift"]
    call = f"for head in head_drift(pair, {list(drift.texts)!r}, {drift.kind!r}).ranked(8):"
    offer_snippet(None, imports, [*lines, call, "    print(head.layer, head.head, head.divergence)"])
