"""Addition and translation: the same checkpoints under a metric of one's choice, over size or over training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts.emergence import Axes, ability_figure
from playground.charts.series import Series
from playground.emergence.metrics import (
    ANSWER_LENGTH,
    ANSWER_METRICS,
    EXACT_MATCH,
    EXPECTED_EXACT_MATCH,
    TOKEN_ACCURACY,
    Metric,
)
from playground.emergence.studies import Study
from playground.emergence.tables import MeasuredCheckpoint, last_of_each, runs_of
from playground.text import _
from ui.sections.emergence.labels import metric_axis_title, metric_description, metric_title, run_title
from ui.sections.emergence.live import REFRESH_SECONDS, LiveRun, live_run, measured_live_run, show_live
from ui.sections.emergence.study import (
    draw_study,
    offer_code,
    offer_table,
    say_untrained,
    series_of,
    show_steepness,
    show_steepness_verdict,
)
from ui.state.parameters import (
    ABILITY_MEASURE,
    ABILITY_OVER,
    ABILITY_SIZE,
    LINEAR_SIZES,
    LOG_ABILITY_STEPS,
    LOG_VALUES,
    RUN,
)
from ui.text import page_link
from ui.widgets.choice import choose_option

SIZE, TRAINING, ALL = "size", "training", "all"
HEIGHT = 440
METRICS = {metric.name: metric for metric in ANSWER_METRICS}


@dataclass(frozen=True, kw_only=True)
class MetricView:
    """What the chart shows."""

    over: str
    """SIZE: one point per run; TRAINING: one curve per run."""
    metric: Metric
    run: str
    """A run's name, or ALL."""
    log_x: bool
    log_y: bool


def show_answer_metrics(study: Study, checkpoints: Sequence[MeasuredCheckpoint]) -> None:
    """The metric switch, the chart, and pᴸ with the numbers of two checkpoints."""
    view = _choose_metric_view(study, checkpoints)
    live = live_run(study)
    busy = live is not None and live.is_busy
    st.fragment(_refresh, run_every=REFRESH_SECONDS if busy else None)(study, checkpoints, view, busy)
    run = "" if view.run == ALL else view.run
    offer_code(study.name, [view.metric.name], over_size=view.over == SIZE, run=run)
    offer_table(study.name, checkpoints)


