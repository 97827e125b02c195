"""Addition and translation: the same checkpoints, over size or over training, under a measure of one's choice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts.emergence import Axes, ability_figure
from playground.charts.series import Series
from playground.emergence.measures import ANSWERS, EXACT_MATCH, EXPECTED, LENGTH, TOKEN_ACCURACY, Measure
from playground.emergence.records import Checkpoint, last_of_each, runs_of
from playground.emergence.studies import Study
from playground.text import _
from ui import state
from ui.sections.emergence.labels import measure_axis, measure_title, measure_words, run_title
from ui.sections.emergence.live import FOLLOW_SECONDS, LiveRun, live_run, measure_more, show_live
from ui.sections.emergence.study import (
    draw,
    offer_code,
    offer_table,
    series_of,
    show_steepness,
    show_verdict,
)
from ui.widgets.choice import choose_word

SIZE, TRAINING, ALL = "size", "training", "all"
HEIGHT = 440
MEASURES = {measure.name: measure for measure in ANSWERS}


@dataclass(frozen=True, kw_only=True)
class View:
    """What is drawn: over sizes or over steps, which measure, which run ("all" of them), and the scales."""

    over: str
    measure: Measure
    run: str
    log_x: bool
    log_y: bool


def show_answers(study: Study, rows: Sequence[Checkpoint]) -> None:
    """The switch of the measure, the picture, and p to the power of L."""
    view = _choose_view(study, rows)
    live = live_run(study)
    busy = live is not None and live.is_busy
    st.fragment(_follow, run_every=FOLLOW_SECONDS if busy else None)(study, rows, view, busy)
    run = "" if view.run == ALL else view.run
    offer_code(study.name, [view.measure.name], over_size=view.over == SIZE, run=run)
    offer_table(study.name, rows)


def _choose_view(study: Study, rows: Sequence[Checkpoint]) -> View:
    titles = {measure.name: measure_title(measure.name) for measure in ANSWERS}
    measure = MEASURES[choose_word(state.ABILITY_MEASURE, _("Measure"), titles)]
    st.caption(measure_words(measure.name))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        over = choose_word(state.ABILITY_OVER, _("Over"), {SIZE: _("size"), TRAINING: _("training")})
        if over == SIZE:
            log_x = not st.toggle(_("Linear sizes"), key=state.LINEAR_SIZES, bind="query-params")
        else:
            log_x = st.toggle(_("Logarithmic steps"), key=state.LOG_ABILITY_STEPS, bind="query-params")
        log_y = st.toggle(_("Logarithmic values"), key=state.LOG_VALUES, bind="query-params")
    return View(over=over, measure=measure, run=_choose_run(study, rows, over), log_x=log_x, log_y=log_y)


def _choose_run(study: Study, rows: Sequence[Checkpoint], over: str) -> str:
    if over == SIZE:
        return ALL
    largest = list(runs_of(rows).items())[::-1]
    titles = {name: f"{run[0].parameters:,}" for name, run in largest} | {ALL: _("all")}
    return choose_word(state.ABILITY_SIZE, _("Parameters"), titles, key=f"size_{study.name}")


def _follow(study: Study, rows: Sequence[Checkpoint], view: View, was_busy: bool) -> None:
    """Everything that changes while a run lives. When it has ended, the page runs once more and rests."""
    live = live_run(study)
    if live is not None:
        measure_more(live)
    if (live is not None and live.is_busy) != was_busy:
        st.rerun()
    curves = _curves(rows, view)
    _draw(study, rows, view, curves, live)
    show_live(study, live)
    shown = list(curves.values())[-1]
    _show_arithmetic(shown if view.over == TRAINING else last_of_each(rows))
    if view.run != ALL or view.over == SIZE:
        places = _places(shown, view)
        known = [index for index, place in enumerate(places) if place > 0 or not view.log_x]
        seen = [shown[index] for index in known]
        axis = [float(np.log10(places[index])) if view.log_x else places[index] for index in known]
        show_verdict(seen, axis)
        show_steepness(seen, axis, list(MEASURES))


def _curves(rows: Sequence[Checkpoint], view: View) -> dict[str, list[Checkpoint]]:
    """The checkpoints of each curve by its name."""
    if view.over == SIZE:
        return {_("after training"): last_of_each(rows)}
    runs = runs_of(rows)
    return {run_title(run[0]): run for name, run in runs.items() if view.run in (ALL, name)}


def _places(rows: Sequence[Checkpoint], view: View) -> list[float]:
    return [row.parameters if view.over == SIZE else row.step for row in rows]


def _draw(
    study: Study,
    rows: Sequence[Checkpoint],
    view: View,
    curves: dict[str, list[Checkpoint]],
    live: LiveRun | None,
) -> None:
    title, name = measure_title(view.measure.name), view.measure.name
    measured = [series_of(label, _places(found, view), found, name) for label, found in curves.items()]
    promised = []
    if name == EXACT_MATCH:
        label = _("p^L from the tokens right")
        promised = [series_of(label, _places(found, view), found, EXPECTED) for found in curves.values()]
    axes = Axes(
        x=_("parameters") if view.over == SIZE else _("training step"),
        y=measure_axis(name),
        log_x=view.log_x,
        log_y=view.log_y,
        is_share=view.measure.is_share,
    )
    figure = ability_figure(measured, promised, axes, live=_live_series(view, live))
    key = f"{study.name}{view.over}{view.run}{name}{view.log_x}{view.log_y}"
    label = _("{study}: {measure}").format(study=study.name, measure=title)
    draw(study, rows, live, figure, key="ability_chart", label=label, height=HEIGHT, revision=key)


def _live_series(view: View, live: LiveRun | None) -> list[Series]:
    if live is None or not live.rows:
        return []
    rows = live.rows if view.over == TRAINING else live.rows[-1:]
    return [series_of(_("now: {run}").format(run=live.run.name), _places(rows, view), rows, view.measure.name)]


def _show_arithmetic(rows: Sequence[Checkpoint]) -> None:
    """The arithmetic of p^L with the numbers of two checkpoints: one in the middle of the rise, and the last."""
    middle = min(rows, key=lambda row: abs(row.measures[TOKEN_ACCURACY] - 0.75))
    sentence = _(
        "An answer is right when all its L tokens are. If each is right with probability p, independently, that "
        "happens with p^L: a slope in p is a cliff in p^L. {examples} The measured share lies below p^L where some "
        "places of an answer are harder than others, above it where some questions are."
    )
    shown = [middle] if middle == rows[-1] else [middle, rows[-1]]
    examples = " ".join(_example(row) for row in shown)
    st.markdown(sentence.format(examples=examples))


def _example(row: Checkpoint) -> str:
    measures = row.measures
    return _(
        "With {parameters:,} parameters after {step:,} steps, p = {p:.3f} and L = {length:.3g} on average: "
        "p^L is **{promised:.3f}**, exact match **{measured:.3f}**."
    ).format(
        parameters=row.parameters,
        step=row.step,
        p=measures[TOKEN_ACCURACY],
        length=measures[LENGTH],
        promised=measures[EXPECTED],
        measured=measures[EXACT_MATCH],
    )
