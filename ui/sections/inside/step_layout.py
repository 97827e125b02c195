"""One step on the page: formula, numbers, lines of code, and the derivation of the number that is clicked."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from playground.charts.palette import KEY, QUERY, VALUE
from playground.lens.inspect.steps.code_lines import code_lines
from playground.lens.inspect.steps.derivation import Derivation, Number, parse_number
from playground.lens.inspect.steps.step import InsideStep
from playground.models import LoadedModel
from playground.text import _, fill, true_minus
from ui.sections.inside.steps import DrawnStep, StepPicture
from ui.state.address import read_text, write_text
from ui.state.parameters import DERIVATIONS
from ui.state.session import run_again
from ui.widgets.chart import draw
from ui.widgets.findings import show_caption

ROW_PIXELS, LOW_ROW_PIXELS, MOST_HIGH_ROWS = 26, 13, 7
"""A row's height, and that of a picture's with more rows than can be high on one screen."""
FRAME_PIXELS = 66
TABLE_PIXELS, TABLE_ROW_PIXELS = 248, 35
COLOURS = {"q": QUERY, "k": KEY, "v": VALUE}


@dataclass(frozen=True, kw_only=True)
class StepSetting:
    """What all steps of a walk-through share."""

    model: LoadedModel
    revision: str
    """A picture stays as it is until this changes."""
    details: Mapping[str, object]
    """What an exported picture says about itself."""
    derive: Callable[[Number, InsideStep], Derivation | None]
    """None where a person has cancelled the pass that it takes."""
    is_plain: bool = False
    """Whether the sentences name tokens, so that nothing in them is markup."""


def show_step(setting: StepSetting, index: int, drawn: DrawnStep, *, leads: Sequence[Callable[[], None]] = ()) -> None:
    """Formula and code on the left, the numbers beside them. leads: draw what stands above the formula."""
    text, numbers = st.columns([2, 5], gap="medium")
    with text:
        show_words(setting, index, drawn.step, leads)
    with numbers, st.container(gap="xxsmall"):
        st.fragment(show_pictures)(setting, drawn)


def show_words(setting: StepSetting, index: int, step: InsideStep, leads: Sequence[Callable[[], None]]) -> None:
    """What stands above the formula, the formula, the sentence and the lines of code."""
    with st.container(key=f"step_{step.name}", gap="xsmall"):
        for lead in leads:
            lead()
        st.subheader(f"{index}. {step.title}", anchor=False)
        st.latex(coloured(step.formula, is_dark=st.context.theme.type == "dark"))
        (show_caption if setting.is_plain else st.caption)(step.explanation)
        for lines in map(code_lines, step.code):
            st.code(lines.text, language="python", wrap_lines=True)
            st.caption(_("{path}, line {line}").format(path=lines.path, line=lines.first))


def coloured(formula: str, *, is_dark: bool) -> str:
    r"""The formula with query, key and value in the colours of the charts.

    >>> coloured(r"\q \cdot k", is_dark=True)
    '\\textcolor{#e3b341}{q} \\cdot k'
    """

    def colour(symbol: re.Match[str]) -> str:
        shades = COLOURS[symbol[1]]
        return rf"\textcolor{{{shades.dark if is_dark else shades.light}}}{{{symbol[1]}}}"

    return re.sub(r"\\([qkv])(?![A-Za-z])", colour, formula)


def show_pictures(setting: StepSetting, drawn: DrawnStep) -> None:
    """The pictures, and below one the derivation of its number that is clicked; runs alone after a click."""
    chosen = chosen_number(drawn)
    for pair in _side_by_side(drawn.pictures):
        places = [st.container()] if len(pair) == 1 else st.columns(len(pair), gap="small")
        for place, picture in zip(places, pair, strict=True):
            with place:
                _show_picture(setting, drawn, picture, chosen)
        if chosen is not None and any(picture.cell(chosen) for picture in pair):
            derivation = setting.derive(chosen, drawn.step)
            if derivation is not None:
                show_derivation(drawn.step.name, derivation)


def _side_by_side(pictures: Sequence[StepPicture]) -> list[tuple[StepPicture, ...]]:
    """Pictures in pairs where two fit, such as keys and values, or two experts' neurons."""
    pairs: list[tuple[StepPicture, ...]] = []
    for picture in pictures:
        last = pairs[-1] if pairs else ()
        if len(last) == 1 and last[0].stands_beside(picture):
            pairs[-1] = (*last, picture)
        else:
            pairs.append((picture,))
    return pairs


