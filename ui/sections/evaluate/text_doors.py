"""From a line or a row to the pages that look at its text."""

from collections.abc import Mapping

from playground.text import _
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.parameters import MODEL, TARGET, TEXT
from ui.widgets.doors import ABLATE, ATTENTION, EVALUATE, GENERATE, TOKENS, doors

MOST_TAKEN = 1_000
"""Characters of a text that a link takes along."""


def text_doors(text: str, taken: Mapping[str, str]) -> None:
    """Nothing for an empty text, or one too long for a link. taken: the model that read it, and its target."""
    if not text.strip() or len(text) > MOST_TAKEN:
        return
    taken = {**taken, str(TEXT): text}
    links = {
        _("Look at its attention"): (ATTENTION, taken),
        _("Look at its tokens"): (TOKENS, taken),
        _("Take it apart"): (ABLATE, taken),
    }
    if str(TARGET) in taken:
        links[_("Translate this sentence")] = (GENERATE, {**taken, str(GENERATE_SECTION): "translate"})
    elif str(MODEL) in taken:
        links[_("Ask about this text")] = (GENERATE, {**taken, str(GENERATE_SECTION): "classify"})
    else:
        links[_("Measure its perplexity")] = (EVALUATE, taken)
    doors(links)
