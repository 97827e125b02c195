"""From a line or a row to the pages that look at its text."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from playground.text import _
from ui.sections.generate.text_doors import show_text_doors, text_parameters
from ui.state.address import replace_text, write_values
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.parameters import MODEL, PERPLEXITY_TEXT, SECTION, TARGET, TEXT
from ui.state.revisions import renew
from ui.widgets.doors import GENERATE, door

MOST_TAKEN = 1_000
"""Characters of a text that a link takes along."""


def row_doors(text: str, taken: Mapping[str, str]) -> None:
    """Nothing for an empty text, or one too long for a link. taken: the model that read it, and its target."""
    if not text.strip() or len(text) > MOST_TAKEN:
        return
    parameters = {**text_parameters(text), **taken}
    if str(TARGET) in taken:
        last = partial(door, _("Translate this sentence"), GENERATE, {**parameters, str(GENERATE_SECTION): "translate"})
    elif str(MODEL) in taken:
        last = partial(door, _("Ask about this text"), GENERATE, {**parameters, str(GENERATE_SECTION): "classify"})
    else:
        last = partial(_offer_perplexity, text)
    show_text_doors(parameters, measure=last)


def _offer_perplexity(text: str) -> None:
    # A link to the page itself would leave the browser's address as it was.
    st.button(
        _("Measure its perplexity"),
        key="measure_perplexity",
        icon=":material/rule:",
        type="tertiary",
        on_click=_open_perplexity,
        args=(text,),
    )


def _open_perplexity(text: str) -> None:
    replace_text(TEXT, text)
    write_values({SECTION: None, PERPLEXITY_TEXT: None})
    renew(SECTION)
    renew(PERPLEXITY_TEXT)
