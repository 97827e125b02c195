"""A small world: its people, animals and things, their frequencies, and distributions with surprisals."""

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
"""The most people in one story."""
FUNCTION_WORDS = """the end The lives in and has a gives to goes sees near by behind Who Where is does live In
Look Come Give at She He , . ? !"""


class Categorical:
    """A categorical distribution, with the surprisal of each outcome in nats."""

    def __init__(self, weights: Sequence[float]) -> None:
        total = math.fsum(weights)
        self.probabilities = [weight / total for weight in weights]
        self.cumulative = list(itertools.accumulate(self.probabilities))
        # Rounding may leave the sum a little below 1, and bisect would then run past the last outcome.
        self.cumulative[-1] = 1.0
        self.surprisals = [-math.log(share) if share else math.inf for share in self.probabilities]


def zipf(count: int, exponent: float) -> list[float]:
    """Zipf's law: weights k^-exponent of the ranks k; an exponent of 0 makes them equal."""
    return [rank**-exponent for rank in range(1, count + 1)]


@dataclass(frozen=True, kw_only=True)
class World:
    """The words of a world, each list from the most to the least frequent."""

    names: Sequence[words.Name]
    animals: Sequence[words.Noun] = tuple(words.ANIMALS)
    landmarks: Sequence[words.Noun] = tuple(words.LANDMARKS)
    places: Sequence[words.Noun] = tuple(words.PLACES)
    things: Sequence[words.Noun] = tuple(words.THINGS)
    adjectives: Sequence[words.Adjective] = tuple(words.ADJECTIVES)
    verbs: Sequence[words.Verb] = tuple(words.VERBS)
    exponent: float = 1.0
    """Zipf's exponent of every list."""

    @cached_property
    def words(self) -> list[str]:
        """Every word and sign of the world's English; a token's id is its index here."""
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
        """Index of each word in `words`."""
        return {word: index for index, word in enumerate(self.words)}

    def distribution(self, count: int) -> Categorical:
        """Zipf's law over `count` ranks."""
        return Categorical(zipf(count, self.exponent))

    @cached_property
    def cast(self) -> int:
        """The most people a story can have: all differ, and so do their things and adjectives."""
        return min(CAST, len(self.names), len(self.things), len(self.adjectives))


def make_world(*, names: int, exponent: float, seed: int) -> World:
    """Build a world whose words have a random order of frequency; seed 0 keeps the order of words.py."""
    generator = np.random.default_rng(seed)

    def shuffled(listed: Sequence[T]) -> list[T]:
        return [listed[index] for index in generator.permutation(len(listed))] if seed else list(listed)

    return World(
        names=shuffled(words.names(names)),
        animals=shuffled(words.ANIMALS),
        landmarks=shuffled(words.LANDMARKS),
        places=shuffled(words.PLACES),
        things=shuffled(words.THINGS),
        adjectives=shuffled(words.ADJECTIVES),
        verbs=shuffled(words.VERBS),
        exponent=exponent,
    )


def uniforms(generator: np.random.Generator) -> Iterator[float]:
    """Endless uniform random numbers in [0, 1), generated in blocks because one at a time is slow."""
    while True:
        yield from generator.random(512).tolist()
