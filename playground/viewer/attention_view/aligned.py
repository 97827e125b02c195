"""The words by which two traces are compared, as the difference view takes them."""

from playground.lens.capture.words import Word
from playground.lens.comparison import Alignment
from playground.text import _
from playground.viewer.attention_view.payload import AlignedWords

NAMED = 12
"""How many of the words left out are named."""


def aligned_words(words: tuple[Alignment, Alignment]) -> AlignedWords:
    """The aligned queries and keys."""
    titles = [[_title(*pair) for pair in axis.pairs] for axis in words]
    sides = [tuple([pair[side].positions for pair in axis.pairs] for axis in words) for side in (0, 1)]
    return AlignedWords(
        queries=titles[0],
        keys=titles[1],
        left=(sides[0][0], sides[0][1]),
        right=(sides[1][0], sides[1][1]),
        notes=_notes(words[1]),
    )


def _title(left: Word, right: Word) -> str:
    """Both words where they differ."""
    return left.text if left.text.casefold() == right.text.casefold() else f"{left.text} / {right.text}"


def _notes(keys: Alignment) -> list[str]:
    """How words are compared, and which have no counterpart."""
    notes = [
        _(
            "The tokens differ, so words are compared: attention to a word is the sum over its tokens, "
            "attention from it their mean (Clark et al. 2019)."
        )
    ]
    sides = (_("Left out on the left: {words}"), _("Left out on the right: {words}"))
    for title, alone in zip(sides, keys.left_out, strict=True):
        if alone:
            listed = " ".join(word.text for word in alone[:NAMED]) + (" …" if len(alone) > NAMED else "")
            notes.append(title.format(words=listed))
    return notes
