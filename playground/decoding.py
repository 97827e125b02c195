"""Bytes of a file to text, in the encoding that they are most probably in."""

import codecs
import re
from collections.abc import Sequence

from playground.errors import UserError

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Marks at the beginning of a file; that of UTF-16 begins one of UTF-32."""
PROBED_CHARACTERS = 20_000
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1c-\x1f]")


def decode_upload(content: str | bytes) -> str:
    """The text of an uploaded file: UTF-8, UTF-16 or UTF-32 with its mark, plain UTF-16, or a Western code page.

    Raises UserError for what is not text.

    >>> decode_upload("lößs".encode("utf-16")), decode_upload("lößs".encode("cp1252"))
    ('lößs', 'lößs')
    """
    if isinstance(content, str):
        return content.lstrip("\ufeff")
    marked = [encoding for mark, encoding in MARKS.items() if content.startswith(mark)]
    for encoding in (*marked, "utf-8-sig", *_unmarked(content), "cp1252"):
        text = _decoded(content, encoding, whole=True)
        if text is not None and "\0" not in text and not _is_control(text[:PROBED_CHARACTERS]):
            # A mark that was put before a mark is no part of the first heading.
            return text.lstrip("\ufeff")
    raise UserError("The file is not text. Save it in UTF-8.")


def _unmarked(content: bytes) -> list[str]:
    """UTF-16 without its mark: half of the bytes of most letters are zero, all on one side."""
    sides = {"utf-16-be": content[::2], "utf-16-le": content[1::2]}
    return [encoding for encoding, side in sides.items() if 2 * side.count(0) > len(side)]


def _is_control(text: str) -> bool:
    """Whether more than a tenth of the characters are control characters: bytes in the wrong encoding, or no text."""
    return 10 * len(_CONTROL.findall(text)) > len(text)


def well_formed(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair: a browser or a shell may pass one on.

    >>> well_formed("caf\\udce9"), well_formed("\\ud83d\\ude00")
    ('caf�', '😀')
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def decode_plainest(content: bytes, encodings: Sequence[str]) -> str | None:
    """The text in the encoding that gives the more small letters and the fewer control characters.

    A last character that is cut off is left out. None where the bytes are in none of the encodings.
    """
    texts = [text for encoding in encodings if (text := _decoded(content, encoding, whole=False))]
    return max(texts, key=_plainness) if texts else None


def _decoded(content: bytes, encoding: str, *, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content, final=whole)
    except UnicodeDecodeError:
        return None


def _plainness(text: str) -> int:
    return sum(letter.islower() for letter in text) - 9 * sum("\x7f" <= letter <= "\x9f" for letter in text)
