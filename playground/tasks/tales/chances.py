"""The distributions that a story's choices are sampled from, and the state that it keeps."""

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
"""Weights of the kinds of sentence; a kind that the story so far does not allow is left out."""
PREDICATES = {"gives": 3.0, "goes": 3.0, "sees": 1.0}
INTRANSITIVE = 2.0
"""The weight of all verbs without an object together, beside those of PREDICATES."""
PREPOSITIONS = ("near", "by", "behind")
WITH_ADJECTIVE = 0.4
"""Probability that an animal has an adjective."""
WITH_LANDMARK = 0.6
"""Probability of a landmark, a second noun between the animal and its verb."""
ENDING = 0.4
"""Probability that "The" begins "The end." once a story has two people."""
LOGARITHMS = (0.0, *(math.log(count) for count in range(1, 100)))
"""Surprisal of one of `count` equally probable choices."""


class Mark(NamedTuple):
    """A token that tests what a model has learnt."""

    position: int
    role: Role
    rival: int
    """The wrong form; -1: any other token."""


@dataclass
class Person:
    """Somebody in the story."""

    index: int
    """Among the world's names."""
    home: int
    """Where they live, among the world's places."""
    at: int
    """Where they are now."""


@dataclass
class Thing:
    """Something in the story."""

    adjective: int
    noun: int
    holder: int
    """Who has it: an index in the cast."""


class Chances:
    """The distributions of a world's stories, computed once, and the ids of its words."""

    def __init__(self, world: World) -> None:
        self.world, self.ids = world, world.ids
        self.names, self.places = (world.distribution(len(part)) for part in (world.names, world.places))
        self.things, self.adjectives = (world.distribution(len(part)) for part in (world.things, world.adjectives))
        self.animals, self.landmarks = (world.distribution(len(part)) for part in (world.animals, world.landmarks))
        self.verbs = world.distribution(len(world.verbs))
        self.openings = {
            (people, has_antecedent): Categorical(_opening_weights(people, people < world.cast, has_antecedent))
            for people in range(world.cast + 1)
            for has_antecedent in (False, True)
        }
        intransitive = [INTRANSITIVE * share for share in self.verbs.probabilities]
        self.predicates = {
            can: Categorical([PREDICATES["gives"] * can, PREDICATES["goes"], PREDICATES["sees"], *intransitive])
            for can in (False, True)
        }
        self.ending = {can: Categorical([ENDING * can, 1 - ENDING * can]) for can in (False, True)}
        self.with_adjective = Categorical([WITH_ADJECTIVE, 1 - WITH_ADJECTIVE])
        self.with_landmark = Categorical([WITH_LANDMARK, 1 - WITH_LANDMARK])
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


def _opening_weights(people: int, has_room: bool, has_antecedent: bool) -> list[float]:
    """The weights of OPENINGS for a story with so many people; the first sentence introduces somebody."""
    if not people:
        return [float(name == "new") for name in OPENINGS]
    allowed = {"new": has_room, "pronoun": has_antecedent, "give": people > 1}
    return [weight * allowed.get(name, True) for name, weight in OPENINGS.items()]
