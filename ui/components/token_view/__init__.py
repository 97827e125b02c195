"""Tokens that say more than their text: coloured in a running text or listed with bars; a click reports the index."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from playground.text import _
from ui.components.shared.payload import encode_payload
from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["TokenItem", "encode_items", "token_module", "token_view"]

Layout = Literal["text", "bars", "sentences"]
"""Chips in a running text, rows with bars, or rows with room for a whole sentence."""


@dataclass(frozen=True, kw_only=True)
class TokenItem:
    """One token: value (0 to 1) is its colour's strength or its bar's length, None no colour.

    number stands beside a bar, lines appear when one points at the token, chosen outlines it.
    """

    text: str
    special: bool = False
    value: float | None = None
    number: str = ""
    lines: tuple[str, ...] = ()
    chosen: bool = False
    clickable: bool = False


def token_module() -> str:
    """Return the component as one ES module."""
    return module("token_view", "picture token_view", shared="decode dom files tokens")


_component = register("tokens", token_module(), css=style("attention_view", "token_view"))


def token_view(
    items: Sequence[TokenItem], *, layout: Layout, label: str, key: str, provenance: Sequence[str] = ()
) -> int | None:
    """Draw the tokens; the index of the one that was clicked just now, None where none was.

    `label` says to those who cannot see it what is shown. With `provenance` the tokens can be saved as a picture, in
    which its lines say where they come from.
    """
    data = encode_items(items, layout=layout, label=label, provenance=provenance)
    picked = report_of(_component(key=key, data=data, on_picked_change=keep_report), "picked")
    if isinstance(picked, bool) or not isinstance(picked, int) or not 0 <= picked < len(items):
        return None
    return picked if items[picked].clickable else None


def encode_items(items: Sequence[TokenItem], *, layout: Layout, label: str, provenance: Sequence[str] = ()) -> bytes:
    """Return what the browser needs."""
    words = {"label": label, "notes": list(provenance), "saveLabel": _("Save as SVG")}
    return encode_payload({"items": [asdict(item) for item in items], "layout": layout, **words})
