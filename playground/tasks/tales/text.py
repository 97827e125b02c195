"""Stories of the small world as plain English, sentence by sentence, for tasks that read text."""

from itertools import groupby, pairwise

import numpy as np

from playground.tasks.tales.chances import Chances
from playground.tasks.tales.stories import Teller
from playground.tasks.tales.tales_task import FIRST_WORD
from playground.tasks.tales.world import World, make_world, uniforms
from playground.tasks.vocabulary import word_vocabulary

NAMES = 40


def ordinary_world() -> World:
    """The world as it is listed: forty people, frequencies by Zipf's law."""
    return make_world(names=NAMES, exponent=1.0, seed=0)


def told_stories(world: World, *, words: int, seed: int = 0) -> list[list[str]]:
    """Stories of together at least so many words and signs; each a list of its sentences."""
    teller = Teller(Chances(world), uniforms(np.random.default_rng(seed)))
    teller.tell(words)
    tokenizer = word_vocabulary(world.words)
    ids = np.array(teller.tokens) + FIRST_WORD
    sentences = tokenizer.decode_batch([ids[begin:end].tolist() for begin, end in pairwise([0, *teller.ends])])
    numbered = zip(teller.stories, sentences, strict=True)
    return [[sentence for _, sentence in told] for _, told in groupby(numbered, key=lambda pair: pair[0])]
