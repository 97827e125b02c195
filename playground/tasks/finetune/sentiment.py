"""Opinions in templated sentences, with a ceiling that is known: one in ten says both, and its label is a coin's.

The soup was delicious.                         positive
The driver was not friendly.                    negative   (a negation turns it)
The hotel looked nice, but the staff was rude.  negative   (what stands behind `but` decides)
Some found the film clever, others found it dull.          either: nobody can know
"""

import numpy as np

from playground.tasks.finetune.rows import Rows, SplitRows

POSITIVE, NEGATIVE = "positive", "negative"
UNDECIDED = 0.1
CEILING = 1 - UNDECIDED / 2
"""The best expected accuracy that any classifier can have."""
THINGS = (
    *("soup", "coffee", "bread", "salad", "cake", "hotel", "room", "garden", "beach", "train", "ferry", "bus ride"),
    *("driver", "waiter", "guide", "teacher", "doctor", "staff", "film", "book", "concert", "play", "song", "lesson"),
    *("phone", "camera", "jacket", "chair", "lamp", "bicycle", "museum", "market"),
)
GOOD = (
    *("wonderful", "delicious", "friendly", "charming", "clever", "lovely", "excellent", "pleasant", "helpful"),
    *("comfortable", "delightful", "superb", "nice", "brilliant", "kind", "fine"),
)
BAD = (
    *("awful", "tasteless", "rude", "boring", "stupid", "ugly", "terrible", "unpleasant", "useless"),
    *("uncomfortable", "dreadful", "poor", "nasty", "dull", "unkind", "broken"),
)
OPENINGS = ("", "", "", "Honestly, ", "Last week ", "To be fair, ", "As a friend had told me, ", "This time ")
ROWS = 3_000
SEED = 20261128


def sentiment_rows(share: float) -> SplitRows:
    """All sentences, different ones, of which the last share is held out."""
    generator = np.random.default_rng(SEED)
    rows: dict[str, str] = {}
    while len(rows) < ROWS:
        text, label = _sentence(generator)
        rows.setdefault(text, label)
    texts, labels = tuple(rows), tuple(rows.values())
    cut = ROWS - max(1, min(ROWS - 1, round(share * ROWS)))
    return SplitRows(
        train=Rows(texts=texts[:cut], labels=labels[:cut]), held_out=Rows(texts=texts[cut:], labels=labels[cut:])
    )


def _sentence(generator: np.random.Generator) -> tuple[str, str]:
    """A sentence and its label."""
    if generator.random() < UNDECIDED:
        thing = _one(generator, THINGS)
        first, second = _one(generator, GOOD), _one(generator, BAD)
        label = POSITIVE if generator.random() < 0.5 else NEGATIVE
        return f"Some found the {thing} {first}, others found it {second}.", label
    make = _KINDS[int(generator.integers(len(_KINDS)))]
    body, label = make(generator)
    opening = _one(generator, OPENINGS)
    whole = opening + body
    return whole[0].upper() + whole[1:] + ".", label


def _plain(generator: np.random.Generator) -> tuple[str, str]:
    is_good = bool(generator.random() < 0.5)
    adverb = _one(generator, ("", "", "very ", "really ", "quite "))
    verb = _one(generator, ("was", "was", "seemed", "looked"))
    word = _one(generator, GOOD if is_good else BAD)
    return f"the {_one(generator, THINGS)} {verb} {adverb}{word}", POSITIVE if is_good else NEGATIVE


def _negated(generator: np.random.Generator) -> tuple[str, str]:
    is_good = bool(generator.random() < 0.5)
    verb = _one(generator, ("was not", "was never", "was not at all", "did not seem"))
    word = _one(generator, BAD if is_good else GOOD)
    return f"the {_one(generator, THINGS)} {verb} {word}", POSITIVE if is_good else NEGATIVE


def _contrast(generator: np.random.Generator) -> tuple[str, str]:
    is_good = bool(generator.random() < 0.5)
    first, second = (BAD, GOOD) if is_good else (GOOD, BAD)
    before = f"the {_one(generator, THINGS)} was {_one(generator, first)}"
    return f"{before}, but the {_one(generator, THINGS)} was {_one(generator, second)}", (
        POSITIVE if is_good else NEGATIVE
    )


def _one(generator: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(generator.integers(len(words)))]


_KINDS = (_plain, _plain, _plain, _plain, _negated, _contrast)
