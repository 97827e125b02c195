"""A run's metrics as charts: loss, measures, learning rate and gradient norm, spectrum."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from playground.charts.series import Series, decimate, smooth
from playground.charts.train import (
    LOSS_OF_TEXTS,
    measures_figure,
    overlay_figure,
    rate_and_norm_figure,
    spectrum_figure,
    training_loss_figure,
)
from playground.text import _
from playground.training.run.comparable_runs import split_comparable
from playground.training.run.metrics import Metrics
from playground.training.run.milestones import Milestone
from playground.training.run.runs import Run
from ui.components.live_chart import followed_chart, live_chart
from ui.sections.train.labels import measure_label
from ui.state.parameters import RUN
from ui.state.session import LOG_AXES, LOG_LOSS, LOG_STEPS
from ui.state.training import write_run_id
from ui.text import inert, page_link

LOSSES = (
    *("held_out_loss", "train_loss", "loss_floor", "repeat_loss", "first_loss", "excess"),
    *("perplexity", "held_out_rows"),
)
"""Measures that do not lie between 0 and 1, and are in no chart of these."""
OWN_SCALES = ("bleu", "bits_per_byte")
"""Those that do not either, and are charted where a task has no others."""
HEIGHT = 300
SMOOTHED_POINTS = 4000
GROWTH = 200
"""Parts by which a live curve grows."""


def show_loss(run: Run, metrics: Metrics, events: Sequence[Milestone]) -> None:
    """Training and validation loss over the steps, with the events of heads."""
    scale = tuple(st.session_state.get(LOG_AXES, []))
    marks = _marks([event for event in events if event.head is not None])
    count = drawn_steps(len(metrics), is_live=run.status.is_live)
    steps, losses = metrics.columns["step"][:count], metrics.columns["loss"][:count]
    y = _(LOSS_OF_TEXTS) if run.task == "labels" else ""

    def draw() -> go.Figure:
        return _loss_figure(steps, losses, metrics, marks, scale, y)

    followed_chart(
        draw,
        state=(*_evaluated(run, metrics), count, steps[-1:].tobytes(), losses[-1:].tobytes(), *marks),
        key="loss_chart",
        height=HEIGHT,
        revision=f"{run.id}{list(scale)}",
        label=_("Loss over the training steps"),
    )


def drawn_steps(count: int, *, is_live: bool) -> int:
    """How many of a run's steps are drawn: all, or while it is live as many as were there before the last few.

    A curve grows by a two-hundredth, about three pixels, at a time, so that many looks at it find it drawn.

    >>> drawn_steps(150, is_live=True), drawn_steps(10_049, is_live=True), drawn_steps(10_049, is_live=False)
    (150, 10000, 10049)
    """
    return count - count % max(1, count // GROWTH) if is_live else count


def _evaluated(run: Run, metrics: Metrics) -> tuple[Hashable, ...]:
    """Identifies a run's evaluations so far: one that was taken back and went on otherwise has other values."""
    last = [values[-1:].tobytes() for values in metrics.evaluations.values()]
    return run.id, run.created, len(metrics.evaluation_steps), metrics.evaluation_steps[-1:].tobytes(), *last


def _loss_figure(
    steps: np.ndarray,
    losses: np.ndarray,
    metrics: Metrics,
    marks: Sequence[tuple[int, str]],
    scale: Sequence[str],
    y: str,
) -> go.Figure:
    raw = _curve("loss", steps, losses)
    held_out = metrics.evaluations.get("held_out_loss", np.zeros(0))
    floor = metrics.evaluations.get("loss_floor", np.zeros(0))
    return training_loss_figure(
        raw.steps,
        raw.values,
        np.interp(raw.steps, *_smoothed(steps, losses)).tolist(),
        metrics.evaluation_steps.tolist(),
        held_out.tolist(),
        float(floor[-1]) if len(floor) else None,
        marks=marks,
        log_steps=LOG_STEPS in scale,
        log_loss=LOG_LOSS in scale,
        y=y,
    )


