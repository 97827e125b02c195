"""A small world: who and what there is in it, how often each is spoken of, and chances that know their surprisal."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from playground.tasks.tales import words

T = TypeVar("T")
CAST = 3
"""At most so many people are in one story."""
FUNCTION_WORDS = """the end The lives in and has a gives to goes sees near by behind Who Where is does live In
Look Come Give at She He , . ? !"""


class Categorical:
    """A choice between a few things: their probabilities, and the surprisal of each in nats."""

    def __init__(self, weights: Sequence[float]) -> None:
        total = math.fsum(weights)
        self.probabilities = [weight / total for weight in weights]
        self.cumulative = list(itertools.accumulate(self.probabilities))
        # What bisect finds above the last one, where rounding leaves the sum a little below 1.
        self.cumulative[-1] = 1.0
        self.surprisals = [-math.log(share) if share else math.inf for share in self.probabilities]


def zipf(count: int, exponent: float) -> list[float]:
    """Weights that fall with the rank k as k^-exponent; 0 makes all alike."""
    return [rank**-exponent for rank in range(1, count + 1)]


@dataclass(frozen=True, kw_only=True)
class World:
    """Who and what there is, the most frequent first, and how steep the frequencies fall (Zipf's exponent)."""

    names: Sequence[words.Name]
    animals: Sequence[words.Noun] = tuple(words.ANIMALS)
    landmarks: Sequence[words.Noun] = tuple(words.LANDMARKS)
    places: Sequence[words.Noun] = tuple(words.PLACES)
    things: Sequence[words.Noun] = tuple(words.THINGS)
    adjectives: Sequence[words.Adjective] = tuple(words.ADJECTIVES)
    verbs: Sequence[words.Verb] = tuple(words.VERBS)
    exponent: float = 1.0

    @cached_property
    def words(self) -> list[str]:
        """Every word and sign of the world's English; a token's id is its place here."""
        nouns = [*self.animals, *self.landmarks]
        forms = [
            *(name.word for name in self.names),
            *(form for noun in nouns for form in (noun.singular, noun.plural)),
            *(noun.singular for noun in (*self.places, *self.things)),
            *(adjective.word for adjective in self.adjectives),
            *(form for verb in self.verbs for form in (verb.singular, verb.plural)),
        ]
        return list(dict.fromkeys([*FUNCTION_WORDS.split(), *forms]))

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word."""
        return {word: index for index, word in enumerate(self.words)}

    def table(self, count: int) -> Categorical:
        """A choice among the first `count` things of the world, by Zipf's law."""
        return Categorical(zipf(count, self.exponent))

    @cached_property
    def cast(self) -> int:
        """How many people a story can have: all differ, and their things and adjectives do, too."""
        return min(CAST, len(self.names), len(self.things), len(self.adjectives))


def make_world(*, names: int, exponent: float, seed: int) -> World:
    """The world with its words in a random order of frequency; seed 0 leaves them as they are listed."""
    generator = np.random.default_rng(seed)

    def mixed(given: Sequence[T]) -> list[T]:
        return [given[index] for index in generator.permutation(len(given))] if seed else list(given)

    return World(
        names=mixed(words.names(names)),
        animals=mixed(words.ANIMALS),
        landmarks=mixed(words.LANDMARKS),
        places=mixed(words.PLACES),
        things=mixed(words.THINGS),
        adjectives=mixed(words.ADJECTIVES),
        verbs=mixed(words.VERBS),
        exponent=exponent,
    )


def uniforms(generator: np.random.Generator) -> Iterator[float]:
    """An endless row of numbers from 0 up to 1; drawn in blocks, because one at a time is slow."""
    while True:
        yield from generator.random(512).tolist()
