"""Stories of the small world: an endless text whose true probabilities are known, token by token.

    Anna lives in the forest and has a red ball. Ben lives in the mill and has a small hat. The dogs near the
    tree run. Anna gives the red ball to Ben. Who has the red ball? Ben. Where does Anna live? In the forest.

Every choice decides the next token alone, given what a reader knows from the tokens before: who is in the story,
who holds what, who is where, and of whom the last sentence spoke. So the surprise of each choice is the surprise of
its token under the best possible predictor, and their mean is the loss floor that no model gets below.
"""

import bisect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from playground.tasks.tales.chances import DEEDS, LOGARITHMS, PREPOSITIONS, Chances, Mark, Person, Role, Thing
from playground.tasks.tales.world import Table


@dataclass
class Teller:
    """Tells one story after another; keeps each token, its surprise in nats, what it tests, and where sentences end.

    A method of a sentence is told the surprise of having come to it, which is part of its first token's.
    """

    chances: Chances
    draws: Iterator[float]
    tokens: list[int] = field(default_factory=list)
    surprises: list[float] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    stories: list[int] = field(default_factory=list)
    """The number of its story, for each sentence."""
    cast: list[Person] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    spoken_of: int | None = None
    """Whom She or He would mean: the place in the cast of the last sentence's subject."""

    def tell(self, length: int) -> None:
        """Go on until there are so many tokens, and to the end of the sentence."""
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
            opening, surprise = self._pick(self.chances.openings[len(self.cast), self.spoken_of is not None])
            sentences[opening](surprise)
            self.ends.append(len(self.tokens))
            story += not self.cast

    # Chance: the three ways of choosing

    def _pick(self, table: Table) -> tuple[int, float]:
        """One of a table, and its surprise."""
        index = bisect.bisect(table.cumulative, next(self.draws))
        return index, table.surprises[index]

    def _pick_other(self, table: Table, taken: Sequence[int]) -> tuple[int, float]:
        """One of a table that is not taken, and its surprise given that."""
        index = bisect.bisect(table.cumulative, next(self.draws))
        while index in taken:
            index = bisect.bisect(table.cumulative, next(self.draws))
        left = 1 - sum(table.probabilities[place] for place in taken)
        return index, table.surprises[index] + math.log(left) if taken else table.surprises[index]

    def _choose(self, count: int) -> int:
        """One of so many, all alike; its surprise is the logarithm of their number."""
        return int(next(self.draws) * count) if count > 1 else 0

    # Words

    def _say(self, token: int, surprise: float = 0.0) -> None:
        self.tokens.append(token)
        self.surprises.append(surprise)

    def _say_words(self, *words: str) -> None:
        """Words that nobody doubts."""
        ids = self.chances.ids
        self.tokens.extend([ids[word] for word in words])
        self.surprises.extend([0.0] * len(words))

    def _mark(self, role: Role, rival: int = -1) -> None:
        """The next token tests something."""
        self.marks.append(Mark(len(self.tokens), role, rival))

    def _name(self, place: int, surprise: float = 0.0) -> None:
        self._say(self.chances.name_ids[self.cast[place].index], surprise)

    def _answer(self, *before: str, token: int) -> None:
        """What only the story so far can tell."""
        self._say_words(*before)
        self._mark("recall")
        self._say(token)
        self._say_words(".")

    def _number(self, forms: tuple[int, int], surprise: float) -> bool:
        """A noun in the singular or plural, which are equally frequent; says whether it is the plural."""
        plural = self._choose(2)
        self._say(forms[plural], surprise + LOGARITHMS[2])
        return bool(plural)

    def _thing(self, things: list[Thing]) -> Thing:
        """One of several things of the story, as "the red ball": no other is red, so the adjective says which."""
        thing = things[self._choose(len(things))]
        self._say_words("the")
        self._say(self.chances.adjective_ids[thing.adjective], LOGARITHMS[len(things)])
        self._say(self.chances.thing_ids[thing.noun])
        return thing

    def _other_name(self, place: int) -> int:
        """The name of somebody else, and their place in the cast."""
        other = self._choose(len(self.cast) - 1)
        other += other >= place
        self._name(other, LOGARITHMS[len(self.cast) - 1])
        return other

    def _destination(self) -> int:
        """A place to go to, after "to the"."""
        place, surprise = self._pick(self.chances.places)
        self._say(self.chances.place_ids[place], surprise)
        return place

    def _animal(self, surprise: float) -> bool:
        """ "dogs" or "small dogs"; says whether there are many of them."""
        adorned, more = self._pick(self.chances.adorned)
        surprise += more
        if adorned == 0:
            adjective, more = self._pick(self.chances.adjectives)
            self._say(self.chances.adjective_ids[adjective], surprise + more)
            surprise = 0.0
        animal, more = self._pick(self.chances.animals)
        return self._number(self.chances.animal_ids[animal], surprise + more)

    # Sentences

    def _new(self, surprise: float) -> None:
        """Anna lives in the forest and has a red ball."""
        chances = self.chances
        name, more = self._pick_other(chances.names, [person.index for person in self.cast])
        self._say(chances.name_ids[name], surprise + more)
        self._say_words("lives", "in", "the")
        home = self._destination()
        self._say_words("and", "has", "a")
        adjective, more = self._pick_other(chances.adjectives, [thing.adjective for thing in self.things])
        self._say(chances.adjective_ids[adjective], more)
        noun, more = self._pick_other(chances.things, [thing.noun for thing in self.things])
        self._say(chances.thing_ids[noun], more)
        self._say_words(".")
        self.spoken_of = len(self.cast)
        self.things.append(Thing(adjective, noun, self.spoken_of))
        self.cast.append(Person(name, home, home))

    def _old(self, surprise: float) -> None:
        """Anna goes to the mill."""
        self.spoken_of = self._choose(len(self.cast))
        self._name(self.spoken_of, surprise + LOGARITHMS[len(self.cast)])
        self._deed(self.spoken_of)

    def _pronoun(self, surprise: float) -> None:
        """She goes to the mill."""
        assert self.spoken_of is not None
        right = self.chances.pronouns[self.cast[self.spoken_of].index]
        both = self.chances.ids["She"] + self.chances.ids["He"]
        self._mark("pronoun", both - right)
        self._say(right, surprise)
        self._deed(self.spoken_of)

    def _deed(self, subject: int) -> None:
        """… gives the red ball to Ben. … goes to the mill. … sees the small dogs. … sleeps."""
        held = [thing for thing in self.things if thing.holder == subject]
        deed, surprise = self._pick(self.chances.deeds[bool(held) and len(self.cast) > 1])
        if deed >= len(DEEDS):
            self._say(self.chances.verb_ids[deed - len(DEEDS)][0], surprise)
        else:
            self._say(self.chances.ids[tuple(DEEDS)[deed]], surprise)
            self._object(subject, held, deed)
        self._say_words(".")

    def _object(self, subject: int, held: list[Thing], deed: int) -> None:
        """What is given to whom, where somebody goes to, or what they see."""
        if deed == 0:
            thing = self._thing(held)
            self._say_words("to")
            thing.holder = self._other_name(subject)
        elif deed == 1:
            self._say_words("to", "the")
            self.cast[subject].at = self._destination()
        else:
            self._say_words("the")
            self._animal(0.0)

    def _the(self, surprise: float) -> None:
        """The small dogs near the tree run. Or: The end."""
        self._say(self.chances.ids["The"], surprise)
        self.spoken_of = None
        ending, more = self._pick(self.chances.ending[len(self.cast) > 1])
        if ending == 0:
            self._say(self.chances.ids["end"], more)
            self.cast, self.things = [], []
        else:
            self._nature(more)
        self._say_words(".")

    def _nature(self, surprise: float) -> None:
        plural = self._animal(surprise)
        beside, surprise = self._pick(self.chances.beside)
        if beside == 0:
            preposition = self._choose(len(PREPOSITIONS))
            self._say(self.chances.preposition_ids[preposition], surprise + LOGARITHMS[len(PREPOSITIONS)])
            self._say_words("the")
            landmark, more = self._pick(self.chances.landmarks)
            self._number(self.chances.landmark_ids[landmark], more)
            surprise = 0.0
        verb, more = self._pick(self.chances.verbs)
        forms = self.chances.verb_ids[verb]
        self._mark("agreement", forms[not plural])
        self._say(forms[plural], surprise + more)

    def _who(self, surprise: float) -> None:
        """Who has the red ball? Ben."""
        self._say(self.chances.ids["Who"], surprise)
        self._say_words("has")
        thing = self._thing(self.things)
        self._say_words("?")
        self._answer(token=self.chances.name_ids[self.cast[thing.holder].index])
        self.spoken_of = None

    def _where(self, surprise: float) -> None:
        """Where is Anna? In the mill. Where does Anna live? In the forest."""
        self._say(self.chances.ids["Where"], surprise)
        asks_home = bool(self._choose(2))
        self._say(self.chances.ids["does" if asks_home else "is"], LOGARITHMS[2])
        place = self._choose(len(self.cast))
        self._name(place, LOGARITHMS[len(self.cast)])
        person = self.cast[place]
        self._say_words(*(("live", "?") if asks_home else ("?",)))
        self._answer("In", "the", token=self.chances.place_ids[person.home if asks_home else person.at])
        self.spoken_of = None

    def _look(self, surprise: float) -> None:
        """Look at the small dogs!"""
        self._say(self.chances.ids["Look"], surprise)
        self._say_words("at", "the")
        self._animal(0.0)
        self._say_words("!")
        self.spoken_of = None

    def _come(self, surprise: float) -> None:
        """Come to the mill, Anna! She is there from now on."""
        self._say(self.chances.ids["Come"], surprise)
        self._say_words("to", "the")
        destination = self._destination()
        self._say_words(",")
        place = self._choose(len(self.cast))
        self._name(place, LOGARITHMS[len(self.cast)])
        self._say_words("!")
        self.cast[place].at = destination
        self.spoken_of = None

    def _give(self, surprise: float) -> None:
        """Give the red ball to Ben, Anna! Only who has it can be meant, and Ben has it from now on."""
        self._say(self.chances.ids["Give"], surprise)
        thing = self._thing(self.things)
        self._say_words("to")
        receiver = self._other_name(thing.holder)
        self._say_words(",")
        self._mark("recall")
        self._name(thing.holder)
        self._say_words("!")
        thing.holder = receiver
        self.spoken_of = None
