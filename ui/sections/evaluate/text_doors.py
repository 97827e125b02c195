"""From a line or a row to the pages that look at its text."""

from collections.abc import Mapping
from functools import partial

from playground.text import _
from ui.sections.generate.measure_doors import text_measure_door
from ui.sections.generate.text_doors import show_text_doors, text_parameters
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.parameters import MODEL, TARGET
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
        last = partial(text_measure_door, text)
    show_text_doors(parameters, measure=last)
