"""Curves, tables, provenance and downloads of a study's checkpoints."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.charts.series import Series
from playground.csv_table import comments
from playground.emergence.metrics import EXACT_MATCH, TOKEN_ACCURACY
from playground.emergence.steepness import midpoint, steepest_share
from playground.emergence.studies import Study
from playground.emergence.tables import MeasuredCheckpoint, read_study_provenance, runs_of, write_checkpoints
from playground.provenance import VERSION
from playground.text import _, _n
from ui.components.live_chart import live_chart
from ui.sections.emergence.labels import metric_title
from ui.sections.emergence.live import LiveRun
from ui.state.link import link_lines
from ui.widgets.download import offer_snippet

if TYPE_CHECKING:
    import plotly.graph_objects as go

CLEAR_DIFFERENCE = 0.1
"""Between the steepest shares of two metrics, from which on the page calls them different."""


def series_of(
    name: str, x_values: Sequence[float], checkpoints: Sequence[MeasuredCheckpoint], metric: str, click: str = ""
) -> Series:
    """One metric of several checkpoints as a curve; gaps where it is not known. click: as `Series` has it."""
    values = [value if np.isfinite(value) else None for value in _curve(checkpoints, metric)]
    return Series(name=name, steps=list(x_values), values=values, click=click)


def provenance_lines(study: str) -> list[str]:
    """Provenance of a study's table, a line per fact."""
    details = {"transformer-playground": VERSION, "study": study, **read_study_provenance(study)}
    return [f"{name}: {value}" for name, value in details.items()]


def study_provenance(study: str, live: str = "") -> list[str]:
    """The same in few lines, for the foot of a chart. live: the live run in the chart, if there is one."""
    lines = provenance_lines(study)
    now = [_("live: {run}, trained on this machine").format(run=live)] if live else []
    return [" · ".join(lines[:3]), " · ".join(lines[3:]), *now]


def draw_study(
    study: Study,
    checkpoints: Sequence[MeasuredCheckpoint],
    live: LiveRun | None,
    figure: "go.Figure",
    *,
    key: str,
    label: str,
    height: int,
    revision: str,
) -> None:
    """A study's chart, with its provenance in its files and below it."""
    live_name = live.run.name if live and live.checkpoints else ""
    lines = study_provenance(study.name, live_name)
    live_chart(figure, key=key, height=height, revision=revision, label=label, provenance=lines)
    show_source(study.name, checkpoints)


def say_untrained() -> str:
    """What a click on a curve of a table is answered with, as a live chart takes it."""
    return "say:" + _("The app has this run's numbers, not its checkpoints: train it live below to look at them.")


def show_source(study: str, checkpoints: Sequence[MeasuredCheckpoint]) -> None:
    """How many runs and seeds, and when they were trained."""
    made_on = read_study_provenance(study).get("made on", "")
    n_seeds = len({checkpoint.seed for checkpoint in checkpoints})
    seeds = _n("{n} seed each", "{n} seeds each", n_seeds)
    sentence = (_("{runs}, {seeds}; seed variance not measured") if n_seeds == 1 else _("{runs}, {seeds}")).format(
        runs=_n("{n} run", "{n} runs", len(runs_of(checkpoints))), seeds=seeds
    )
    st.caption(" · ".join([sentence, *([_("trained {day}").format(day=made_on)] if made_on else [])]))


def show_steepness(
    checkpoints: Sequence[MeasuredCheckpoint], x_values: Sequence[float], metrics: Sequence[str]
) -> None:
    """Table of all metrics: how much of each one's change falls within the steepest 10% of the axis."""
    column = _("Change within steepest 10%")
    _show_metrics(checkpoints, metrics, column, lambda values: f"{steepest_share(x_values, values):.0%}")
    st.caption(
        _(
            "Last column: share of a metric's total change that falls within the steepest 10% of the horizontal axis. "
            "A straight line has 10%, a step 100%."
        )
    )


