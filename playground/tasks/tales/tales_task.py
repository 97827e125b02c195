"""Language modelling on the stories of a small world. Right is a probability as high as the world's own.

The world's true probabilities are known, so the held-out loss stands beside the lowest loss that is possible, and
what must be known for it is asked apart: the verb's number across another noun, She or He, who has what and is where.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.tasks.tales.chances import Chances, Mark, Role
from playground.tasks.tales.stories import StoryGenerator
from playground.tasks.tales.words import LARGEST_NAMES
from playground.tasks.tales.world import World, make_world, uniforms
from playground.tasks.task import Batch, Needs, Probe, Sample, TaskKind, TextSample, check_needs
from playground.tasks.text import sample_text
from playground.tasks.vocabulary import START_ID, word_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_count

FIRST_WORD = 2
"""The words come after START and UNKNOWN."""
STEEPEST = 4.0
HELD_OUT_SEED = (20190605, 1, 2)
"""Three numbers seed what is held out; a training step's stream has two."""
PROBE_TOKENS = 64
SAMPLE_TOKENS = 100
ROWS_AT_ONCE = 32
ROLES: tuple[Role, ...] = ("agreement", "pronoun", "recall")


@dataclass(frozen=True, kw_only=True)
class TalesConfig:
    """The world that is stories of.

    exponent is Zipf's: the word of rank k is as frequent as k^-exponent, 0 makes all words alike. names is how many
    people there are; world decides which words are the frequent ones (0: as they are listed).
    """

    exponent: float = 1.0
    names: int = 40
    world: int = 0

    def __post_init__(self) -> None:
        check_world(exponent=self.exponent, names=self.names, world=self.world, most=LARGEST_NAMES)

    def build_world(self) -> World:
        """The world."""
        return make_world(names=self.names, exponent=self.exponent, seed=self.world)

    def needs(self) -> Needs:
        """A decoder that knows the world's words."""
        return Needs(kind="decoder", vocabulary=FIRST_WORD + len(self.build_world().words))


def check_world(*, exponent: float, names: int, world: int, most: int) -> None:
    """Raise UserError for a world that there cannot be."""
    if isinstance(exponent, bool) or not isinstance(exponent, int | float) or not 0 <= exponent <= STEEPEST:
        raise UserError(
            "The Zipf exponent is {exponent!r}; choose a number from 0 (all alike) to {steepest:g}.",
            exponent=exponent,
            steepest=STEEPEST,
        )
    check_count("names", names, smallest=2)
    check_count("world", world, smallest=0)
    if names > most:
        raise UserError("The world has no {names} names; choose at most {most}.", names=names, most=most)


