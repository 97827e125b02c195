"""A figure of Take it apart, with its numbers as CSV."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.charts.layout import mark_spaces
from playground.csv_table import csv_table
from playground.lens.capture.tokens import Token
from playground.snippets import origin
from playground.text import _
from ui.components.live_chart import Cell
from ui.sections.ablate.options import Subject
from ui.state.link import link_lines
from ui.widgets.chart import draw
from ui.widgets.download import text_details

if TYPE_CHECKING:
    import plotly.graph_objects as go


def show_figure(
    subject: Subject,
    figure: "go.Figure",
    rows: Iterable[Sequence[object]],
    *,
    name: str,
    label: str,
    details: Mapping[str, object],
    picks: bool = False,
    picked: Cell | None = None,
) -> Cell | None:
    """Draw a figure with a button for its numbers, the header first; its files state model, text and details.

    picks, picked, and the cell that is returned: see live_chart.
    """
    all_details = {**text_details(subject.texts), **details}
    height = int(figure.layout.height)
    cell = draw(
        subject.model,
        figure,
        key=f"figure_{name}",
        height=height,
        revision=name,
        label=label,
        details=all_details,
        picks=picks,
        picked=picked,
    )
    st.download_button(
        _("Download CSV"),
        csv_table(rows, [*origin(subject.model, details=all_details), *link_lines()]),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )
    return cell


def table_rows(corner: str, rows: Sequence[str], columns: Sequence[str], values: np.ndarray) -> list[list[object]]:
    """A table with its row and column names, for CSV."""
    header: list[object] = [corner, *columns]
    return [header, *([row, *line] for row, line in zip(rows, values.tolist(), strict=True))]


def numbered(tokens: Sequence[Token]) -> list[str]:
    """Tokens with their positions, so that all labels differ, and with visible spaces."""
    return [f"{position} {mark_spaces(token.text)}" for position, token in enumerate(tokens)]