def _smoothed(steps: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A moving average over about a fortieth of the steps; of a long run, of every so many steps."""
    stride = -(-len(steps) // SMOOTHED_POINTS)
    values = losses[::stride]
    return steps[::stride], smooth(values.tolist(), weight=1 - 1 / max(2.0, min(50.0, len(values) / 40)))


def _marks(events: Sequence[Milestone]) -> list[tuple[int, str]]:
    return [(event.step, str(event.label)) for event in events]


def show_measures(run: Run, metrics: Metrics, events: Sequence[Milestone]) -> None:
    """The task's own measures at each evaluation, those between 0 and 1 or else one with a scale of its own."""
    marks = _marks(events)
    followed_chart(
        lambda: _measures_figure(metrics, marks),
        state=(*_evaluated(run, metrics), *marks),
        key="measures_chart",
        height=HEIGHT,
        revision=run.id,
        label=_("The task's measures on held-out data"),
    )


def _measures_figure(metrics: Metrics, marks: Sequence[tuple[int, str]]) -> go.Figure:
    shares = [name for name in metrics.evaluations if name not in (*LOSSES, *OWN_SCALES)]
    names = shares or [name for name in OWN_SCALES if name in metrics.evaluations][:1]
    steps = metrics.evaluation_steps.tolist()
    series = [
        Series(name=measure_label(name), steps=steps, values=_with_none(metrics.evaluations[name])) for name in names
    ]
    return measures_figure(series, y=_("share") if shares or not names else measure_label(names[0]), marks=marks)


def show_rate(run: Run, metrics: Metrics) -> None:
    """Learning rate and gradient norm."""
    count = drawn_steps(len(metrics), is_live=run.status.is_live)
    steps, rates, norms = (metrics.columns[name][:count] for name in ("step", "learning_rate", "gradient_norm"))

    def draw() -> go.Figure:
        rate = _curve("rate", steps, rates)
        norm = np.interp(rate.steps, steps, norms)
        return rate_and_norm_figure(rate.steps, rate.values, norm.tolist(), clip=run.config.get("clip"))

    followed_chart(
        draw,
        state=(run.id, run.created, count, *(column[-1:].tobytes() for column in (steps, rates, norms))),
        key="rate_chart",
        height=HEIGHT,
        revision=run.id,
        label=_("Learning rate and gradient norm over the training steps"),
    )


def show_spectrum(run: Run, samples: list[dict[str, object]]) -> None:
    """The spectrum of the embedding at the last evaluation, if the task has one."""
    power = last_spectrum(samples)
    if power:
        live_chart(
            spectrum_figure(power),
            key="spectrum_chart",
            height=HEIGHT,
            revision=run.id,
            label=_("Power of each frequency in the embedding of the numbers"),
        )


def last_spectrum(samples: list[dict[str, object]]) -> list[float]:
    """The newest spectrum among the samples; empty if there is none."""
    for entry in reversed(samples):
        for sample in entry["samples"]:  # type: ignore[attr-defined]
            if sample.get("kind") == "spectrum":
                return [float(value) for value in sample["power"]]
    return []


def show_overlay(named: list[tuple[Run, Metrics]]) -> None:
    """The validation losses of several runs that are measured on the same task, base model and vocabulary."""
    evaluated = [(run, metrics) for run, metrics in named if "held_out_loss" in metrics.evaluations]
    if len(evaluated) < len(named):
        names = ", ".join(run.name for run, metrics in named if "held_out_loss" not in metrics.evaluations)
        st.text(_("Not evaluated yet: {names}").format(names=names))
    shown, other = split_comparable([run for run, _metrics in evaluated])
    if other:
        st.warning(_left_out(shown, other), icon=":material/rule:")
    series = [
        replace(
            _curve(run.name, metrics.evaluation_steps, metrics.evaluations["held_out_loss"]),
            click=page_link("train", (RUN, run.id)),
        )
        for run, metrics in evaluated
        if run in shown
    ]
    if len(series) > 1:
        key = ",".join(run.id for run, _metrics in named)
        label = _("Validation losses of several runs")
        live_chart(
            overlay_figure(series, y=_("validation loss (nats)")),
            key="overlay_chart",
            height=HEIGHT + 40,
            revision=key,
            label=label,
        )
        _offer_runs(shown)


def _offer_runs(shown: list[Run]) -> None:
    """What a click on a curve does in a new tab, here and by keyboard."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("A click on a curve opens its run in a new tab. Open it here:"), width="content")
        with st.popover(_("Open a run"), icon=":material/visibility:"):
            for run in shown:
                key = f"open_overlaid_{run.id}"
                st.button(inert(run.name), key=key, type="tertiary", on_click=write_run_id, args=(run.id,))


def _left_out(shown: list[Run], other: list[Run]) -> str:
    """Why some runs are not overlaid."""
    if len(shown) < 2:
        return _("Not overlaid: the losses of these runs are measured on different tasks, base models or vocabularies.")
    sentence = _("Not overlaid, because their losses are measured on another task, base model or vocabulary: {names}")
    return sentence.format(names=", ".join(inert(run.name) for run in other))


def _curve(name: str, steps: np.ndarray, values: np.ndarray) -> Series:
    """A column as a curve, decimated for the browser: of a long one most would be listed in vain."""
    kept = decimate(values)
    return Series(name=name, steps=steps[kept].tolist(), values=_with_none(values[kept]))


def _with_none(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