def _choose_metric_view(study: Study, checkpoints: Sequence[MeasuredCheckpoint]) -> MetricView:
    titles = {metric.name: metric_title(metric.name) for metric in ANSWER_METRICS}
    metric = METRICS[choose_option(ABILITY_MEASURE, _("Switch the metric"), titles)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        over = choose_option(ABILITY_OVER, _("Over"), {SIZE: _("Model size"), TRAINING: _("Training")})
        if over == SIZE:
            log_x = not st.toggle(_("Linear sizes"), key=LINEAR_SIZES, bind="query-params")
        else:
            log_x = st.toggle(_("Logarithmic steps"), key=LOG_ABILITY_STEPS, bind="query-params")
        log_y = st.toggle(_("Logarithmic values"), key=LOG_VALUES, bind="query-params")
    return MetricView(over=over, metric=metric, run=_choose_run(study, checkpoints, over), log_x=log_x, log_y=log_y)


def _choose_run(study: Study, checkpoints: Sequence[MeasuredCheckpoint], over: str) -> str:
    if over == SIZE:
        return ALL
    largest_first = list(runs_of(checkpoints).items())[::-1]
    titles = {name: f"{run[0].parameters:,}" for name, run in largest_first} | {ALL: _("All")}
    return choose_option(ABILITY_SIZE, _("Parameters"), titles, key=f"size_{study.name}")


def _refresh(study: Study, checkpoints: Sequence[MeasuredCheckpoint], view: MetricView, was_busy: bool) -> None:
    """Everything that changes while a run is live. When it ends, the page reruns once and rests."""
    live = measured_live_run(study, was_busy)
    curves = _curves(checkpoints, view)
    label, last_curve = list(curves.items())[-1]
    shown, axis = _visible(last_curve, view)
    show_steepness_verdict(shown, axis, label if len(curves) > 1 else "")
    _draw_metric(study, checkpoints, view, curves, live)
    st.caption(metric_description(view.metric.name))
    show_live(study, live)
    _show_arithmetic(last_curve if view.over == TRAINING else last_of_each(checkpoints))
    if len(curves) == 1:
        show_steepness(shown, axis, list(METRICS))


def _visible(curve: list[MeasuredCheckpoint], view: MetricView) -> tuple[list[MeasuredCheckpoint], list[float]]:
    """The checkpoints of a curve that its axis shows, and where they stand on it."""
    placed = [(at, x) for at, x in zip(curve, _x_values(curve, view), strict=True) if x > 0 or not view.log_x]
    return [at for at, _x in placed], [float(np.log10(x)) if view.log_x else x for _at, x in placed]


def _curves(checkpoints: Sequence[MeasuredCheckpoint], view: MetricView) -> dict[str, list[MeasuredCheckpoint]]:
    """The checkpoints of each curve, by its legend label."""
    if view.over == SIZE:
        return {_("after training"): last_of_each(checkpoints)}
    runs = runs_of(checkpoints)
    return {run_title(run[0]): run for name, run in runs.items() if view.run in (ALL, name)}


def _x_values(checkpoints: Sequence[MeasuredCheckpoint], view: MetricView) -> list[float]:
    return [checkpoint.parameters if view.over == SIZE else checkpoint.step for checkpoint in checkpoints]


def _draw_metric(
    study: Study,
    checkpoints: Sequence[MeasuredCheckpoint],
    view: MetricView,
    curves: dict[str, list[MeasuredCheckpoint]],
    live: LiveRun | None,
) -> None:
    title, name = metric_title(view.metric.name), view.metric.name
    click = say_untrained()
    measured = [series_of(label, _x_values(curve, view), curve, name, click) for label, curve in curves.items()]
    expected = []
    if name == EXACT_MATCH:
        label = _("pᴸ from token accuracy")
        expected = [series_of(label, _x_values(curve, view), curve, EXPECTED_EXACT_MATCH) for curve in curves.values()]
    axes = Axes(
        x=_("parameters") if view.over == SIZE else _("training step"),
        y=metric_axis_title(name),
        log_x=view.log_x,
        log_y=view.log_y,
        is_share=view.metric.is_share,
    )
    figure = ability_figure(measured, expected, axes, live=_live_series(view, live))
    key = f"{study.name}{view.over}{view.run}{name}{view.log_x}{view.log_y}"
    label = _("{study}: {metric}").format(study=study.name, metric=title)
    draw_study(study, checkpoints, live, figure, key="ability_chart", label=label, height=HEIGHT, revision=key)


def _live_series(view: MetricView, live: LiveRun | None) -> list[Series]:
    if live is None or not live.checkpoints:
        return []
    shown = live.checkpoints if view.over == TRAINING else live.checkpoints[-1:]
    label = _("live: {run}").format(run=live.run.name)
    click = page_link("train", (RUN, live.run.id))
    return [series_of(label, _x_values(shown, view), shown, view.metric.name, click)]


def _show_arithmetic(checkpoints: Sequence[MeasuredCheckpoint]) -> None:
    """pᴸ with the numbers of two checkpoints: one in the middle of the rise, and the last."""
    middle = min(checkpoints, key=lambda checkpoint: abs(checkpoint.metrics[TOKEN_ACCURACY] - 0.75))
    sentence = _(
        "An answer of $L$ tokens is correct when all its tokens are. If each is correct with probability $p$, "
        "independently, the expected exact match is $p^L$: a gradual rise in $p$ is a jump in $p^L$. {examples} "
        "Measured exact match lies below $p^L$ where some positions of an answer are harder than others, above it "
        "where some questions are."
    )
    shown = [middle] if middle == checkpoints[-1] else [middle, checkpoints[-1]]
    st.markdown(sentence.format(examples=" ".join(_arithmetic_example(checkpoint) for checkpoint in shown)))


def _arithmetic_example(checkpoint: MeasuredCheckpoint) -> str:
    metrics = checkpoint.metrics
    return _(
        "With {parameters:,} parameters after {step:,} steps, p = {p:.3f} and mean L = {length:.3g}: "
        "expected exact match **{expected:.3f}**, measured **{measured:.3f}**."
    ).format(
        parameters=checkpoint.parameters,
        step=checkpoint.step,
        p=metrics[TOKEN_ACCURACY],
        length=metrics[ANSWER_LENGTH],
        expected=metrics[EXPECTED_EXACT_MATCH],
        measured=metrics[EXACT_MATCH],
    )
