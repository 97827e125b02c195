"""State, progress and last values of a run."""

import math

import streamlit as st

from playground.text import _, _n
from playground.training.run.metrics import Metrics
from playground.training.run.runs import Run
from playground.units import duration
from ui.sections.train.labels import measure_label
from ui.widgets.findings import show_caption

COLOURS = {
    "running": "green",
    "paused": "orange",
    "queued": "blue",
    "starting": "blue",
    "preparing": "blue",
    "finished": "green",
    "stopped": "gray",
    "interrupted": "orange",
    "failed": "red",
}
METRIC_WIDTH = 145
"""In pixels: six fit beside each other on a desktop, two on a phone."""


def show_summary(run: Run, metrics: Metrics) -> None:
    """State, progress and the last values."""
    status = run.status
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(state_label(status.state), color=COLOURS.get(status.state, "gray"))  # type: ignore[arg-type]
        if status.state == "queued" and status.position is not None:
            st.caption(queue_sentence(status.position))
        if status.sentence:
            show_caption(status.sentence)
    step = current_step(run, metrics)
    text = _("step {step:,} of {steps:,}").format(step=step, steps=run.steps)
    left = seconds_left(run, metrics)
    if left is not None and status.state == "running":
        text += " · " + _("{time} left").format(time=duration(left))
    st.progress(min(1.0, step / max(1, run.steps)), text=text)
    _show_values(run, metrics)


def queue_sentence(position: int) -> str:
    """How long a waiting run waits."""
    if position == 0:
        return _("Next in the queue: it starts when a run that is training ends.")
    return _n("{n} run ahead in the queue", "{n} runs ahead in the queue", position)


def current_step(run: Run, metrics: Metrics) -> int:
    """The last recorded step: the metrics are written more often than the status."""
    return int(metrics.columns["step"][-1]) if len(metrics) else run.status.step


def _show_values(run: Run, metrics: Metrics) -> None:
    values = {_("Loss (nats)"): _last(metrics.columns.get("loss"), "{:.4f}")}
    for name, measured in list(metrics.evaluations.items())[:3]:
        values[measure_label(name)] = _last(measured, "{:.4f}")
    values[_("Learning rate")] = _last(metrics.columns.get("learning_rate"), "{:.2e}")
    values[_("Tokens per second")] = f"{run.status.tokens_per_second:,.0f}" if run.status.tokens_per_second else "–"
    _show_metrics(values)


def _show_metrics(values: dict[str, str]) -> None:
    """The values side by side, wrapped as the window needs."""
    with st.container(horizontal=True):
        for label, value in values.items():
            st.metric(label, value, width=METRIC_WIDTH)


def _last(column: object, pattern: str) -> str:
    """The last finite value of a column."""
    values = [] if column is None else [float(value) for value in column[-50:]]  # type: ignore[index]
    known = [value for value in values if math.isfinite(value)]
    return pattern.format(known[-1]) if known else "–"


def seconds_left(run: Run, metrics: Metrics) -> float | None:
    """The time that the remaining steps will take at the current speed."""
    tokens = metrics.columns.get("tokens")
    if tokens is None or len(tokens) < 2 or not run.status.tokens_per_second:
        return None
    first = max(0, len(tokens) - 50)
    per_step = float(tokens[-1] - tokens[first]) / (len(tokens) - 1 - first)
    return max(0, run.steps - current_step(run, metrics)) * per_step / run.status.tokens_per_second


def state_label(name: str) -> str:
    """A state's name on the page."""
    labels = {
        "queued": _("Queued"),
        "starting": _("Starting"),
        "preparing": _("Preparing the data"),
        "running": _("Running"),
        "paused": _("Paused"),
        "finished": _("Finished"),
        "stopped": _("Stopped"),
        "interrupted": _("Interrupted"),
        "failed": _("Failed"),
    }
    return labels.get(name, _("Unknown"))
