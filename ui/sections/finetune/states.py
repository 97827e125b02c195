"""The state of one text through the layers, before and after."""

import streamlit as st

from playground.charts.finetune import stream_drift_figure, stream_mean_figure
from playground.errors import UserError
from playground.finetuning.findings import describe_stream
from playground.finetuning.stream_drift import StreamDrift, stream_drift
from playground.text import _
from ui.jobs import require
from ui.sections.finetune.as_trained import first_as_trained, is_prompted
from ui.sections.finetune.subject import FinetuneSubject
from ui.state.address import pack
from ui.state.parameters import MODEL, TEXT
from ui.widgets.chart import draw
from ui.widgets.context_bar import bar_text, require_readable
from ui.widgets.doors import GENERATE, INSIDE, doors
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

HEIGHT, ROW = 150, 26


def show_stream_drift(subject: FinetuneSubject) -> None:
    """A text, the distance of each token's state after each layer, and the mean."""
    first = first_as_trained(subject)
    text = bar_text(subject.bar, subject.pair.before, first)
    if text == first and is_prompted(subject):
        st.caption(_("A held-out prompt and its answer, as they are read in training."))
    if not text.strip():
        raise UserError("Type at least one text.")
    require_readable(subject.pair.before, text)
    drift = require(
        subject.key("states", text),
        lambda _progress: stream_drift(subject.pair, text),
        title=_("Reading with both models …"),
        cache=subject.cache,
    )
    show_findings(describe_stream(drift))
    _draw_drift(subject, drift, text)
    # Another page would begin with its own text.
    before, after = (
        {str(MODEL): model.name, str(TEXT): pack(text)} for model in (subject.pair.before, subject.pair.after)
    )
    doors(
        {
            _("Follow a token before"): (INSIDE, before),
            _("Follow a token after"): (INSIDE, after),
            _("Its predictions after"): (GENERATE, after),
        }
    )
    imports, lines = subject.snippet
    imports = [*imports, "playground.finetuning.stream_drift import stream_drift"]
    call = f"drift = stream_drift(pair, {text!r})"
    offer_snippet(None, imports, [*lines, call, "print(drift.distance.mean(1), drift.cosine.mean(1))"])


def _draw_drift(subject: FinetuneSubject, drift: StreamDrift, text: str) -> None:
    details = {**subject.details, "text": text}
    draw(
        subject.pair.after,
        stream_drift_figure(drift),
        key="stream_map",
        label=_("Distance of each state from the one before"),
        details=details,
        height=HEIGHT + ROW * len(drift.distance),
        revision=text,
    )
    st.caption(_("The stronger the colour, the further the state of this token has moved, as a share of its length."))
    draw(
        subject.pair.after,
        stream_mean_figure(drift),
        key="stream_mean",
        label=_("Mean distance and cosine after each layer"),
        details=details,
        height=280,
    )
