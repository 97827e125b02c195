"""How a run is doing, in words and numbers."""

import math

import streamlit as st

from playground.text import _
from playground.training.run.metrics import Metrics
from playground.training.run.runs import Run
from ui.sections.train.labels import measure_label
from ui.units import duration

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
"""In pixels: six stand in a row of a desktop's window, two on a telephone's."""


def show_numbers(run: Run, metrics: Metrics) -> None:
    """State, progress and the last values."""
    status = run.status
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(state_word(status.state), color=COLOURS.get(status.state, "gray"))  # type: ignore[arg-type]
        if status.state == "queued" and status.position is not None:
            st.caption(_("{ahead} runs are ahead").format(ahead=status.position))
        if status.message:
            st.caption(status.message)
    step = last_step(run, metrics)
    words = _("step {step:,} of {steps:,}").format(step=step, steps=run.steps)
    left = seconds_left(run, metrics)
    if left is not None and status.state == "running":
        words += " · " + _("{time} left").format(time=duration(left))
    st.progress(min(1.0, step / max(1, run.steps)), text=words)
    _show_values(run, metrics)


def last_step(run: Run, metrics: Metrics) -> int:
    """The last step that was written down: a run tells of its state less often than of its steps."""
    return int(metrics.columns["step"][-1]) if len(metrics) else run.status.step


def show_ready(steps: int) -> None:
    """The place of a run that has not begun: the browser has what it draws runs with before the first one."""
    words = _("step {step:,} of {steps:,}").format(step=0, steps=steps) + " · " + _("press Start in the sidebar")
    st.progress(0.0, text=words)
    values = (_("Loss (nats)"), _("Held-out loss (nats)"), _("Learning rate"), _("Tokens per second"))
    _show_metrics(dict.fromkeys(values, "–"))


def _show_values(run: Run, metrics: Metrics) -> None:
    values = {_("Loss (nats)"): _last(metrics.columns.get("loss"), "{:.4f}")}
    for name, measured in list(metrics.evaluations.items())[:3]:
        values[measure_label(name)] = _last(measured, "{:.4f}")
    values[_("Learning rate")] = _last(metrics.columns.get("learning_rate"), "{:.2e}")
    values[_("Tokens per second")] = f"{run.status.tokens_per_second:,.0f}" if run.status.tokens_per_second else "–"
    _show_metrics(values)


def _show_metrics(values: dict[str, str]) -> None:
    """The numbers side by side, in as many rows as the window needs."""
    with st.container(horizontal=True):
        for label, value in values.items():
            st.metric(label, value, width=METRIC_WIDTH)


def _last(column: object, pattern: str) -> str:
    """The last value of a column that is a number."""
    values = [] if column is None else [float(value) for value in column[-50:]]  # type: ignore[index]
    known = [value for value in values if math.isfinite(value)]
    return pattern.format(known[-1]) if known else "–"


def seconds_left(run: Run, metrics: Metrics) -> float | None:
    """The time that the remaining steps will take at the present speed."""
    tokens = metrics.columns.get("tokens")
    if tokens is None or len(tokens) < 2 or not run.status.tokens_per_second:
        return None
    first = max(0, len(tokens) - 50)
    per_step = float(tokens[-1] - tokens[first]) / (len(tokens) - 1 - first)
    return max(0, run.steps - last_step(run, metrics)) * per_step / run.status.tokens_per_second


def state_word(name: str) -> str:
    """A state as it reads on the page."""
    words = {
        "queued": _("Waiting"),
        "starting": _("Starting"),
        "preparing": _("Preparing the data"),
        "running": _("Running"),
        "paused": _("Paused"),
        "finished": _("Finished"),
        "stopped": _("Stopped"),
        "interrupted": _("Interrupted"),
        "failed": _("Failed"),
    }
    return words.get(name, _("Unknown"))
