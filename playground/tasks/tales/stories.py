"""Stories of the small world: endless text whose true probabilities are known, token by token.

    Anna lives in the forest and has a red ball. Ben lives in the mill and has a small hat. The dogs near the
    tree run. Anna gives the red ball to Ben. Who has the red ball? Ben. Where does Anna live? In the forest.

Every choice decides the next token alone, given what the tokens before say: who is in the story, who holds what, who
is where, and who the subject of the last sentence was. So the surprisal of a choice is that of its token under the
best possible predictor, and the mean surprisal is the entropy: the loss floor that no model gets below.
"""

import bisect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from playground.tasks.tales.chances import LOGARITHMS, PREDICATES, PREPOSITIONS, Chances, Mark, Person, Role, Thing
from playground.tasks.tales.world import Categorical


@dataclass
class StoryGenerator:
    """Generate one story after another, token by token, with the surprisal of each token.

    The method of a kind of sentence takes the surprisal of that kind, which is part of its first token's.
    """

    chances: Chances
    random_numbers: Iterator[float]
    """Uniform in [0, 1); the order in which they are used decides every held-out set."""
    tokens: list[int] = field(default_factory=list)
    surprisals: list[float] = field(default_factory=list)
    """Of each token, in nats."""
    marks: list[Mark] = field(default_factory=list)
    """The tokens that test something."""
    ends: list[int] = field(default_factory=list)
    """Where each sentence ends, in tokens."""
    stories: list[int] = field(default_factory=list)
    """The story of each sentence."""
    cast: list[Person] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    antecedent: int | None = None
    """Whom She or He refers to: the subject of the last sentence, as an index in the cast."""

    def generate(self, length: int) -> None:
        """Add sentences until there are at least `length` tokens."""
        sentences: tuple[Callable[[float], None], ...] = (
            self._new,
            self._old,
            self._pronoun,
            self._the,
            self._who,
            self._where,
            self._look,
            self._come,
            self._give,
        )
        story = 0
        while len(self.tokens) < length:
            self.stories.append(story)
            opening, surprisal = self._pick(self.chances.openings[len(self.cast), self.antecedent is not None])
            sentences[opening](surprisal)
            self.ends.append(len(self.tokens))
            story += not self.cast

    # Three ways to sample

    def _pick(self, distribution: Categorical) -> tuple[int, float]:
        """An outcome, and its surprisal."""
        index = bisect.bisect(distribution.cumulative, next(self.random_numbers))
        return index, distribution.surprisals[index]

    def _pick_other(self, distribution: Categorical, excluded: Sequence[int]) -> tuple[int, float]:
        """An outcome that is not excluded (by rejection sampling), and its surprisal given that."""
        index = bisect.bisect(distribution.cumulative, next(self.random_numbers))
        while index in excluded:
            index = bisect.bisect(distribution.cumulative, next(self.random_numbers))
        remaining = 1 - sum(distribution.probabilities[outcome] for outcome in excluded)
        return index, distribution.surprisals[index] + math.log(remaining) if excluded else distribution.surprisals[
            index
        ]

    def _choose(self, count: int) -> int:
        """One of `count` equally probable choices; its surprisal is LOGARITHMS[count]."""
        return int(next(self.random_numbers) * count) if count > 1 else 0

    # Words

    def _emit(self, token: int, surprisal: float = 0.0) -> None:
        self.tokens.append(token)
        self.surprisals.append(surprisal)

    def _emit_words(self, *words: str) -> None:
        """Words that are certain here: their surprisal is 0."""
        ids = self.chances.ids
        self.tokens.extend([ids[word] for word in words])
        self.surprisals.extend([0.0] * len(words))

    def _mark(self, role: Role, rival: int = -1) -> None:
        """Note that the next token tests something."""
        self.marks.append(Mark(len(self.tokens), role, rival))

    def _name(self, person: int, surprisal: float = 0.0) -> None:
        self._emit(self.chances.name_ids[self.cast[person].index], surprisal)

    def _answer(self, *before: str, token: int) -> None:
        """An answer that follows from the story so far alone."""
        self._emit_words(*before)
        self._mark("recall")
        self._emit(token)
        self._emit_words(".")

    def _number(self, forms: tuple[int, int], surprisal: float) -> bool:
        """A noun in the singular or plural, equally probable; True for the plural."""
        plural = self._choose(2)
        self._emit(forms[plural], surprisal + LOGARITHMS[2])
        return bool(plural)

    def _thing(self, things: list[Thing]) -> Thing:
        """One of the things, as "the red ball": no two share an adjective, so the adjective carries the surprisal."""
        thing = things[self._choose(len(things))]
        self._emit_words("the")
        self._emit(self.chances.adjective_ids[thing.adjective], LOGARITHMS[len(things)])
        self._emit(self.chances.thing_ids[thing.noun])
        return thing

    def _other_name(self, person: int) -> int:
        """The name of somebody else; their index in the cast."""
        other = self._choose(len(self.cast) - 1)
        other += other >= person
        self._name(other, LOGARITHMS[len(self.cast) - 1])
        return other

    def _destination(self) -> int:
        """A place, after "to the" or "in the"; its index."""
        place, surprisal = self._pick(self.chances.places)
        self._emit(self.chances.place_ids[place], surprisal)
        return place

    def _animal(self, surprisal: float) -> bool:
        """ "dogs" or "small dogs"; True for the plural."""
        with_adjective, more = self._pick(self.chances.with_adjective)
        surprisal += more
        if with_adjective == 0:
            adjective, more = self._pick(self.chances.adjectives)
            self._emit(self.chances.adjective_ids[adjective], surprisal + more)
            surprisal = 0.0
        animal, more = self._pick(self.chances.animals)
        return self._number(self.chances.animal_ids[animal], surprisal + more)

    # Sentences

    def _new(self, surprisal: float) -> None:
        """Anna lives in the forest and has a red ball."""
        chances = self.chances
        name, more = self._pick_other(chances.names, [person.index for person in self.cast])
        self._emit(chances.name_ids[name], surprisal + more)
        self._emit_words("lives", "in", "the")
        home = self._destination()
        self._emit_words("and", "has", "a")
        adjective, more = self._pick_other(chances.adjectives, [thing.adjective for thing in self.things])
        self._emit(chances.adjective_ids[adjective], more)
        noun, more = self._pick_other(chances.things, [thing.noun for thing in self.things])
        self._emit(chances.thing_ids[noun], more)
        self._emit_words(".")
        self.antecedent = len(self.cast)
        self.things.append(Thing(adjective, noun, self.antecedent))
        self.cast.append(Person(name, home, home))

    def _old(self, surprisal: float) -> None:
        """Anna goes to the mill."""
        self.antecedent = self._choose(len(self.cast))
        self._name(self.antecedent, surprisal + LOGARITHMS[len(self.cast)])
        self._predicate(self.antecedent)

    def _pronoun(self, surprisal: float) -> None:
        """She goes to the mill."""
        assert self.antecedent is not None
        right = self.chances.pronouns[self.cast[self.antecedent].index]
        both = self.chances.ids["She"] + self.chances.ids["He"]
        self._mark("pronoun", both - right)
        self._emit(right, surprisal)
        self._predicate(self.antecedent)

    def _predicate(self, subject: int) -> None:
        """… gives the red ball to Ben. … goes to the mill. … sees the small dogs. … sleeps."""
        held = [thing for thing in self.things if thing.holder == subject]
        predicate, surprisal = self._pick(self.chances.predicates[bool(held) and len(self.cast) > 1])
        if predicate >= len(PREDICATES):
            self._emit(self.chances.verb_ids[predicate - len(PREDICATES)][0], surprisal)
        else:
            self._emit(self.chances.ids[tuple(PREDICATES)[predicate]], surprisal)
            self._object(subject, held, predicate)
        self._emit_words(".")

    def _object(self, subject: int, held: list[Thing], predicate: int) -> None:
        """The object of gives, goes or sees."""
        if predicate == 0:
            thing = self._thing(held)
            self._emit_words("to")
            thing.holder = self._other_name(subject)
        elif predicate == 1:
            self._emit_words("to", "the")
            self.cast[subject].at = self._destination()
        else:
            self._emit_words("the")
            self._animal(0.0)

    def _the(self, surprisal: float) -> None:
        """The small dogs near the tree run. Or: The end."""
        self._emit(self.chances.ids["The"], surprisal)
        self.antecedent = None
        ending, more = self._pick(self.chances.ending[len(self.cast) > 1])
        if ending == 0:
            self._emit(self.chances.ids["end"], more)
            self.cast, self.things = [], []
        else:
            self._nature(more)
        self._emit_words(".")

    def _nature(self, surprisal: float) -> None:
        plural = self._animal(surprisal)
        with_landmark, surprisal = self._pick(self.chances.with_landmark)
        if with_landmark == 0:
            preposition = self._choose(len(PREPOSITIONS))
            self._emit(self.chances.preposition_ids[preposition], surprisal + LOGARITHMS[len(PREPOSITIONS)])
            self._emit_words("the")
            landmark, more = self._pick(self.chances.landmarks)
            self._number(self.chances.landmark_ids[landmark], more)
            surprisal = 0.0
        verb, more = self._pick(self.chances.verbs)
        forms = self.chances.verb_ids[verb]
        self._mark("agreement", forms[not plural])
        self._emit(forms[plural], surprisal + more)

    def _who(self, surprisal: float) -> None:
        """Who has the red ball? Ben."""
        self._emit(self.chances.ids["Who"], surprisal)
        self._emit_words("has")
        thing = self._thing(self.things)
        self._emit_words("?")
        self._answer(token=self.chances.name_ids[self.cast[thing.holder].index])
        self.antecedent = None

    def _where(self, surprisal: float) -> None:
        """Where is Anna? In the mill. Where does Anna live? In the forest."""
        self._emit(self.chances.ids["Where"], surprisal)
        asks_home = bool(self._choose(2))
        self._emit(self.chances.ids["does" if asks_home else "is"], LOGARITHMS[2])
        index = self._choose(len(self.cast))
        self._name(index, LOGARITHMS[len(self.cast)])
        person = self.cast[index]
        self._emit_words(*(("live", "?") if asks_home else ("?",)))
        self._answer("In", "the", token=self.chances.place_ids[person.home if asks_home else person.at])
        self.antecedent = None

    def _look(self, surprisal: float) -> None:
        """Look at the small dogs!"""
        self._emit(self.chances.ids["Look"], surprisal)
        self._emit_words("at", "the")
        self._animal(0.0)
        self._emit_words("!")
        self.antecedent = None

    def _come(self, surprisal: float) -> None:
        """Come to the mill, Anna! From now on she is there."""
        self._emit(self.chances.ids["Come"], surprisal)
        self._emit_words("to", "the")
        destination = self._destination()
        self._emit_words(",")
        person = self._choose(len(self.cast))
        self._name(person, LOGARITHMS[len(self.cast)])
        self._emit_words("!")
        self.cast[person].at = destination
        self.antecedent = None

    def _give(self, surprisal: float) -> None:
        """Give the red ball to Ben, Anna! The name must be the holder's; from now on Ben has it."""
        self._emit(self.chances.ids["Give"], surprisal)
        thing = self._thing(self.things)
        self._emit_words("to")
        receiver = self._other_name(thing.holder)
        self._emit_words(",")
        self._mark("recall")
        self._name(thing.holder)
        self._emit_words("!")
        thing.holder = receiver
        self.antecedent = None
