"""The first-run panel: three cards that open prepared states. Whoever closes it never sees it again in this browser."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from playground.text import _
from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["Card", "first_steps"]

HTML = """<section class="first-steps" hidden><div class="cards"></div>
<button type="button" class="close"></button></section>
"""
_component = register(
    "first_steps", module("first_steps", "first_steps", shared="connection"), html=HTML, css=style("first_steps")
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A question, how long its answer takes, and a picture of it: SVG paths in a square of 100 by 100."""

    question: str
    duration: str
    filled: str
    """The path that is filled with the primary colour."""
    drawn: str = ""
    """The path that is drawn as a line."""


def first_steps(cards: Sequence[Card], *, key: str) -> int | None:
    """Draw the panel; the index of the card that was clicked just now, None where none was."""
    labels = {"title": _("First steps"), "close": _("I know transformers")}
    data = {"cards": [asdict(card) for card in cards], "labels": labels}
    picked = report_of(_component(key=key, data=data, on_picked_change=keep_report), "picked")
    is_index = isinstance(picked, int) and not isinstance(picked, bool) and 0 <= picked < len(cards)
    return picked if is_index else None
