"""Single scenes of the small world: each is one sentence in every language."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar, get_args

from playground.tasks.tales.words import Adjective, Name, Noun, Verb
from playground.tasks.tales.world import Categorical, World

T = TypeVar("T")
SceneKind = Literal[
    "lives",
    "acts",
    "has",
    "gives",
    "goes",
    "comes",
    "sees",
    "nature",
    "who",
    "where",
    "animals",
    "look",
    "come",
    "give",
]
Preposition = Literal["near", "by", "behind"]
QUESTIONS: tuple[SceneKind, ...] = ("who", "where", "animals")
COMMANDS: tuple[SceneKind, ...] = ("look", "come", "give")
WITH_ADJECTIVE = 0.5
"""Probability that a noun has an adjective."""
PRONOUN = 0.3
"""Probability that a person is only She or He."""
WITH_LANDMARK = 0.6
"""Probability that animals are near something."""


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A noun phrase."""

    noun: Noun
    plural: bool = False
    adjective: Adjective | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The meaning of a sentence; each kind of scene uses some of the fields."""

    kind: SceneKind
    person: Name
    is_named: bool
    """By name, not She or He."""
    other: Name
    """Who is given something."""
    place: Noun
    thing: Phrase
    animal: Phrase
    verb: Verb
    preposition: Preposition
    landmark: Phrase | None
    """What the animals are near."""


class Scenes:
    """Sample scenes of a world by its word frequencies."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def _distributions(self) -> dict[int, Categorical]:
        world = self.world
        parts = (world.names, world.places, world.things, world.animals, world.landmarks, world.adjectives, world.verbs)
        return {len(part): world.distribution(len(part)) for part in parts}

    def sample(self, random_numbers: Iterator[float]) -> Scene:
        """A scene; all kinds are equally probable. The order of the random numbers is part of every held-out set."""
        world = self.world
        person, other = self._sample_two(world.names, random_numbers)
        has_landmark = next(random_numbers) < WITH_LANDMARK
        return Scene(
            kind=_sample_uniformly(get_args(SceneKind), random_numbers),
            person=person,
            is_named=next(random_numbers) >= PRONOUN,
            other=other,
            place=self._sample_one(world.places, random_numbers),
            thing=self._phrase(world.things, random_numbers, plural=False),
            animal=self._phrase(world.animals, random_numbers, plural=next(random_numbers) < 0.5),
            verb=self._sample_one(world.verbs, random_numbers),
            preposition=_sample_uniformly(get_args(Preposition), random_numbers),
            landmark=Phrase(noun=self._sample_one(world.landmarks, random_numbers), plural=next(random_numbers) < 0.5)
            if has_landmark
            else None,
        )

    def _sample_one(self, part: Sequence[T], random_numbers: Iterator[float]) -> T:
        return part[bisect.bisect(self._distributions[len(part)].cumulative, next(random_numbers))]

    def _sample_two(self, part: Sequence[T], random_numbers: Iterator[float]) -> tuple[T, T]:
        first = second = self._sample_one(part, random_numbers)
        while second is first:
            second = self._sample_one(part, random_numbers)
        return first, second

    def _phrase(self, nouns: Sequence[Noun], random_numbers: Iterator[float], *, plural: bool) -> Phrase:
        adjective = (
            self._sample_one(self.world.adjectives, random_numbers) if next(random_numbers) < WITH_ADJECTIVE else None
        )
        return Phrase(noun=self._sample_one(nouns, random_numbers), plural=plural, adjective=adjective)


def _sample_uniformly(choices: tuple[T, ...], random_numbers: Iterator[float]) -> T:
    return choices[int(next(random_numbers) * len(choices))]