def show_steepness_verdict(checkpoints: Sequence[MeasuredCheckpoint], x_values: Sequence[float], run: str = "") -> None:
    """Whether switching the metric removes the jump, in these very checkpoints. run: names one of several curves."""
    discontinuous, continuous = (
        steepest_share(x_values, [checkpoint.metrics[name] for checkpoint in checkpoints])
        for name in (EXACT_MATCH, TOKEN_ACCURACY)
    )
    sentence = (
        _(
            "**Here the metric makes the jump**: {discontinuous:.0%} of the change in exact match (discontinuous) "
            "falls within the steepest 10% of the axis, but only {continuous:.0%} of that in token accuracy "
            "(continuous)."
        )
        if discontinuous - continuous >= CLEAR_DIFFERENCE
        else _(
            "**Here the metric makes hardly any of the jump**: {discontinuous:.0%} of the change in exact match "
            "(discontinuous) falls within the steepest 10% of the axis, and {continuous:.0%} of that in token "
            "accuracy (continuous). Single tokens improve as suddenly as whole answers."
        )
    )
    verdict = sentence.format(discontinuous=discontinuous, continuous=continuous)
    st.markdown(_("{run}: {verdict}").format(run=run, verdict=verdict) if run else verdict)


def say_midpoints(checkpoints: Sequence[MeasuredCheckpoint], metrics: Sequence[str]) -> None:
    """A sentence: the step at which each metric that moves is halfway; nothing where none is."""
    steps = [checkpoint.step for checkpoint in checkpoints]
    halfway = {metric_title(name): midpoint(steps, _curve(checkpoints, name)) for name in metrics}
    template = _("{metric} at step {step:,.0f}")
    said = [template.format(metric=title, step=at) for title, at in halfway.items() if at is not None]
    if said:
        st.text(_("Halfway from its initial to its final value: {metrics}.").format(metrics="; ".join(said)))


def show_midpoints(checkpoints: Sequence[MeasuredCheckpoint], metrics: Sequence[str]) -> None:
    """Table of all metrics: the step at which each is halfway from its initial to its final value."""
    steps = [checkpoint.step for checkpoint in checkpoints]

    def midpoint_text(values: list[float]) -> str:
        step = midpoint(steps, values)
        return "–" if step is None else f"{step:,.0f}"

    _show_metrics(checkpoints, metrics, _("Midpoint (step)"), midpoint_text)


def _curve(checkpoints: Sequence[MeasuredCheckpoint], metric: str) -> list[float]:
    return [checkpoint.metrics.get(metric, float("nan")) for checkpoint in checkpoints]


def _show_metrics(
    checkpoints: Sequence[MeasuredCheckpoint],
    metrics: Sequence[str],
    column: str,
    summarise: Callable[[list[float]], str],
) -> None:
    """Initial and final value of each metric, and a last column of what `summarise` makes of its curve."""
    lines = []
    for metric in metrics:
        values = _curve(checkpoints, metric)
        lines.append(
            {
                _("Metric"): metric_title(metric),
                _("Initial"): f"{values[0]:.4g}",
                _("Final"): f"{values[-1]:.4g}",
                column: summarise(values),
            }
        )
    st.dataframe(lines, hide_index=True, key="measures_table")


def offer_code(study: str, metrics: Sequence[str], *, over_size: bool = False, run: str = "") -> None:
    """Python that prints the same numbers. run: the only run in the chart, if it is one."""
    imports = [f"playground.emergence.tables import {'last_of_each' if over_size else 'runs_of'}, read_study"]
    lines = snippet_lines(metrics, over_size=over_size, run=run)
    offer_snippet(None, imports, [f"checkpoints = read_study({study!r})", *lines])


def snippet_lines(metrics: Sequence[str], *, over_size: bool, run: str) -> list[str]:
    """Lines that print metrics of the `checkpoints`: over sizes, or of each run over its steps."""
    values = ", ".join(f"checkpoint.metrics[{metric!r}]" for metric in metrics)
    if over_size:
        return ["for checkpoint in last_of_each(checkpoints):", f"    print(checkpoint.parameters, {values})"]
    chosen = f"{{{run!r}: runs_of(checkpoints)[{run!r}]}}" if run else "runs_of(checkpoints)"
    return [
        f"for name, run in {chosen}.items():",
        "    for checkpoint in run:",
        f"        print(name, checkpoint.step, {values})",
    ]


def offer_table(study: str, checkpoints: Sequence[MeasuredCheckpoint]) -> None:
    """Download of all checkpoints and metrics as CSV below its provenance."""
    st.download_button(
        _("Download CSV: all checkpoints"),
        comments([*provenance_lines(study), *link_lines()]) + write_checkpoints(checkpoints),
        file_name=f"emergence-{study}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv_{study}",
    )