def _show_picture(setting: StepSetting, drawn: DrawnStep, picture: StepPicture, chosen: Number | None) -> None:
    row = LOW_ROW_PIXELS if picture.shape[0] > MOST_HIGH_ROWS else ROW_PIXELS
    cell = draw(
        setting.model,
        picture.figure,
        key=f"inside_{drawn.step.name}_{picture.index}",
        height=FRAME_PIXELS + row * picture.height,
        revision=setting.revision,
        label=picture.table.label,
        details=setting.details,
        picks=True,
        picked=None if chosen is None else picture.cell(chosen),
    )
    show_caption(picture.table.label)
    if cell is not None and picture.number(cell) is not None:
        # The derivation that gives way may stand in another fragment.
        is_elsewhere = chosen is None and bool(numbers_chosen(drawn.step.name))
        choose_number(drawn.step.name, picture.number(cell))
        st.rerun() if is_elsewhere else run_again()


def chosen_number(drawn: DrawnStep) -> Number | None:
    """The number of this step that the address names, if the step shows it."""
    numbers = numbers_chosen(drawn.step.name)
    return next((number for number in numbers if any(picture.cell(number) for picture in drawn.pictures)), None)


def numbers_chosen(name: str) -> list[Number]:
    """The numbers of a step, or of a picture of that name, in the address."""
    entries = (entry.partition(":") for entry in _address_entries())
    numbers = (parse_number(address) for owner, _colon, address in entries if owner == name)
    return [number for number in numbers if number is not None]


def choose_number(name: str, number: Number | None) -> None:
    """Put the number of a step into the address in place of its last one; None takes it out."""
    kept = [entry for entry in _address_entries() if not entry.startswith(f"{name}:")]
    kept += [] if number is None else [f"{name}:{number.address}"]
    write_text(DERIVATIONS, ",".join(kept) or None)


def _address_entries() -> list[str]:
    return [entry for entry in read_text(DERIVATIONS).split(",") if entry]


def show_derivation(name: str, derivation: Derivation, place: int = 0) -> None:
    """The number with its formula, all terms in a table, and that they make the number.

    name: of the step that the address has the number under. place: among several derivations of one number.
    """
    key = f"{name}_{place}" if place else name
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            formula, value = derivation.formula or "…", true_minus(f"{derivation.value:.6g}")
            st.markdown(f"`{derivation.name} = {formula}` `= {value}`", width="stretch")
            close = functools.partial(choose_number, name, None)
            # The icon is the label: a second one beside it would be cut off.
            st.button(":material/close:", key=f"close_{key}", type="tertiary", help=_("Close"), on_click=close)
        st.caption(_describe_derivation(derivation))
        if derivation.terms:
            table = terms_table(derivation)
            height = min(TABLE_PIXELS, TABLE_ROW_PIXELS * (len(table) + 1) + 3)
            formats = {name: st.column_config.NumberColumn(format="%.6g") for name in table.columns[1:]}
            st.dataframe(table, height=height, hide_index=True, key=f"terms_{key}", column_config=formats)


def _describe_derivation(derivation: Derivation) -> str:
    """How the terms make the number, or why there are none."""
    if not derivation.is_known:
        return _("The modules of this family do not show how this number is made; the value is the model's own.")
    if not derivation.terms:
        return _("A learned number, or one of another token's: no product makes it here.")
    if derivation.is_recomputed:
        return _describe_recomputed(derivation)
    template = _(
        "The {count:,} terms below sum to {total:.9g}. Value of the formula: {result:.9g}; of the model: {value:.9g}; "
        "difference: {difference:.1g}."
    )
    if len(derivation.terms) == 1:
        template = _(
            "The one term below is {total:.9g}. Value of the formula: {result:.9g}; of the model: {value:.9g}; "
            "difference: {difference:.1g}."
        )
    return fill(
        template,
        count=len(derivation.terms),
        total=derivation.total,
        result=derivation.result,
        value=derivation.value,
        difference=derivation.difference,
    )


def _describe_recomputed(derivation: Derivation) -> str:
    """What the terms make, of a number that there is no other of."""
    template = _(
        "The {count:,} terms below sum to {total:.9g}. Value of the formula: {result:.9g}; recomputed: no module of "
        "the model returns this number."
    )
    if len(derivation.terms) == 1:
        template = _(
            "The one term below is {total:.9g}. Value of the formula: {result:.9g}; recomputed: no module of the model "
            "returns this number."
        )
    return fill(template, count=len(derivation.terms), total=derivation.total, result=derivation.result)


def terms_table(derivation: Derivation) -> pd.DataFrame:
    """Every term with its factors, in the order of the sum; a click on a heading sorts."""
    most = max(len(term.factors) for term in derivation.terms)
    columns: dict[str, list[object]] = {_("term"): [term.name for term in derivation.terms]}
    for index in range(most):
        title = _("factor {number}").format(number=index + 1) if most > 1 else _("of")
        columns[title] = [term.factors[index] if index < len(term.factors) else None for term in derivation.terms]
    columns[_("value")] = [term.value for term in derivation.terms]
    return pd.DataFrame(columns)
