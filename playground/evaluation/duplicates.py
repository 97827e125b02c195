"""Texts that stand in both parts of a table, training and test: what a model could know by heart.

Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better", section 1.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

WHITE = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class LeakedText:
    """A test text that a training row has too, up to case, white space and Unicode form."""

    test_row: int
    """From 1."""
    train_row: int
    """The first such row."""
    text: str


def leaked_texts(train: Sequence[str], test: Sequence[str]) -> list[LeakedText]:
    """Every test row whose text stands in the training part; empty texts do not count.

    >>> leaked_texts(["A  cat.", "a dog"], ["no", "a cat."])
    [LeakedText(test_row=2, train_row=1, text='a cat.')]
    """
    first: dict[str, int] = {}
    for row, text in enumerate(train, start=1):
        first.setdefault(_plain(text), row)
    return [
        LeakedText(test_row=row, train_row=first[plain], text=text)
        for row, text in enumerate(test, start=1)
        if (plain := _plain(text)) and plain in first
    ]


def both_parts(texts: Sequence[str], is_train: Sequence[bool]) -> tuple[list[str], list[str]]:
    """The texts of the training part, and those of the other one.

    >>> both_parts(["a", "b", "c"], [False, True, False])
    (['b'], ['a', 'c'])
    """
    pairs = list(zip(texts, is_train, strict=True))
    return [text for text, flag in pairs if flag], [text for text, flag in pairs if not flag]


def repeated_texts(texts: Sequence[str]) -> int:
    """How many rows repeat the text of an earlier one.

    >>> repeated_texts(["a", "A", "b", "a "])
    2
    """
    plain = [_plain(text) for text in texts]
    return len(plain) - len(set(plain))


def _plain(text: str) -> str:
    return WHITE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()
