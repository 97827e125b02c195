"""What a story of the small world may say next, and how readily; and what is kept in mind of it."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from playground.tasks.tales.world import Categorical, World

Role = Literal["agreement", "pronoun", "recall"]
OPENINGS = {
    "new": 4.0,
    "old": 5.0,
    "pronoun": 3.0,
    "the": 5.0,
    "who": 2.5,
    "where": 3.0,
    "look": 0.7,
    "come": 0.7,
    "give": 0.7,
}
"""How readily a sentence begins with each; those that a story is not ready for are left out."""
PREDICATES = {"gives": 3.0, "goes": 3.0, "sees": 1.0}
INTRANSITIVE = 2.0
"""The weight of all verbs without an object, with_landmark those of PREDICATES."""
PREPOSITIONS = ("near", "by", "behind")
WITH_ADJECTIVE = 0.4
"""How often an animal has an adjective."""
WITH_LANDMARK = 0.6
"""How often an animal is near something, so that another noun stands between it and its verb."""
ENDING = 0.4
"""How often "The" begins "The end." once a story has two people."""
LOGARITHMS = (0.0, *(math.log(count) for count in range(1, 100)))


class Mark(NamedTuple):
    """A token that tests something known: where it stands, what it tests, and the wrong form (-1: any other token)."""

    position: int
    role: Role
    rival: int


@dataclass
class Person:
    """Somebody in the story: their place among the world's names, where they live, and where they are."""

    index: int
    home: int
    at: int


@dataclass
class Thing:
    """Something in the story: its adjective and noun, and who has it (their place in the cast)."""

    adjective: int
    noun: int
    holder: int


class Chances:
    """The choices of a world's stories, worked out once, and the ids of its words."""

    def __init__(self, world: World) -> None:
        self.world, self.ids = world, world.ids
        self.names, self.places = (world.table(len(part)) for part in (world.names, world.places))
        self.things, self.adjectives = (world.table(len(part)) for part in (world.things, world.adjectives))
        self.animals, self.landmarks = (world.table(len(part)) for part in (world.animals, world.landmarks))
        self.verbs = world.table(len(world.verbs))
        self.openings = {
            (people, antecedent): Categorical(_opening_weights(people, people < world.cast, antecedent))
            for people in range(world.cast + 1)
            for antecedent in (False, True)
        }
        intransitive = [INTRANSITIVE * share for share in self.verbs.probabilities]
        self.predicates = {
            can: Categorical([PREDICATES["gives"] * can, PREDICATES["goes"], PREDICATES["sees"], *intransitive])
            for can in (False, True)
        }
        self.ending = {can: Categorical([ENDING * can, 1 - ENDING * can]) for can in (False, True)}
        self.with_adjective, self.with_landmark = (
            Categorical([WITH_ADJECTIVE, 1 - WITH_ADJECTIVE]),
            Categorical([WITH_LANDMARK, 1 - WITH_LANDMARK]),
        )
        self.name_ids = [self.ids[name.word] for name in world.names]
        self.pronouns = [self.ids["She" if name.gender == "f" else "He"] for name in world.names]
        self.place_ids, self.thing_ids = (
            [self.ids[noun.singular] for noun in part] for part in (world.places, world.things)
        )
        self.adjective_ids = [self.ids[adjective.word] for adjective in world.adjectives]
        self.animal_ids, self.landmark_ids = (
            [(self.ids[noun.singular], self.ids[noun.plural]) for noun in part]
            for part in (world.animals, world.landmarks)
        )
        self.verb_ids = [(self.ids[verb.singular], self.ids[verb.plural]) for verb in world.verbs]
        self.preposition_ids = [self.ids[word] for word in PREPOSITIONS]


def _opening_weights(people: int, has_room: bool, antecedent: bool) -> list[float]:
    """The weights of OPENINGS for a story of so many people; a first sentence brings somebody in."""
    if not people:
        return [float(name == "new") for name in OPENINGS]
    ready = {"new": has_room, "pronoun": antecedent, "give": people > 1}
    return [weight * ready.get(name, True) for name, weight in OPENINGS.items()]
