"""A page with compared lines in each layout, and a threshold to move."""

import numpy as np
import streamlit as st

from playground.evaluation.thresholds import threshold_curve
from ui.components.compared_lines import Chip, ChipRow, compared_lines
from ui.components.threshold_view import threshold_view

st.set_page_config(layout="wide")


def row(name: str, *chips: tuple[str, str]) -> ChipRow:
    return ChipRow(name=name, chips=tuple(Chip(text=text, state=state) for text, state in chips))


compared_lines(
    [
        row("Hypothesis", ("the", "matched"), ("the", "clipped"), ("<img src=x>", "absent")),
        row("Reference", ("the", "matched"), ("cat", "absent")),
    ],
    links=[(0, 0, 0)],
    states={"matched": "counted", "clipped": "clipped"},
    label="Lines",
    key="rows",
    provenance=["line: 1"],
)
compared_lines(
    [row("Above", ("a", "equal"), ("", "gap")), row("Below", ("a", "equal"), ("b", "insertion"))],
    stacked=True,
    states={"equal": "equal", "insertion": "inserted"},
    label="Columns",
    key="columns",
)
curve = threshold_curve(np.array([0.9, 0.8, 0.4, 0.2]), np.array([True, False, True, False]))
st.session_state.runs = st.session_state.get("runs", 0) + 1
moved = threshold_view(curve, positive="good", threshold=0.5, key="threshold", label="Curves", provenance=["n: 4"])
st.write(f"runs {st.session_state.runs}, threshold {moved:g}")
