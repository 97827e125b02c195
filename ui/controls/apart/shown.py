"""A picture that stands still, and its numbers to take home."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.lens.snippets import origin
from playground.lens.tokens import Token
from playground.models import LoadedModel
from ui.text import _

if TYPE_CHECKING:
    import plotly.graph_objects as go


def show_figure(
    model: LoadedModel,
    figure: "go.Figure",
    rows: Iterable[Sequence[object]],
    *,
    name: str,
    height: int | None = None,
) -> None:
    """Draw a figure (its own menu saves it as SVG) with a button for its numbers; the first row is the header.

    The numbers' file begins with where they come from.
    """
    if height is not None:
        figure.update_layout(height=height)
    picture = {"format": "svg", "filename": name}
    st.plotly_chart(figure, key=f"figure_{name}", config={"displaylogo": False, "toImageButtonOptions": picture})
    st.download_button(
        _("CSV"),
        "".join(f"# {line}\n" for line in origin(model)) + to_csv(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def table_rows(corner: str, rows: Sequence[str], columns: Sequence[str], values: np.ndarray) -> list[list[object]]:
    """A table with its labels, for CSV."""
    header: list[object] = [corner, *columns]
    return [header, *([row, *line] for row, line in zip(rows, values.tolist(), strict=True))]


def numbered(tokens: Sequence[Token]) -> list[str]:
    """Labels that differ even where tokens do not."""
    return [f"{place} {token.text}" for place, token in enumerate(tokens)]
