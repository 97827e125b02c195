"""Lines and tables that show what a measure misses. They are texts to be measured, and are not translated."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from playground.text import N_


@dataclass(frozen=True, kw_only=True)
class LinesExample:
    """Hypotheses with their references, one sentence a line."""

    word: str
    title: str
    lesson: str
    """Translated when they are shown."""
    hypotheses: str
    references: tuple[str, ...]
    second: str = ""
    tokenizer: str = "13a"


SHORT_EXAMPLES = (
    LinesExample(
        word="clipped",
        title=N_("Seven times “the”"),
        lesson=N_(
            "Every word stands in a reference, but “the” at most twice: the precision is clipped from 7/7 to 2/7 "
            "(Papineni et al. 2002)."
        ),
        hypotheses="the the the the the the the",
        references=("the cat is on the mat", "there is a cat on the mat"),
    ),
    LinesExample(
        word="paraphrase",
        title=N_("A good paraphrase"),
        lesson=N_("The same is said in other words: nothing but the full stop matches, so BLEU is close to 0."),
        hypotheses="Nobody could open it because they had lost its key.",
        references=("The box stayed shut, since the way to unlock that was gone.",),
    ),
    LinesExample(
        word="copy",
        title=N_("A bad copy"),
        lesson=N_("One word turns the meaning round, and every measure here is delighted."),
        hypotheses="The doctor said that the new medicine is safe for small children.",
        references=("The doctor said that the new medicine is not safe for small children.",),
    ),
    LinesExample(
        word="short",
        title=N_("Too short for BLEU"),
        lesson=N_("A perfect answer of two words has no three words in a row: BLEU is 0 without the effective order."),
        hypotheses="Good morning",
        references=("Good morning",),
    ),
    LinesExample(
        word="chinese",
        title=N_("Chinese"),
        lesson=N_(
            "Chinese has no spaces: cut at spaces, a whole sentence is one word that is right or wrong. The "
            "tokenizer zh takes each character for a word; look at 13a or none beside it."
        ),
        hypotheses="猫坐在垫子上。\n孩子们在花园里玩球。",
        references=("猫坐在地毯上。\n孩子们在院子里玩球。",),
        tokenizer="zh",
    ),
)
"""Of one line or two."""


@cache
def lines_examples() -> tuple[LinesExample, ...]:
    """The examples, the first one the page's own."""
    first, second, references = _two_systems()
    systems = LinesExample(
        word="systems",
        title=N_("Two systems, 200 lines"),
        lesson=N_(
            "The second system is ahead by 0.3 BLEU. Whether 200 lines can tell is what the paired bootstrap says."
        ),
        hypotheses=first,
        references=(references,),
        second=second,
    )
    return (*SHORT_EXAMPLES, systems)


_SUBJECTS = ("The old man", "A tall girl", "My brother", "The new teacher", "Our neighbour", "The young doctor")
_VERBS = ("brought", "lost", "found", "sold", "painted", "forgot")
_OBJECTS = ("a red umbrella", "the heavy suitcase", "two wooden chairs", "the blue bicycle", "his winter coat")
_PLACES = ("at the station", "in the garden", "behind the church", "on the last train", "near the river")
_TIMES = ("yesterday evening", "before breakfast", "on Sunday", "after the storm", "in spring")
SEED = 36
"""Of the errors: the systems differ by 0.3 BLEU."""
_WRONG = ("something", "again", "there", "slowly", "one")


def _two_systems() -> tuple[str, str, str]:
    """References, and two systems that exchange a tenth of the words; the second one a few less."""
    generator = random.Random(SEED)
    parts = (_SUBJECTS, _VERBS, _OBJECTS, _PLACES, _TIMES)
    references = [" ".join(generator.choice(part) for part in parts) + "." for _ in range(200)]
    systems = [[_spoiled(line, generator, share) for line in references] for share in (0.102, 0.1)]
    return "\n".join(systems[0]), "\n".join(systems[1]), "\n".join(references)


def _spoiled(line: str, generator: random.Random, share: float) -> str:
    words: Sequence[str] = line.split()
    return " ".join(generator.choice(_WRONG) if generator.random() < share else word for word in words)


REVIEWS = """\
text,label,prediction,score,language,part
What a warm and clever film,good,good,0.93,en,train
I laughed from the first minute,good,good,0.88,en,train
The best evening of the year,good,good,0.91,en,train
Dull and far too long,bad,bad,0.12,en,train
I left before the end,bad,bad,0.22,en,train
A waste of two good hours,bad,good,0.58,en,train
Ein kluger und warmer Film,good,good,0.71,de,train
Der beste Abend des Jahres,good,bad,0.44,de,train
Langweilig und viel zu lang,bad,bad,0.31,de,train
Ich ging vor dem Ende,bad,good,0.63,de,train
A warm and funny story,good,good,0.95,en,test
Clever and never dull,good,bad,0.41,en,test
I would see the film again,good,good,0.77,en,test
Dull and far too long,bad,bad,0.12,en,test
Two hours that felt like ten,bad,bad,0.27,en,test
The end was a waste,bad,bad,0.18,en,test
I laughed only at the wrong moments,bad,good,0.69,en,test
Ein warmer Abend,good,good,0.66,de,test
Klug und nie langweilig,good,bad,0.35,de,test
Ich ging beim besten Willen zu früh,bad,good,0.55,de,test
Viel zu lang und laut,bad,bad,0.38,de,test
Der Film des Jahres,good,good,0.73,de,test
"""
"""A classifier's answers, one of whose test texts stands in the training part too."""
UNBALANCED = "text,label,prediction\n" + "".join(
    f"{text},{label},fine\n"
    for text, label in [
        *((f"Payment {number} to the baker", "fine") for number in range(101, 120)),
        ("Payment 120 to an account opened today", "fraud"),
    ]
)
"""Nineteen of twenty rows are of one class, which is always predicted."""

ASKED = """\
text,label
The film was wonderful and I would see it again.,positive
"To be fair, the lesson looked clever.",positive
What a lovely garden!,positive
My brother thought the play was excellent.,positive
The children were happy with the toys.,positive
She has a kind heart.,positive
It was not bad at all.,positive
Nobody could call the speech dull.,positive
The soup was cold and the waiter was rude.,negative
I was bored from the first page to the last.,negative
The garden was not lovely.,negative
The house was dark and dirty.,negative
"A terrible journey, and a worse hotel.",negative
The answer was stupid.,negative
"""
"""Sentences for the shipped classifier."""


@dataclass(frozen=True, kw_only=True)
class TableExample:
    """A table, and what one can learn from it."""

    title: str
    lesson: str
    table: str


TABLE_EXAMPLES = (
    TableExample(
        title=N_("Reviews with scores"),
        lesson=N_(
            "Two languages, a training and a test part: German reviews fare worse, and one test text was trained on."
        ),
        table=REVIEWS,
    ),
    TableExample(
        title=N_("Unbalanced classes"),
        lesson=N_("It always says “fine”: accuracy 95%, not one fraud found. Macro F1 and the majority baseline tell."),
        table=UNBALANCED,
    ),
)
"""Of labels with predictions."""
ASKED_EXAMPLES = (
    TableExample(
        title=N_("Sentences"),
        lesson=N_(
            "books-encoder-sentiment learned from sentences of a few patterns: praise in other words, “not bad” and "
            "“nobody could call it dull” pass for blame."
        ),
        table=ASKED,
    ),
)
"""Of texts that a loaded classifier is asked about."""
