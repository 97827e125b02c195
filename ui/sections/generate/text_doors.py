"""From any result to the pages that look at its text: attention, numbers, tokens, parts, and what it is worth."""

from collections.abc import Callable, Mapping

import streamlit as st

from playground.models import LoadedModel
from playground.text import _
from ui.sections.generate.measure_doors import text_measure_door
from ui.state.address import pack
from ui.state.parameters import QUERY, TARGET, TEXT
from ui.widgets.doors import ABLATE, ATTENTION, INSIDE, TOKENS, door
from ui.widgets.text import Texts


def show_text_doors(
    parameters: Mapping[str, str] | None = None,
    *,
    measure: Callable[[], None] | None = None,
    more: Callable[[], None] | None = None,
) -> None:
    """A row of doors with this page's context and these parameters.

    measure: the door to the page Evaluate; more: what else stands in the row.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        door(_("Look at its attention"), ATTENTION, parameters)
        door(_("Inside the model"), INSIDE, parameters)
        door(_("Its tokens"), TOKENS, parameters)
        door(_("Take it apart"), ABLATE, parameters)
        for show in (measure, more):
            if show is not None:
                show()


def show_typed_text_doors(model: LoadedModel, texts: Texts) -> None:
    """The text of the page; its perplexity, where the model has one of it alone."""
    is_alone = texts.target is None and texts.pair is None and model.kind != "encoder-decoder"
    show_text_doors(measure=(lambda: text_measure_door(texts.text)) if is_alone else None)


def text_parameters(text: str) -> dict[str, str]:
    """Another text than the page's, in which no token is chosen yet."""
    return {str(TEXT): pack(text), str(QUERY): ""}


def answer_parameters(answer: str) -> dict[str, str]:
    """What a decoder answered to the page's text."""
    return {str(TARGET): pack(answer), str(QUERY): ""}
