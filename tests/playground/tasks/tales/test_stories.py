"""Stories: every probability that the generator reports is the true one, and every fact that is asked back holds."""

import contextlib
import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from playground.tasks.tales.chances import LOGARITHMS, Chances
from playground.tasks.tales.stories import StoryGenerator
from playground.tasks.tales.words import ADJECTIVES, ANIMALS, LANDMARKS, NAMES, PLACES, THINGS, VERBS, names
from playground.tasks.tales.world import Categorical, World, make_world, uniforms

MINIATURE = World(
    names=NAMES[:3],
    animals=ANIMALS[:1],
    landmarks=LANDMARKS[:1],
    places=PLACES[:2],
    things=THINGS[:2],
    adjectives=ADJECTIVES[:2],
    verbs=VERBS[:2],
    exponent=1.0,
)
TWO_PEOPLE = World(
    names=NAMES[:2],
    animals=ANIMALS[:1],
    landmarks=LANDMARKS[:1],
    places=PLACES[:1],
    things=THINGS[:2],
    adjectives=ADJECTIVES[:2],
    verbs=VERBS[:1],
    exponent=0.5,
)


def generated(length: int, seed: int = 0, **changes) -> tuple[World, StoryGenerator]:
    world = make_world(**{"names": 40, "exponent": 1.0, "seed": 0, **changes})
    generator = StoryGenerator(Chances(world), uniforms(np.random.default_rng(seed)))
    generator.generate(length)
    return world, generator


def text_of(world: World, generator: StoryGenerator) -> list[str]:
    return [world.words[token] for token in generator.tokens]


# The reference: all stories of a miniature world, by brute force


class EnoughError(Exception):
    """The text is long enough."""


class Scripted(StoryGenerator):
    """A generator whose choices are given; notes how probable they were and how many ways there were to choose."""

    def follow(self, script: tuple[int, ...], depth: int) -> tuple[float, list[int]]:
        self.script, self.probability, self.ways, self.depth = list(script), 1.0, [], depth
        with contextlib.suppress(EnoughError):
            self.generate(self.depth)
        return self.probability, self.ways

    def _next(self, probabilities: list[float]) -> int:
        if len(self.tokens) >= self.depth:
            raise EnoughError
        possible = [index for index, share in enumerate(probabilities) if share > 0]
        chosen = possible[self.script.pop(0) if self.script else 0]
        self.ways.append(len(possible))
        self.probability *= probabilities[chosen]
        return chosen

    def _pick(self, distribution: Categorical):
        index = self._next(distribution.probabilities)
        return index, distribution.surprisals[index]

    def _pick_other(self, distribution: Categorical, excluded):
        shares = [0.0 if index in excluded else share for index, share in enumerate(distribution.probabilities)]
        index = self._next([share / sum(shares) for share in shares])
        return index, -math.log(distribution.probabilities[index] / sum(shares))

    def _choose(self, count: int) -> int:
        return self._next([1 / count] * count)


def every_story(chances: Chances, fixed: int, depth: int):
    """Each way to choose after so many fixed choices, once: the script counts up like the digits of a number."""
    script: tuple[int, ...] | None = ()
    while script is not None:
        generator = Scripted(chances, iter(()))
        probability, ways = generator.follow(script, depth)
        yield probability, generator
        digits = [*script, *([0] * (len(ways) - len(script)))]
        script = next(
            (
                (*digits[:place], digits[place] + 1)
                for place in reversed(range(fixed, len(ways)))
                if digits[place] + 1 < ways[place]
            ),
            None,
        )


@pytest.mark.slow
@pytest.mark.parametrize(("world", "fixed", "depth"), [(MINIATURE, 0, 18), (TWO_PEOPLE, 10, 33)], ids=["wide", "deep"])
def test_each_surprisal_is_that_of_the_best_predictor_by_brute_force(world, fixed, depth):
    """Sum the probability of all ways to generate each beginning; what follows has the ratio of two such sums.

    Deep: the first two sentences, 22 tokens that introduce two people, are always the same.
    """
    beginnings: dict[tuple[int, ...], float] = defaultdict(float)
    surprisals: dict[tuple[int, ...], float] = {}
    total = 0.0
    for probability, generator in every_story(Chances(world), fixed, depth):
        total += probability
        tokens = tuple(generator.tokens[:depth])
        for end in range(len(tokens) + 1):
            beginnings[tokens[:end]] += probability
            if end:
                assert surprisals.setdefault(tokens[:end], generator.surprisals[end - 1]) == pytest.approx(
                    generator.surprisals[end - 1]
                )
    begun = 22 if fixed else 0
    assert fixed or total == pytest.approx(1)
    assert len(surprisals) > 1000
    for beginning, surprisal in surprisals.items():
        if begun < len(beginning) < depth:
            truth = -math.log(beginnings[beginning] / beginnings[beginning[:-1]])
            assert surprisal == pytest.approx(truth, abs=1e-9), [world.words[token] for token in beginning]


def test_the_chances_that_are_drawn_are_those_that_are_reported():
    """Of 4,000 stories' first names, each is as frequent as its surprisal says, within four standard errors."""
    chances = Chances(MINIATURE)
    draws = uniforms(np.random.default_rng(5))
    firsts: Counter[int] = Counter()
    said = {}
    for _ in range(4000):
        generator = StoryGenerator(chances, draws)
        generator.generate(1)
        firsts[generator.tokens[0]] += 1
        said[generator.tokens[0]] = math.exp(-generator.surprisals[0])
    assert sum(said.values()) == pytest.approx(1)
    for token, share in said.items():
        assert firsts[token] / 4000 == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 4000))


