"""One text in two tokenizers: which cuts they share."""

from dataclasses import dataclass

from playground.errors import UserError
from playground.tokens.tokenization import Tokenization


@dataclass(frozen=True, kw_only=True)
class SharedBoundaries:
    """The cuts of two tokenizers within one text."""

    shared: int
    """Cuts of both."""
    left: int
    """Cuts of the first one."""
    right: int
    same: tuple[tuple[bool, ...], tuple[bool, ...]]
    """Of each token, with the template's: whether the other tokenizer has a token of the same characters."""

    @property
    def agreement(self) -> float:
        """Shared cuts as a share of all cuts; 1 where neither cuts."""
        union = self.left + self.right - self.shared
        return self.shared / union if union else 1.0


def compare_boundaries(left: Tokenization, right: Tokenization) -> SharedBoundaries:
    """Compare where two tokenizers cut one text; spaces at a token's edge are nobody's.

    Raises UserError for a tokenizer that does not say where its tokens stand.
    """
    if left.algorithm is None or right.algorithm is None:
        raise UserError("A tokenizer that is written in Python does not say where its tokens stand in the text.")
    spans = [[_trimmed(side.text, token.start, token.end) for token in side.tokens] for side in (left, right)]
    cuts = [
        {span[1] for span in each if span is not None and not side.text[slice(*span)].isspace()}
        for side, each in zip((left, right), spans, strict=True)
    ]
    last = [max(ends, default=0) for ends in cuts]
    inner = [ends - {end} for ends, end in zip(cuts, last, strict=True)]
    known = [set(side) - {None} for side in spans]
    return SharedBoundaries(
        shared=len(inner[0] & inner[1]),
        left=len(inner[0]),
        right=len(inner[1]),
        same=(
            tuple(span in known[1] for span in spans[0]),
            tuple(span in known[0] for span in spans[1]),
        ),
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A span without spaces at its edges, or of nothing but spaces; None for a token without characters."""
    stretch = text[start:end]
    if not stretch or stretch.isspace():
        return (start, end) if stretch else None
    return end - len(stretch.lstrip()), start + len(stretch.rstrip())
