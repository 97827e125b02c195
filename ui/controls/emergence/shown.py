"""Tables of checkpoints as curves, as a line of provenance, and as files to take home."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from playground.charts.series import Series
from playground.emergence.records import Checkpoint, runs_of, write_table
from playground.emergence.shipped import read_provenance
from playground.emergence.steepness import halfway, steepest_share
from playground.lens.provenance import VERSION
from ui.controls.emergence.words import measure_title
from ui.text import _


def series_of(name: str, places: Sequence[float], rows: Sequence[Checkpoint], measure: str) -> Series:
    """One measure of several checkpoints; a gap where it is not known."""
    values = [row.measures.get(measure, float("nan")) for row in rows]
    return Series(name=name, steps=list(places), values=[v if np.isfinite(v) else None for v in values])


def source_note(study: str, rows: Sequence[Checkpoint]) -> str:
    """Where a picture's numbers come from, on one line."""
    made = read_provenance(study)
    parts = [
        _("runs of this code: {count}").format(count=len(runs_of(rows))),
        f"Transformer Playground {VERSION}",
        *(f"{name} {made[name]}" for name in ("torch",) if name in made),
        *(made[name] for name in ("made on",) if name in made),
    ]
    return " · ".join(parts)


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


def offer_table(study: str, rows: Sequence[Checkpoint]) -> None:
    """All checkpoints and measures as a CSV that says where it comes from."""
    made = {"transformer-playground": VERSION, "study": study, **read_provenance(study)}
    head = "".join(f"# {name}: {value}\n" for name, value in made.items())
    st.download_button(
        _("All checkpoints as CSV"),
        head + write_table(rows),
        file_name=f"emergence-{study}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv_{study}",
    )
