"""The language of the page: every text a person reads passes through `_`."""

import gettext
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parent.parent / "assets" / "locale"


def _(message: str) -> str:
    """Return the message in the reader's language; English where no catalogue is installed."""
    return gettext.translation("playground", CATALOGUES, fallback=True).gettext(message)
