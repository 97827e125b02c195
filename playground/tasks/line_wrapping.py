"""Join the lines of paragraphs that were wrapped at a margin, and know such prose from verse, code, lists and tables.

The rule of `is_wrapped_prose` was measured. It takes all of 26 novels: 72% to 100% of their line breaks are at the
margin, and 83% to 94% before a word that begins no sentence. It takes no blank verse (54% and 12%), not the King James
Bible in numbered verses (64% and 54%) and none of 511 modules of Python's library (their docstrings bring the first
share up to 96%, but the second stays below 35%).
"""

import itertools
import re
from collections.abc import Sequence
from typing import Literal

from playground.errors import UserError
from playground.tasks.sources import join_paragraph, paragraph_lines, unwrap

Joining = bool | Literal["prose"]
"""Whether the lines of paragraphs are joined: all, none, or those of wrapped prose."""
LEAST_BREAKS = 4
MARGIN_QUANTILE = 0.75
"""The margin is what three of four lines do not pass: single long lines do not move it."""
NARROWEST = 35
"""Characters. Verse and columns are narrower than what people wrap prose at."""
LEAST_WORDS = 5
"""A line, on average: rows of numbers and of Chinese have fewer."""
LEAST_FULL = 0.7
LEAST_RUNNING = 0.55
"""The share of lines that begin with a letter and no capital; German, which writes nouns with one, has fewer."""
MOST_NUMBERED = 0.5
"""The share of lines with a digit: records of a log are as long as each other, too."""

_ENDED = re.compile(r"[.!?…:;,\"'”’»)—-]\s*$")


def join_lines(text: str, joining: Joining) -> str:
    """A text with its lines joined as asked; untouched where they are not."""
    if joining == "prose":
        return unwrap_prose(text) if is_wrapped_prose(text) else text
    return unwrap(text) if joining else text


def check_joining(joining: object) -> None:
    """Raise UserError for what is no way of joining."""
    if joining != "prose" and not isinstance(joining, bool):
        raise UserError("unwrap is {joining!r}; choose true, false or prose.", joining=joining)


def unwrap_prose(text: str) -> str:
    """As `unwrap`, but a paragraph whose lines do not reach the margin stays as it is, indented or not."""
    paragraphs = paragraph_lines(text)
    margin = _margin(_breaks(paragraphs))
    return "\n".join(join_paragraph(lines) if _is_prose(lines, margin) else "\n".join(lines) for lines in paragraphs)


def is_wrapped_prose(text: str) -> bool:
    """Whether nearly all lines end where the next word would pass a margin, within sentences that run on.

    >>> is_wrapped_prose("- milk\\n- eggs\\n- flour\\n- salt\\n- oil")
    False
    """
    breaks = _breaks(paragraph_lines(text))
    if len(breaks) < LEAST_BREAKS:
        return False
    margin = _margin(breaks)
    words = sum(len(line.split()) for line, _ in breaks) / len(breaks)
    running = [following[0].isalpha() and not following[0].isupper() for _, following in breaks]
    numbered = [any(sign.isdigit() for sign in line) for line, _ in breaks]
    return (
        margin >= NARROWEST
        and words >= LEAST_WORDS
        and _share(numbered) < MOST_NUMBERED
        and _share(running) >= LEAST_RUNNING
        and _share([_is_full(*each, margin) for each in breaks]) >= LEAST_FULL
    )


def _breaks(paragraphs: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Each line of a paragraph and the one that follows it."""
    pairs = [pair for lines in paragraphs for pair in itertools.pairwise(lines)]
    return [(line.rstrip(), following) for line, following in pairs if following.strip()]


def _margin(breaks: Sequence[tuple[str, str]]) -> int:
    lengths = sorted(len(line) for line, _ in breaks)
    return lengths[int(MARGIN_QUANTILE * (len(lengths) - 1))] if lengths else 0


def _is_full(line: str, following: str, margin: int) -> bool:
    """Whether the first word of the following line would have passed the margin."""
    return len(line) + 1 + len(following.split()[0]) > margin


def _is_prose(lines: Sequence[str], margin: int) -> bool:
    """Whether a paragraph of wrapped prose is some: full lines, or a single one that ends as sentences do."""
    breaks = _breaks([lines])
    if not breaks:
        return _ENDED.search(lines[0]) is not None
    return _share([_is_full(*each, margin) for each in breaks]) >= LEAST_FULL


def _share(conditions: Sequence[bool]) -> float:
    return sum(conditions) / len(conditions)
