"""One step of the story on the page: a formula, its numbers, and the lines of code that do the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from playground.charts.palette import KEY, QUERY, VALUE, Colour
from playground.errors import UserError
from playground.lens.inspect.steps.accounts import Number
from playground.lens.inspect.steps.code_lines import Step, code_lines
from playground.models import LoadedModel
from playground.text import _
from ui import state
from ui.sections.inside.step_parts import Stage
from ui.sections.inside.telling import Tell, pick_number, picked_number, show_account
from ui.widgets.chart import draw

ROW_PIXELS = 26
FRAME_PIXELS = 84


def tinted(colour: Colour, symbol: str, *, is_dark: bool) -> str:
    """A symbol in the colour of its meaning, as in the charts."""
    return rf"\textcolor{{{colour.dark if is_dark else colour.light}}}{{{symbol}}}"


def symbols(*, is_dark: bool) -> dict[str, str]:
    """Query, keys and values as they stand in every formula."""
    colours = {"q": QUERY, "k": KEY, "v": VALUE}
    return {symbol: tinted(colour, symbol, is_dark=is_dark) for symbol, colour in colours.items()}


@dataclass(frozen=True, kw_only=True)
class Around:
    """What all stages of a story share: the model, what their pictures stay for, their files' facts, what tells."""

    model: LoadedModel
    revision: str
    facts: Mapping[str, object]
    tell: Tell
    is_cross: bool
    norms_after: bool


def show_stage(around: Around, number: int, stage: Stage) -> None:
    """Formula and code on the left, the numbers beside them; below, how the one that was clicked came about."""
    st.subheader(f"{number}. {stage.title}", anchor=False)
    words, numbers = st.columns([2, 5], gap="medium")
    with words:
        st.latex(stage.formula)
        st.caption(stage.sentence)
        _show_code(stage.code, is_cross=around.is_cross, norms_after=around.norms_after)
    with numbers:
        st.fragment(_show_numbers)(around, stage)


def _show_numbers(around: Around, stage: Stage) -> None:
    """The pictures; runs alone after a click."""
    chosen = picked_number(stage)
    for index, picture in enumerate(stage.pictures):
        st.caption(picture.label)
        cell = draw(
            around.model,
            picture.figure,
            key=f"inside_{stage.name}_{index}",
            height=FRAME_PIXELS + ROW_PIXELS * picture.rows,
            revision=around.revision,
            label=picture.label,
            facts=around.facts,
            picks=True,
            picked=None if chosen is None else picture.cell(chosen),
        )
        if cell is not None and picture.number(cell) is not None:
            pick_number(stage, picture.number(cell))
            state.run_again()
        if chosen is not None and picture.cell(chosen) is not None:
            _tell(around, stage, chosen)


def _tell(around: Around, stage: Stage, number: Number) -> None:
    try:
        told = around.tell(number)
    except UserError as error:
        st.info(str(error), icon=":material/info:")
        return
    if told is not None:
        show_account(stage, told)


def _show_code(steps: tuple[Step, ...], *, is_cross: bool, norms_after: bool) -> None:
    """The lines of our own transformer that compute the step."""
    for step in steps:
        lines = code_lines(step, is_cross=is_cross, norms_after=norms_after)
        st.code(lines.text, language="python", wrap_lines=True)
        st.caption(_("{path}, line {line}").format(path=lines.path, line=lines.first))
