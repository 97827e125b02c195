"""Tables of checkpoints as curves, as a line of provenance, and as files to take home."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.charts.series import Series
from playground.emergence.measures import EXACT_MATCH, TOKEN_ACCURACY
from playground.emergence.records import Checkpoint, runs_of, write_table
from playground.emergence.shipped import read_provenance
from playground.emergence.steepness import halfway, steepest_share
from playground.emergence.studies import Study
from playground.provenance import VERSION
from playground.text import _
from ui.components.live_chart import live_chart
from ui.sections.emergence.labels import measure_title
from ui.sections.emergence.live import LiveRun
from ui.tables import comments
from ui.widgets.download import offer_snippet

if TYPE_CHECKING:
    import plotly.graph_objects as go

CLEAR = 0.1
"""Of the steepest shares of two measures, from which on they are said to differ."""


def series_of(name: str, places: Sequence[float], rows: Sequence[Checkpoint], measure: str) -> Series:
    """One measure of several checkpoints; a gap where it is not known."""
    values = [row.measures.get(measure, float("nan")) for row in rows]
    return Series(name=name, steps=list(places), values=[v if np.isfinite(v) else None for v in values])


def origin_lines(study: str) -> list[str]:
    """Where the numbers of a study come from, a line for each fact."""
    made = {"transformer-playground": VERSION, "study": study, **read_provenance(study)}
    return [f"{name}: {value}" for name, value in made.items()]


def provenance(study: str, live: str = "") -> list[str]:
    """The same in few lines, for the foot of a picture. live: the run of now that is drawn, where there is one."""
    lines = origin_lines(study)
    now = [_("now: {run}, trained on this machine").format(run=live)] if live else []
    return [" · ".join(lines[:3]), " · ".join(lines[3:]), *now]


def draw(
    study: Study,
    rows: Sequence[Checkpoint],
    live: LiveRun | None,
    figure: "go.Figure",
    *,
    key: str,
    label: str,
    height: int,
    revision: str,
) -> None:
    """The picture of a study with where it comes from, in its files and below it."""
    now = live.run.name if live and live.rows else ""
    lines = provenance(study.name, now)
    live_chart(figure, key=key, height=height, revision=revision, label=label, provenance=lines)
    show_source(study.name, rows)


def show_source(study: str, rows: Sequence[Checkpoint]) -> None:
    """Who trained what, when, and that one seed is no law."""
    made = read_provenance(study)
    runs = runs_of(rows)
    seeds = len({row.seed for row in rows})
    words = [
        _("{count} runs of this code").format(count=len(runs)),
        _("one seed each: how far another seed would move a curve is not measured")
        if seeds == 1
        else _("{count} seeds").format(count=seeds),
        *(_("made on {day}").format(day=made[name]) for name in ("made on",) if name in made),
    ]
    st.caption(" · ".join(words))


def show_steepness(rows: Sequence[Checkpoint], places: Sequence[float], measures: Sequence[str]) -> None:
    """All measures of the same checkpoints at once: how much of each comes at a stroke."""
    column = _("Steepest tenth")
    _show_table(rows, measures, column, lambda values: f"{steepest_share(places, values):.0%}")
    st.caption(
        _(
            "The last column says how much of a measure's whole change falls within the steepest tenth of the "
            "horizontal axis: a straight line has 10 %, a step 100 %."
        )
    )


def show_verdict(rows: Sequence[Checkpoint], places: Sequence[float]) -> None:
    """Whether exchanging the measure takes the cliff away, in these very checkpoints."""
    steep, even = (
        steepest_share(places, [row.measures[name] for row in rows]) for name in (EXACT_MATCH, TOKEN_ACCURACY)
    )
    words = (
        _(
            "**Here the measure makes the cliff**: of the whole change in exact match, {steep:.0%} falls within the "
            "steepest tenth of the axis; of that in tokens right, {even:.0%}."
        )
        if steep - even >= CLEAR
        else _(
            "**Here the measure makes hardly any of the cliff**: of the whole change in exact match, {steep:.0%} falls "
            "within the steepest tenth of the axis, and of that in tokens right {even:.0%}. Single tokens come about "
            "as suddenly as whole answers."
        )
    )
    st.markdown(words.format(steep=steep, even=even))


def show_halfway(rows: Sequence[Checkpoint], measures: Sequence[str]) -> None:
    """All measures of the same checkpoints at once: when each has come half of its way."""
    steps = [row.step for row in rows]

    def when(values: list[float]) -> str:
        step = halfway(steps, values)
        return "–" if step is None else f"{step:,.0f}"

    _show_table(rows, measures, _("Half of the way at step"), when)


def _show_table(
    rows: Sequence[Checkpoint], measures: Sequence[str], column: str, last: Callable[[list[float]], str]
) -> None:
    lines = []
    for measure in measures:
        values = [row.measures.get(measure, float("nan")) for row in rows]
        lines.append(
            {
                _("Measure"): measure_title(measure),
                _("First"): f"{values[0]:.4g}",
                _("Last"): f"{values[-1]:.4g}",
                column: last(values),
            }
        )
    st.dataframe(lines, hide_index=True, key="measures_table")


def offer_code(study: str, measures: Sequence[str], *, over_size: bool = False, run: str = "") -> None:
    """Python that reads the same numbers. run: the only one that is drawn, if it is one."""
    imports = [
        f"playground.emergence.records import {'last_of_each' if over_size else 'runs_of'}",
        "playground.emergence.shipped import read_study",
    ]
    offer_snippet(None, imports, [f"rows = read_study({study!r})", *code_lines(measures, over_size=over_size, run=run)])


def code_lines(measures: Sequence[str], *, over_size: bool, run: str) -> list[str]:
    """The lines that print the measures of the checkpoints `rows`, over sizes or of each run over its steps."""
    values = ", ".join(f"row.measures[{measure!r}]" for measure in measures)
    if over_size:
        return ["for row in last_of_each(rows):", f"    print(row.parameters, {values})"]
    chosen = f"{{{run!r}: runs_of(rows)[{run!r}]}}" if run else "runs_of(rows)"
    return [
        f"for name, run in {chosen}.items():",
        "    for row in run:",
        f"        print(name, row.step, {values})",
    ]


def offer_table(study: str, rows: Sequence[Checkpoint]) -> None:
    """All checkpoints and measures as a CSV that says where it comes from."""
    st.download_button(
        _("All checkpoints as CSV"),
        comments(origin_lines(study)) + write_table(rows),
        file_name=f"emergence-{study}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv_{study}",
    )
