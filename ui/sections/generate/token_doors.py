"""Doors of a predicted token: to the heads that wrote it, and to the logit lens at its position."""

from collections.abc import Sequence

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.lens.capture.tokens import label
from playground.lens.intervene.patching import first_token_id
from playground.models import LoadedModel
from playground.text import _
from ui.state.address import write_values
from ui.state.parameters import ANSWER, GENERATE, LENS_FIRST, QUERY, SECTION
from ui.widgets.doors import ABLATE, door

_CHOSEN = "token_for_doors"


def show_token_doors(model: LoadedModel, position: int, ids: Sequence[int]) -> None:
    """Choose one of the predicted tokens, most probable first, and go on to what made it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="token_doors"):
        chosen = st.selectbox(
            _("Predicted token"),
            ids,
            key=f"{_CHOSEN}_{position}",
            format_func=lambda id: mark_spaces(label(model.tokenizer, [id])[0].text),
            label_visibility="collapsed",
            width=120,
        )
        answer = answer_for(model, chosen, is_first=chosen == ids[0])
        if answer is None:
            st.caption(_("This token cannot be typed, so no page can look for it."))
            return
        parameters = {str(QUERY): str(position), **answer}
        door(_("Which heads wrote it"), ABLATE, {str(SECTION): "writes", **parameters})
        # A link to the page itself would leave the browser's address as it was.
        st.button(
            _("In the logit lens"),
            key="to_lens",
            icon=":material/layers:",
            type="tertiary",
            on_click=_open_lens,
            args=(position, answer.get(str(ANSWER))),
        )


def _open_lens(position: int, answer: str | None) -> None:
    write_values({GENERATE: "lens", QUERY: str(position), ANSWER: answer, LENS_FIRST: None})


def show_answer_doors(position: int, answer: str) -> None:
    """From the answer whose rise is shown, the typed one or the position's prediction, to the heads that wrote it."""
    parameters = {str(QUERY): str(position), **({str(ANSWER): answer} if answer else {})}
    door(_("Which heads wrote it"), ABLATE, {str(SECTION): "writes", **parameters})


def answer_for(model: LoadedModel, token: int, *, is_first: bool) -> dict[str, str] | None:
    """The token as a page's target token: nothing for the most probable one; None where no text spells it."""
    if is_first:
        return {}
    text = label(model.tokenizer, [token])[0].text
    try:
        is_spelled = first_token_id(model, text) == token and len(text) <= ANSWER.limit
    except UserError:
        return None
    return {str(ANSWER): text} if is_spelled else None
