"""Translation of the small world's sentences from English. Right is the whole sentence, word for word.

    french: Anna gives the red ball to Ben.    Anna donne la balle rouge à Ben.
    chinese: Anna gives the red ball to Ben.   安娜把那个红色的球给本恩。

Word order and agreement differ, and the word alignment is known: cross-attention is compared with it.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import exact_match, token_accuracy
from playground.generation import greedy_answers
from playground.special_tokens import END_ID, PAD_ID, SPECIALS, START_ID
from playground.tasks.alignment import Gold, alignment_error_rates, cross_attention
from playground.tasks.tales.languages import FUNCTION_WORDS, Word, alignment_links, render_sentence
from playground.tasks.tales.scenes import Scene, Scenes
from playground.tasks.tales.tales_task import check_world
from playground.tasks.tales.words import NAMES
from playground.tasks.tales.world import World, make_world, uniforms
from playground.tasks.task import (
    IGNORED,
    AnswerSample,
    Batch,
    Needs,
    Probe,
    Sample,
    StatelessTask,
    TaskKind,
    check_needs,
)
from playground.tasks.vocabulary import word_vocabulary
from playground.transformer import Transformer, TransformerConfig

TargetLanguage = Literal["french", "chinese"]
CONTEXT = 14
"""No sentence is longer, special tokens included."""
HELD_OUT_SEED = (20170612, 1, 3)
"""Three numbers; a training step's seed has two, so the streams never coincide."""
HELD_OUT_SHARE = 8
"""One English sentence in eight is held out; its checksum decides which."""
N_SAMPLES = 6
ALIGNED_ROWS = 64
PREFIX = 3
"""START, the language and the colon precede the first English word."""


@dataclass(frozen=True, kw_only=True)
class TranslationConfig:
    """The target languages, named by the first word of each row; the other fields as in TalesConfig."""

    languages: tuple[TargetLanguage, ...] = ("french", "chinese")
    exponent: float = 0.5
    names: int = 40
    world: int = 0

    def __post_init__(self) -> None:
        check_world(exponent=self.exponent, names=self.names, world=self.world, most=len(NAMES))
        known = get_args(TargetLanguage)
        if isinstance(self.languages, str) or not self.languages or not set(self.languages) <= set(known):
            raise UserError(
                "The languages are {languages!r}; choose {known}, or both.",
                languages=self.languages,
                known=" or ".join(known),
            )
        if len(set(self.languages)) < len(self.languages):
            raise UserError("Name each language once.")

    def build_world(self) -> World:
        """Build the world of this config."""
        return make_world(names=self.names, exponent=self.exponent, seed=self.world)

    def needs(self) -> Needs:
        """An encoder-decoder that knows the words of all three languages."""
        tokens = len(SPECIALS) + len(translation_words(self.build_world()))
        return Needs(kind="encoder-decoder", vocabulary=tokens, context=CONTEXT)


@dataclass(frozen=True, kw_only=True)
class TranslationPair:
    """A sentence in English and its translation."""

    language: TargetLanguage
    english: list[Word]
    target: list[Word]

    @property
    def source(self) -> list[str]:
        """Input of the encoder: the language, a colon, and the English words."""
        return [self.language, ":", *(word for word, _ in self.english)]

    @property
    def answer(self) -> list[str]:
        """The words of the translation."""
        return [word for word, _ in self.target]


