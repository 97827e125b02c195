"""A picture of a model taken apart, and all its numbers to take home."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.lens.capture.tokens import Token
from playground.snippets import origin
from playground.text import _
from ui.sections.ablate.options import Subject
from ui.tables import csv_table
from ui.widgets.chart import draw
from ui.widgets.download import text_facts

if TYPE_CHECKING:
    import plotly.graph_objects as go


def show_figure(
    subject: Subject,
    figure: "go.Figure",
    rows: Iterable[Sequence[object]],
    *,
    name: str,
    label: str,
    facts: Mapping[str, object],
) -> None:
    """Draw a figure with a button for its numbers, of which the first row is the header.

    All its files begin with where they come from: model, text, and the facts.
    """
    known = {**text_facts(subject.texts), **facts}
    height = int(figure.layout.height)
    draw(subject.model, figure, key=f"figure_{name}", height=height, revision=name, label=label, facts=known)
    st.download_button(
        _("All numbers as CSV"),
        csv_table(rows, origin(subject.model, facts=known)),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def table_rows(corner: str, rows: Sequence[str], columns: Sequence[str], values: np.ndarray) -> list[list[object]]:
    """A table with its labels, for CSV."""
    header: list[object] = [corner, *columns]
    return [header, *([row, *line] for row, line in zip(rows, values.tolist(), strict=True))]


def numbered(tokens: Sequence[Token]) -> list[str]:
    """Labels that differ even where tokens do not."""
    return [f"{place} {token.text}" for place, token in enumerate(tokens)]
