"""Tokens coloured in a running text, or listed with bars; a click reports a token's index."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from playground.text import _
from ui.components.shared.payload import encode_payload
from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["HUES", "TokenItem", "encode_items", "token_module", "token_view"]

Layout = Literal["text", "bars", "sentences"]
"""Chips in a running text, rows with bars, or rows with room for a whole sentence."""


HUES = 8
"""Colours for kinds of tokens; the first two stand for positive and negative."""


@dataclass(frozen=True, kw_only=True)
class TokenItem:
    """One token and what is shown about it."""

    text: str
    special: bool = False
    value: float | None = None
    """Strength of the colour or length of the bar, 0 to 1; None for no colour."""
    number: str = ""
    """Beside a bar."""
    second: float | None = None
    """Length of a second bar below the first, 0 to 1; None for one bar."""
    second_number: str = ""
    """Beside the second bar."""
    removed: bool = False
    """Whether the token is crossed out, and has no second number."""
    lines: tuple[str, ...] = ()
    """In the tooltip."""
    chosen: bool = False
    """Whether the token is outlined."""
    clickable: bool = False
    tag: str = ""
    """A label behind the token in a running text."""
    plain: bool = False
    """Whether the text is no token's, so that its spaces stay spaces."""
    hue: int | None = None
    """Which of the HUES colours it; None for the page's own colour."""


def token_module() -> str:
    """The token view as one ES module."""
    return module("token_view", "rows token_view", shared="decode dom mount files tokens token_picture")


_component = register("tokens", token_module(), css=style("attention_view", "token_view"))


def token_view(
    items: Sequence[TokenItem],
    *,
    layout: Layout,
    label: str,
    key: str,
    provenance: Sequence[str] = (),
    series: Sequence[str] = (),
) -> int | None:
    """Draw the tokens; return the index of the token clicked just now, else None.

    `label` describes them to screen readers. With `provenance` they can be saved as a picture that has its lines below.
    `series` names the two bars of each row.
    """
    data = encode_items(items, layout=layout, label=label, provenance=provenance, series=series)
    picked = report_of(_component(key=key, data=data, on_picked_change=keep_report), "picked")
    if isinstance(picked, bool) or not isinstance(picked, int) or not 0 <= picked < len(items):
        return None
    return picked if items[picked].clickable else None


def encode_items(
    items: Sequence[TokenItem],
    *,
    layout: Layout,
    label: str,
    provenance: Sequence[str] = (),
    series: Sequence[str] = (),
) -> bytes:
    """Encode the tokens, with everything else that the browser needs to draw them."""
    texts = {
        "label": label,
        "notes": list(provenance),
        "saveLabel": _("Save as SVG"),
        "series": list(series),
        "removedLabel": _("removed"),
    }
    return encode_payload({"items": [_encoded(item) for item in items], "layout": layout, **texts})


def _encoded(item: TokenItem) -> dict[str, object]:
    """The item as the browser names its values."""
    values = asdict(item)
    values["secondNumber"] = values.pop("second_number")
    return values
