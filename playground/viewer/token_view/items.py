"""Tokens and what is shown about them, as bytes for the browser."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from playground.text import _
from playground.viewer.shared.bundle import joined_modules, joined_sheets
from playground.viewer.shared.payload import encode_payload

HERE = Path(__file__).parent
CSS = joined_sheets(HERE.parent / "attention_view", HERE)

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
    return joined_modules(HERE, "rows token_view", shared="decode connection dom mount files tokens token_picture")


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
        "saveLabel": _("Download SVG"),
        "series": list(series),
        "removedLabel": _("removed"),
    }
    return encode_payload({"items": [_encoded(item) for item in items], "layout": layout, **texts})


def _encoded(item: TokenItem) -> dict[str, object]:
    """The item as the browser names its values."""
    values = asdict(item)
    values["secondNumber"] = values.pop("second_number")
    return values
