"""A number that was clicked: the formula that made it, and every term of its sum, which together are the number."""

import functools
from collections.abc import Callable

import pandas as pd
import streamlit as st

from playground.lens.inspect.steps.accounts import Account, Number, account, read_number, split_stream
from playground.lens.inspect.steps.layer import HeadInside
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.jobs import ask
from ui.sections.inside.step_parts import Stage

Tell = Callable[[Number], Account | None]
TABLE_PIXELS, ROW_PIXELS = 248, 35
WORDS_LENGTH = 600


def teller(reading: Reading, found: HeadInside) -> Tell:
    """What tells of the numbers of one head; those of the stream take one more pass."""

    def tell(number: Number) -> Account | None:
        if number.symbol != "r" or account(found, number).is_known:
            return account(found, number)
        place = (found.layer, found.query_position, found.kind)
        words = _("Reading what was written before …")
        parts = ask(reading, ("stream", *place), words, lambda _on_run: (reading.trace.stream_parts(*place),))
        return None if parts is None else split_stream(found, number.place, parts[0])

    return tell


def picked_number(stage: Stage) -> Number | None:
    """The number of this stage that the address names, if the stage shows it."""
    for entry in _entries():
        name, _colon, word = entry.partition(":")
        number = read_number(word)
        if name == stage.name and number is not None and any(one.cell(number) for one in stage.pictures):
            return number
    return None


def pick_number(stage: Stage, number: Number | None) -> None:
    """Put the stage's number into the address in place of its last one; None takes it out."""
    kept = [entry for entry in _entries() if not entry.startswith(f"{stage.name}:")]
    kept += [] if number is None else [f"{stage.name}:{number.word}"]
    state.write_text(state.NUMBERS, ",".join(kept) or None)


def _entries() -> list[str]:
    return [entry for entry in state.read_text(state.NUMBERS, "", limit=WORDS_LENGTH).split(",") if entry]


def show_account(stage: Stage, told: Account) -> None:
    """The number with its formula, all terms in a table, and that they make the number."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(f"`{told.name} = {told.formula or '…'}` `= {told.value:.6g}`", width="stretch")
            key, close = f"close_{stage.name}", functools.partial(pick_number, stage, None)
            # The icon is the label: a second one beside it would be cut off.
            st.button(":material/close:", key=key, type="tertiary", help=_("Close"), on_click=close)
        st.caption(sentence(told))
        if told.terms:
            table = terms_table(told)
            height = min(TABLE_PIXELS, ROW_PIXELS * (len(table) + 1) + 3)
            numbers = {name: st.column_config.NumberColumn(format="%.6g") for name in table.columns[1:]}
            st.dataframe(table, height=height, hide_index=True, key=f"terms_{stage.name}", column_config=numbers)


def sentence(told: Account) -> str:
    """How the terms make the number, or why there are none."""
    if not told.is_known:
        return _("How this family makes this number is not shown by its modules; its value is the model's own.")
    if not told.terms:
        return _("A learned number, or one that another token brings along: no product makes it here.")
    words = _(
        "The {count:,} terms below sum to {total:.9g}. The formula gives {result:.9g}, the model has {value:.9g}."
    )
    if len(told.terms) == 1:
        words = _("The one term below is {total:.9g}. The formula gives {result:.9g}, the model has {value:.9g}.")
    said = words.format(count=len(told.terms), total=told.total, result=told.result, value=told.value)
    return said + " " + _("They are {difference:.1g} apart.").format(difference=told.difference)


def terms_table(told: Account) -> pd.DataFrame:
    """Every term with its factors, in the order of the sum; a click on a heading sorts."""
    most = max(len(term.factors) for term in told.terms)
    columns: dict[str, list[object]] = {_("term"): [term.name for term in told.terms]}
    for place in range(most):
        title = _("factor {number}").format(number=place + 1) if most > 1 else _("of")
        columns[title] = [term.factors[place] if place < len(term.factors) else None for term in told.terms]
    columns[_("value")] = [term.value for term in told.terms]
    return pd.DataFrame(columns)
