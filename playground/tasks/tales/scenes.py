"""Single scenes of the small world, each of which makes one sentence in every language."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar, get_args

from playground.tasks.tales.words import Adjective, Name, Noun, Verb
from playground.tasks.tales.world import Table, World

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
ADORNED = 0.5
"""How often a noun has an adjective."""
PRONOUN = 0.3
"""How often somebody is only She or He."""
BESIDE = 0.6
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
    def _tables(self) -> dict[int, Table]:
        world = self.world
        parts = (world.names, world.places, world.things, world.animals, world.landmarks, world.adjectives, world.verbs)
        return {len(part): world.table(len(part)) for part in parts}

    def draw(self, draws: Iterator[float]) -> Scene:
        """One scene; every kind is as likely as any other."""
        world = self.world
        person, other = self._two(world.names, draws)
        is_beside = next(draws) < BESIDE
        return Scene(
            kind=_any(get_args(SceneKind), draws),
            person=person,
            is_named=next(draws) >= PRONOUN,
            other=other,
            place=self._one(world.places, draws),
            thing=self._phrase(world.things, draws, plural=False),
            animal=self._phrase(world.animals, draws, plural=next(draws) < 0.5),
            verb=self._one(world.verbs, draws),
            preposition=_any(get_args(Preposition), draws),
            landmark=Phrase(noun=self._one(world.landmarks, draws), plural=next(draws) < 0.5) if is_beside else None,
        )

    def _one(self, part: Sequence[T], draws: Iterator[float]) -> T:
        return part[bisect.bisect(self._tables[len(part)].cumulative, next(draws))]

    def _two(self, part: Sequence[T], draws: Iterator[float]) -> tuple[T, T]:
        first = second = self._one(part, draws)
        while second is first:
            second = self._one(part, draws)
        return first, second

    def _phrase(self, nouns: Sequence[Noun], draws: Iterator[float], *, plural: bool) -> Phrase:
        adjective = self._one(self.world.adjectives, draws) if next(draws) < ADORNED else None
        return Phrase(noun=self._one(nouns, draws), plural=plural, adjective=adjective)


def _any(choices: tuple[T, ...], draws: Iterator[float]) -> T:
    return choices[int(next(draws) * len(choices))]
