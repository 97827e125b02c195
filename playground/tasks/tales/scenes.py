"""Single scenes of the small world, each of which makes one sentence in every language."""

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
"""How often a noun has an adjective."""
PRONOUN = 0.3
"""How often somebody is only She or He."""
WITH_LANDMARK = 0.6
"""How often animals are near something."""


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A noun, whether there are many, and its adjective if it has one."""

    noun: Noun
    plural: bool = False
    adjective: Adjective | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a sentence says. Only what its kind speaks of is used.

    is_named: whether the person is called by name or She or He. landmark: what the animals are near.
    """

    kind: SceneKind
    person: Name
    is_named: bool
    other: Name
    place: Noun
    thing: Phrase
    animal: Phrase
    verb: Verb
    preposition: Preposition
    landmark: Phrase | None


class Scenes:
    """Draws scenes of a world, its frequent words more often."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def _distributions(self) -> dict[int, Categorical]:
        world = self.world
        parts = (world.names, world.places, world.things, world.animals, world.landmarks, world.adjectives, world.verbs)
        return {len(part): world.table(len(part)) for part in parts}

    def sample(self, random_numbers: Iterator[float]) -> Scene:
        """One scene; every kind is as likely as any other."""
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