# Invariants


def sentences(world: World, generator: StoryGenerator) -> list[list[str]]:
    text = text_of(world, generator)
    return [text[begin:end] for begin, end in itertools.pairwise([0, *generator.ends])]


def test_what_is_asked_back_is_what_was_told():
    """A reader who keeps a list of who has what and who is where finds every answer."""
    world, generator = generated(6000)
    asked = Counter()
    home, at, has, last = {}, {}, {}, ""
    for sentence in sentences(world, generator):
        words = " ".join(sentence)
        subject = last if sentence[0] in ("She", "He") else sentence[0]
        match sentence:
            case [who, "lives", "in", "the", place, "and", "has", "a", adjective, thing, "."]:
                assert who not in home
                assert adjective not in {held.split()[0] for held in has}
                home[who] = at[who] = place
                has[f"{adjective} {thing}"] = who
            case [_, "gives", "the", adjective, thing, "to", other, "."]:
                assert has[f"{adjective} {thing}"] == subject != other
                has[f"{adjective} {thing}"] = other
            case [_, "goes", "to", "the", place, "."]:
                at[subject] = place
            case ["Come", "to", "the", place, ",", who, "!"]:
                at[who] = place
            case ["Give", "the", adjective, thing, "to", other, ",", who, "!"]:
                assert has[f"{adjective} {thing}"] == who != other
                has[f"{adjective} {thing}"] = other
                asked["give"] += 1
            case ["Who", "has", "the", adjective, thing, "?", who, "."]:
                assert has[f"{adjective} {thing}"] == who, words
                asked["who"] += 1
            case ["Where", "is", who, "?", "In", "the", place, "."]:
                assert at[who] == place
                asked["is"] += 1
            case ["Where", "does", who, "live", "?", "In", "the", place, "."]:
                assert home[who] == place
                asked["live"] += 1
            case ["The", "end", "."]:
                home, at, has = {}, {}, {}
                asked["end"] += 1
        if sentence[0] in ("She", "He"):
            gender = next(name.gender for name in NAMES if name.word == subject)
            assert sentence[0] == {"f": "She", "m": "He"}[gender]
        last = subject if sentence[0] in home or sentence[0] in ("She", "He") else ""
    assert all(asked[kind] > 5 for kind in ("give", "who", "is", "live", "end"))


def test_verbs_agree_with_their_animals_across_another_noun():
    world, generator = generated(20000)
    animals = {noun.singular: 0 for noun in ANIMALS} | {noun.plural: 1 for noun in ANIMALS}
    verbs = {verb.singular: 0 for verb in VERBS} | {verb.plural: 1 for verb in VERBS}
    other = 0
    for sentence in sentences(world, generator):
        if sentence[0] == "The" and sentence[1] != "end":
            animal = next(word for word in sentence if word in animals)
            assert animals[animal] == verbs[sentence[-2]]
            landmarks = [noun for noun in LANDMARKS if sentence[-3] in (noun.singular, noun.plural)]
            other += any((sentence[-3] == noun.plural) != animals[animal] for noun in landmarks)
    assert other > 100


def test_marks_stand_on_what_they_test():
    world, generator = generated(3000)
    text = text_of(world, generator)
    for mark in generator.marks:
        word, rival = text[mark.position], world.words[mark.rival] if mark.rival >= 0 else None
        if mark.role == "pronoun":
            assert {word, rival} == {"She", "He"}
        elif mark.role == "agreement":
            assert {word, rival} in [{verb.singular, verb.plural} for verb in VERBS]
        else:
            assert rival is None
            assert generator.surprisals[mark.position] == 0
    assert {mark.role for mark in generator.marks} == {"pronoun", "agreement", "recall"}


def test_the_same_random_numbers_make_the_same_stories_and_every_word_has_its_token():
    first, again, other = (generated(500, seed)[1] for seed in (1, 1, 2))
    assert first.tokens == again.tokens
    assert first.surprisals == again.surprisals
    assert first.tokens != other.tokens
    assert len(first.tokens) == len(first.surprisals) == first.ends[-1]
    assert len(first.stories) == len(first.ends)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.5])
def test_frequencies_fall_with_the_rank_as_zipf_says(exponent):
    """The slope of log frequency over log rank, of places that nobody is asked about, is minus the exponent."""
    world, generator = generated(150000, exponent=exponent, names=2)
    goals = Counter(sentence[-2] for sentence in sentences(world, generator) if sentence[1:2] == ["goes"])
    counts = [goals[place.singular] for place in world.places]
    slope = np.polyfit(np.log(np.arange(1, 9)), np.log(counts[:8]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.15)


def test_a_first_surprisal_by_hand():
    """Two names and no Zipf: the first is drawn from two, ln 2; "lives in the" is certain; then one of 18 places."""
    _, generator = generated(5, names=2, exponent=0.0)
    assert generator.surprisals[:5] == pytest.approx([math.log(2), 0, 0, 0, math.log(18)])


def test_a_table_by_hand():
    table = Categorical([3, 0, 1])
    assert table.probabilities == [0.75, 0, 0.25]
    assert table.cumulative == [0.75, 0.75, 1.0]
    assert table.surprisals == pytest.approx([math.log(4 / 3), math.inf, math.log(4)])
    assert LOGARITHMS[3] == math.log(3)


def test_a_world_can_have_many_people_who_all_differ():
    assert len({name.word for name in names(500)}) == 500
    world = make_world(names=500, exponent=0.5, seed=3)
    assert len(world.words) == len(set(world.words))
    assert world.names != names(500)