@dataclass(frozen=True, kw_only=True, eq=False)
class TranslationTask(StatelessTask):
    """The scenes of a world, and the words of its languages as tokens."""

    config: TranslationConfig
    tokenizer: Tokenizer
    scenes: Scenes
    ids: dict[str, int]

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no encoder-decoder or too small."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Sentences that are not held out, and their translations."""
        return pad_pairs(self._pairs(generator, rows, held_out=False), self.ids)

    def held_out(self, rows: int) -> Batch:
        """Held-out sentences and their translations; always the same."""
        return pad_pairs(self._pairs(np.random.default_rng(HELD_OUT_SEED), rows, held_out=True), self.ids)

    def _pairs(self, generator: np.random.Generator, rows: int, *, held_out: bool) -> list[TranslationPair]:
        random_numbers = uniforms(generator)
        return [self._pair(random_numbers, held_out) for _ in range(rows)]

    def _pair(self, random_numbers: Iterator[float], held_out: bool) -> TranslationPair:
        while True:
            scene = self.scenes.sample(random_numbers)
            english = render_sentence(scene, "english")
            if is_held_out_sentence(english) == held_out:
                return self._translate(scene, english, random_numbers)

    def _translate(self, scene: Scene, english: list[Word], random_numbers: Iterator[float]) -> TranslationPair:
        language = self.config.languages[int(next(random_numbers) * len(self.config.languages))]
        return TranslationPair(language=language, english=english, target=render_sentence(scene, language))

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Teacher-forced loss and token accuracy, exact match of the greedy answers, and alignment error rate.

        alignment_error_rate is the best cross-attention head's, or the best layer's mean over heads.
        """
        pairs = self._pairs(np.random.default_rng(HELD_OUT_SEED), rows, held_out=True)
        batch = pad_pairs(pairs, self.ids)
        assert batch.labels is not None
        logits = model(batch.ids, batch.target_ids, mask=batch.mask)
        counted = batch.labels != IGNORED
        loss = functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED)
        return {
            "held_out_loss": float(loss),
            "token_accuracy": token_accuracy((logits.argmax(-1) == batch.labels).numpy(), counted.numpy()),
            "exact_match": exact_match(self._answers(model, batch), [pair.answer for pair in pairs]),
            "alignment_error_rate": float(self._alignment_errors(model, pairs[:ALIGNED_ROWS]).min()),
        }

    def _alignment_errors(self, model: Transformer, pairs: list[TranslationPair]) -> np.ndarray:
        batch = pad_pairs(pairs, self.ids)
        assert batch.target_ids is not None
        gold = gold_links(pairs, (*batch.target_ids.shape, batch.ids.shape[1]))
        return alignment_error_rates(cross_attention(model, batch), gold)

    def _answers(self, model: Transformer, batch: Batch) -> list[list[str]]:
        """The model's greedy answers, up to END."""
        written = greedy_answers(model, batch.ids, batch.mask, start=START_ID, end=END_ID, most=CONTEXT).tolist()
        rows = (row[: row.index(END_ID)] if END_ID in row else row for row in written)
        return [[self.tokenizer.id_to_token(index) or "" for index in row] for row in rows]

    def probe(self, length: int) -> Probe:
        """A long held-out sentence and its gold alignment."""
        pairs = self._pairs(np.random.default_rng(HELD_OUT_SEED), ALIGNED_ROWS, held_out=True)
        pair = max(pairs, key=lambda pair: len(pair.source) + len(pair.answer))
        _, possible = alignment_links(pair.english, pair.target)
        alignment = tuple((target, source + PREFIX) for target, source in possible)
        return Probe(batch=pad_pairs([pair], self.ids), alignment=alignment)

    def samples(self, model: Transformer) -> list[Sample]:
        """The model's translations of some held-out sentences."""
        pairs = self._pairs(np.random.default_rng(HELD_OUT_SEED), N_SAMPLES, held_out=True)
        answers = self._answers(model, pad_pairs(pairs, self.ids))
        return [self._sample(pair, answer) for pair, answer in zip(pairs, answers, strict=True)]

    def _sample(self, pair: TranslationPair, answer: list[str]) -> AnswerSample:
        question, answered, right = (self._text(words) for words in (pair.source, answer, pair.answer))
        return AnswerSample(question=question, answer=answered, right=right, is_right=answer == pair.answer)

    def _text(self, words: Sequence[str]) -> str:
        return str(self.tokenizer.decode([self.ids[word] for word in words if word in self.ids]))


def translation_words(world: World) -> list[str]:
    """Every word of the three languages, each once; a word that two languages share is one token."""
    nouns = [*world.animals, *world.landmarks, *world.places, *world.things]
    forms = [
        *(form for name in world.names for form in (name.word, name.chinese)),
        *(form for n in nouns for form in (n.singular, n.plural, n.french_singular, n.french_plural)),
        *(form for noun in nouns for form in (noun.chinese, noun.measure)),
        *(form for adjective in world.adjectives for form in (adjective.word, *adjective.forms, adjective.chinese)),
        *(form for v in world.verbs for form in (v.singular, v.plural, v.french_singular, v.french_plural, v.chinese)),
    ]
    return list(dict.fromkeys([*FUNCTION_WORDS.split(), *forms]))


def is_held_out_sentence(english: list[Word]) -> bool:
    """Whether a sentence is held out."""
    return zlib.crc32(" ".join(word for word, _ in english).encode()) % HELD_OUT_SHARE == 0


def pad_pairs(pairs: list[TranslationPair], ids: dict[str, int]) -> Batch:
    """Sources as START … END, targets as START …, labels as … END, all padded to the longest."""
    sources = [[START_ID, *(ids[word] for word in pair.source), END_ID] for pair in pairs]
    targets = [[ids[word] for word in pair.answer] for pair in pairs]
    source = _padded(sources, PAD_ID)
    return Batch(
        ids=source,
        target_ids=_padded([[START_ID, *target] for target in targets], PAD_ID),
        labels=_padded([[*target, END_ID] for target in targets], IGNORED),
        mask=source != PAD_ID,
    )


def _padded(sequences: list[list[int]], filler: int) -> torch.Tensor:
    longest = max(map(len, sequences))
    return torch.tensor([ids + [filler] * (longest - len(ids)) for ids in sequences])


def gold_links(pairs: list[TranslationPair], shape: tuple[int, ...]) -> Gold:
    """The gold alignments of a batch, of shape [row, target position, source token]."""
    sure, possible = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for row, pair in enumerate(pairs):
        for matrix, links in zip((sure, possible), alignment_links(pair.english, pair.target), strict=True):
            for target, source in links:
                matrix[row, target, source + PREFIX] = True
    return Gold(sure=sure, possible=possible)


def prepare_translation(config: TranslationConfig) -> TranslationTask:
    """Build the task of a config."""
    world = config.build_world()
    tokenizer = word_vocabulary(translation_words(world), model="encoder-decoder")
    return TranslationTask(config=config, tokenizer=tokenizer, scenes=Scenes(world), ids=tokenizer.get_vocab())


KIND = TaskKind(
    name="translation",
    config=TranslationConfig,
    prepare=prepare_translation,
    right="The whole sentence, word for word.",
)
