"""One step of the story on the page: a formula, its numbers, and the lines of code that do the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from playground.charts.colours import KEY, QUERY, VALUE, Colour
from playground.lens.code_lines import Step, code_lines
from playground.models import LoadedModel
from ui.controls.drawn import draw
from ui.text import _

ROW_PIXELS = 26
FRAME_PIXELS = 84


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart with its height in rows and what it shows, in words."""

    figure: go.Figure
    rows: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step: its formula in LaTeX, sentences, pictures, and the steps of our transformer that compute it."""

    name: str
    title: str
    formula: str
    sentence: str
    pictures: tuple[Picture, ...]
    code: tuple[Step, ...]


def tinted(colour: Colour, symbol: str) -> str:
    """A symbol in the colour of its meaning, as in the charts."""
    is_dark = st.context.theme.type == "dark"
    return rf"\textcolor{{{colour.dark if is_dark else colour.light}}}{{{symbol}}}"


def symbols() -> dict[str, str]:
    """Query, keys and values as they stand in every formula."""
    return {"q": tinted(QUERY, "q"), "k": tinted(KEY, "k"), "v": tinted(VALUE, "v")}


def show_stage(
    model: LoadedModel,
    number: int,
    stage: Stage,
    revision: str,
    *,
    is_cross: bool,
    norms_after: bool,
    facts: Mapping[str, object],
) -> None:
    """Formula and code on the left, the numbers beside them."""
    st.subheader(f"{number}. {stage.title}", anchor=False)
    words, numbers = st.columns([2, 5], gap="medium")
    with words:
        st.latex(stage.formula)
        st.caption(stage.sentence)
        _show_code(stage.code, is_cross=is_cross, norms_after=norms_after)
    with numbers:
        for index, picture in enumerate(stage.pictures):
            st.caption(picture.label)
            draw(
                model,
                picture.figure,
                key=f"inside_{stage.name}_{index}",
                height=FRAME_PIXELS + ROW_PIXELS * picture.rows,
                revision=revision,
                label=picture.label,
                facts=facts,
            )


def _show_code(steps: tuple[Step, ...], *, is_cross: bool, norms_after: bool) -> None:
    """The lines of our own transformer that compute the step."""
    for step in steps:
        lines = code_lines(step, is_cross=is_cross, norms_after=norms_after)
        st.code(lines.text, language="python", wrap_lines=True)
        st.caption(_("{path}, line {line}").format(path=lines.path, line=lines.first))