@dataclass(frozen=True, kw_only=True, eq=False)
class StoryRows:
    """Rows of stories: what is read and comes next, the surprisal that cannot be helped, and what tests something."""

    ids: Int[Tensor, "row token+1"]
    surprisals: Float[Tensor, "row token"]
    marks: tuple[tuple[int, Mark], ...]
    """The row of each mark; its position counts among the predicted tokens."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TalesTask:
    """The world's chances, and its words as tokens."""

    config: TalesConfig
    tokenizer: Tokenizer
    chances: Chances

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError where the model is no decoder or has too few tokens."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Rows that begin with START and a new story."""
        stories = story_rows(self.chances, generator, rows=rows, length=length)
        return Batch(ids=stories.ids[:, :-1], labels=stories.ids[:, 1:])

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """The held-out loss, the lowest possible one, their difference, and how often what must be known is known.

        agreement_accuracy and pronoun_accuracy: the right form is more probable than the wrong one.
        recall_accuracy: the right answer is more probable than every other token.
        """
        stories = story_rows(self.chances, np.random.default_rng(HELD_OUT_SEED), rows=rows, length=length)
        logits = torch.cat([model(part[:, :-1]).log_softmax(-1) for part in torch.split(stories.ids, ROWS_AT_ONCE)])
        loss = float(functional.nll_loss(logits.flatten(0, 1), stories.ids[:, 1:].flatten()))
        floor = float(stories.surprisals.mean())
        measures = {"held_out_loss": loss, "loss_floor": floor, "excess": loss - floor}
        return measures | dict(_accuracies(logits, stories))

    def probe(self, length: int) -> Probe:
        """The beginning of a held-out story."""
        generator = np.random.default_rng(HELD_OUT_SEED)
        stories = story_rows(self.chances, generator, rows=1, length=min(length, PROBE_TOKENS))
        return Probe(batch=Batch(ids=stories.ids[:, :-1], labels=stories.ids[:, 1:]))

    def samples(self, model: Transformer) -> list[Sample]:
        """A story that the model tells, and how it goes on after a question whose answer is known."""
        question = self.tokenizer.decode(self._question())
        return [self._sample(model, "", SAMPLE_TOKENS), self._sample(model, question, SAMPLE_TOKENS // 3)]

    def _sample(self, model: Transformer, prompt: str, tokens: int) -> TextSample:
        text = sample_text(model, self.tokenizer, prompt=prompt, tokens=tokens)
        return TextSample(prompt=prompt, text=text.removeprefix(prompt))

    def _question(self) -> list[int]:
        """A held-out story up to where the first answer would stand."""
        stories = story_rows(self.chances, np.random.default_rng(HELD_OUT_SEED), rows=1, length=400)
        position = next(mark.position for _, mark in stories.marks if mark.role == "recall")
        return stories.ids[0, 1 : position + 1].tolist()

    def save(self, folder: Path) -> None:
        """Write the vocabulary."""
        self.tokenizer.save(str(folder / "tokenizer.json"))


def story_rows(
    chances: Chances, generator: np.random.Generator, *, rows: int, length: int, first: int = FIRST_WORD
) -> StoryRows:
    """Rows of START and `length` tokens of stories; `first` is the id of the world's first word."""
    random_numbers = uniforms(generator)
    generators = [_generated(chances, random_numbers, length) for _ in range(rows)]
    ids = np.full((rows, length + 1), START_ID)
    ids[:, 1:] = np.array([story_generator.tokens[:length] for story_generator in generators]) + first
    surprisals = np.array([story_generator.surprisals[:length] for story_generator in generators], dtype=np.float32)
    marks = (
        (row, mark)
        for row, story_generator in enumerate(generators)
        for mark in story_generator.marks
        if mark.position < length
    )
    shifted = ((row, mark._replace(rival=mark.rival + first if mark.rival >= 0 else -1)) for row, mark in marks)
    return StoryRows(ids=torch.from_numpy(ids), surprisals=torch.from_numpy(surprisals), marks=tuple(shifted))


def _generated(chances: Chances, random_numbers: Iterator[float], length: int) -> StoryGenerator:
    story_generator = StoryGenerator(chances, random_numbers)
    story_generator.generate(length)
    return story_generator


def _accuracies(logits: Float[Tensor, "row token vocabulary"], stories: StoryRows) -> Iterator[tuple[str, float]]:
    """The share of marks of each role that are passed; a role that does not come up is left out."""
    for role in ROLES:
        found = [(row, mark) for row, mark in stories.marks if mark.role == role]
        if found:
            yield (
                f"{role}_accuracy",
                sum(_is_passed(logits[row], stories.ids[row], mark) for row, mark in found) / len(found),
            )


def _is_passed(logits: Float[Tensor, "token vocabulary"], ids: Int[Tensor, "token+1"], mark: Mark) -> bool:
    right, given = int(ids[mark.position + 1]), logits[mark.position]
    return bool(given[right] > given[mark.rival]) if mark.rival >= 0 else int(given.argmax()) == right


def prepare_tales(config: TalesConfig) -> TalesTask:
    """The task of a config; nothing has to be read."""
    world = config.build_world()
    return TalesTask(config=config, tokenizer=word_vocabulary(world.words), chances=Chances(world))


def restore_tales(config: TalesConfig, folder: Path) -> TalesTask:
    """The task of a run's folder: the same as at its start."""
    return prepare_tales(config)


def ordinary_world() -> World:
    """The world as it is listed: forty people, frequencies by Zipf's law."""
    return make_world(names=40, exponent=1.0, seed=0)


def generate_stories(world: World, *, words: int, seed: int = 0) -> list[list[str]]:
    """Stories of together at least so many words and signs; each a list of its sentences."""
    story_generator = StoryGenerator(Chances(world), uniforms(np.random.default_rng(seed)))
    story_generator.generate(words)
    tokenizer = word_vocabulary(world.words)
    ids = np.array(story_generator.tokens) + FIRST_WORD
    sentences = tokenizer.decode_batch([ids[begin:end].tolist() for begin, end in pairwise([0, *story_generator.ends])])
    numbered = zip(story_generator.stories, sentences, strict=True)
    return [[sentence for _, sentence in stories] for _, stories in groupby(numbered, key=lambda pair: pair[0])]


KIND = TaskKind(
    name="tales",
    config=TalesConfig,
    prepare=prepare_tales,
    restore=restore_tales,
    right="A high probability of the word that came next; the lowest possible loss is known.",
)
