"""Tokens that say more than their text: coloured in their place, or listed with bars; a click reports its place."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from playground.text import _
from ui.components.attention_view.assets import CSS as ATTENTION_CSS
from ui.components.shared.bundle import bundle
from ui.components.shared.payload import encode_payload

__all__ = ["TokenItem", "encode_items", "token_module", "token_view"]

HERE = Path(__file__).parent
_MODULES = [
    *(HERE.parent / "attention_view" / "js" / f"{name}.js" for name in ("decode", "dom", "files", "tokens")),
    *(HERE / "js" / f"{name}.js" for name in ("picture", "token_view")),
]
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
    return bundle(_MODULES)


_component = st.components.v2.component(
    "playground_tokens",
    html='<div class="root"></div>',
    css=ATTENTION_CSS + (HERE / "token_view.css").read_text(encoding="utf-8"),
    js=token_module(),
)


def token_view(
    items: Sequence[TokenItem], *, layout: Layout, label: str, key: str, provenance: Sequence[str] = ()
) -> int | None:
    """Draw the tokens; the place of the one that was clicked just now, None where none was.

    `label` says to those who cannot see it what is shown. With `provenance` the tokens can be saved as a picture, in
    which its lines say where they come from.
    """
    data = encode_items(items, layout=layout, label=label, provenance=provenance)
    result = _component(key=key, data=data, on_picked_change=_nothing)
    picked = result.get("picked") if isinstance(result, Mapping) else None
    if isinstance(picked, bool) or not isinstance(picked, int) or not 0 <= picked < len(items):
        return None
    return picked if items[picked].clickable else None


def encode_items(items: Sequence[TokenItem], *, layout: Layout, label: str, provenance: Sequence[str] = ()) -> bytes:
    """Return what the browser needs."""
    words = {"label": label, "notes": list(provenance), "saveLabel": _("Save as SVG")}
    return encode_payload({"items": [asdict(item) for item in items], "layout": layout, **words})


def _nothing() -> None:
    """Do nothing; Streamlit keeps a component's trigger key only when a callback names it."""
