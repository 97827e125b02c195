"""Language modelling on synthetic stories. Right is a probability as high as the world's own.

The true probabilities are known, so the held-out loss is compared with the entropy, the lowest possible loss. Three
abilities that this takes are measured apart: agreement of the verb across another noun, She or He, and recall of who
has what and is where.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.special_tokens import START_ID
from playground.tasks.tales.chances import Chances, Mark, Role
from playground.tasks.tales.stories import StoryGenerator
from playground.tasks.tales.words import LARGEST_NAMES
from playground.tasks.tales.world import World, make_world, uniforms
from playground.tasks.task import Batch, Needs, Probe, Sample, StatelessTask, TaskKind, TextSample, check_needs
from playground.tasks.text import sample_text
from playground.tasks.vocabulary import word_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_count

FIRST_WORD = 2
"""START and UNKNOWN have the ids before."""
STEEPEST = 4.0
HELD_OUT_SEED = (20190605, 1, 2)
"""Three numbers; a training step's seed has two, so the streams never coincide."""
PROBE_TOKENS = 64
SAMPLE_TOKENS = 100
ROWS_AT_ONCE = 32
ROLES: tuple[Role, ...] = ("agreement", "pronoun", "recall")


@dataclass(frozen=True, kw_only=True)
class TalesConfig:
    """The world of the stories."""

    exponent: float = 1.0
    """Zipf's: the word of rank k has a frequency of k^-exponent; 0 makes all words equally frequent."""
    names: int = 40
    """How many people there are."""
    world: int = 0
    """Seed of the frequency ranks; 0 keeps the order of words.py."""

    def __post_init__(self) -> None:
        check_world(exponent=self.exponent, names=self.names, world=self.world, most=LARGEST_NAMES)

    def build_world(self) -> World:
        """Build the world of this config."""
        return make_world(names=self.names, exponent=self.exponent, seed=self.world)

    def needs(self) -> Needs:
        """A decoder that knows the world's words."""
        return Needs(kind="decoder", vocabulary=FIRST_WORD + len(self.build_world().words))


def check_world(*, exponent: float, names: int, world: int, most: int) -> None:
    """Raise UserError for an exponent, number of names or seed out of range."""
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
    """Rows of stories with their true surprisals."""

    ids: Int[Tensor, "row token+1"]
    surprisals: Float[Tensor, "row token"]
    """Of ids[:, 1:] under the true distribution, in nats."""
    marks: tuple[tuple[int, Mark], ...]
    """The row of each mark; its position counts among the predicted tokens."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TalesTask(StatelessTask):
    """The distributions of a world, and its words as tokens."""

    config: TalesConfig
    tokenizer: Tokenizer
    chances: Chances

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no decoder or has too few tokens."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Rows of START and a new story."""
        stories = story_rows(self.chances, generator, rows=rows, length=length)
        return Batch(ids=stories.ids[:, :-1], labels=stories.ids[:, 1:])

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Held-out loss, entropy, their difference (which estimates the KL divergence), and accuracies.

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
        """A story by the model, and its continuation of a question whose answer is known."""
        question = self.tokenizer.decode(self._question())
        return [self._sample(model, "", SAMPLE_TOKENS), self._sample(model, question, SAMPLE_TOKENS // 3)]

    def _sample(self, model: Transformer, prompt: str, tokens: int) -> TextSample:
        text = sample_text(model, self.tokenizer, prompt=prompt, tokens=tokens)
        return TextSample(prompt=prompt, text=text.removeprefix(prompt))

    def _question(self) -> list[int]:
        """A held-out story up to its first answer."""
        stories = story_rows(self.chances, np.random.default_rng(HELD_OUT_SEED), rows=1, length=400)
        position = next(mark.position for _, mark in stories.marks if mark.role == "recall")
        return stories.ids[0, 1 : position + 1].tolist()


def story_rows(
    chances: Chances, generator: np.random.Generator, *, rows: int, length: int, first: int = FIRST_WORD
) -> StoryRows:
    """Generate rows of START and `length` tokens; `first` is the id of the world's first word."""
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
    """The fraction of marks of each role that the model passes; a role without marks is left out."""
    for role in ROLES:
        marks = [(row, mark) for row, mark in stories.marks if mark.role == role]
        if marks:
            passed = sum(_is_passed(logits[row], stories.ids[row], mark) for row, mark in marks)
            yield f"{role}_accuracy", passed / len(marks)


def _is_passed(logits: Float[Tensor, "token vocabulary"], ids: Int[Tensor, "token+1"], mark: Mark) -> bool:
    right, scores = int(ids[mark.position + 1]), logits[mark.position]
    return bool(scores[right] > scores[mark.rival]) if mark.rival >= 0 else int(scores.argmax()) == right


def prepare_tales(config: TalesConfig) -> TalesTask:
    """Build the task of a config."""
    world = config.build_world()
    return TalesTask(config=config, tokenizer=word_vocabulary(world.words), chances=Chances(world))


def default_world() -> World:
    """The world in the order of words.py: forty people, Zipf's law."""
    return make_world(names=40, exponent=1.0, seed=0)


def generate_stories(world: World, *, words: int, seed: int = 0) -> list[list[str]]:
    """Stories as lists of sentences, together at least `words` words and signs long."""
    story_generator = StoryGenerator(Chances(world), uniforms(np.random.default_rng(seed)))
    story_generator.generate(words)
    tokenizer = word_vocabulary(world.words)
    ids = np.array(story_generator.tokens) + FIRST_WORD
    sentences = tokenizer.decode_batch([ids[begin:end].tolist() for begin, end in pairwise([0, *story_generator.ends])])
    numbered = zip(story_generator.stories, sentences, strict=True)
    return [[sentence for _, sentence in story] for _, story in groupby(numbered, key=lambda pair: pair[0])]


def story_text(words: int, seed: int = 7) -> str:
    """Stories of the usual world as one text, a story a line: nothing that a model from elsewhere has read."""
    return "\n".join(" ".join(story) for story in generate_stories(default_world(), words=words, seed=seed))


KIND = TaskKind(
    name="tales",
    config=TalesConfig,
    prepare=prepare_tales,
    right="A high probability of the word that came next; the lowest possible loss is known.",
)
