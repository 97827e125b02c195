"""Translation of the small world's sentences from English. Right is the whole sentence, word for word.

    french: Anna gives the red ball to Ben.    Anna donne la balle rouge à Ben.
    chinese: Anna gives the red ball to Ben.   安娜把那个红色的球给本恩。

Word order and agreement differ, and which word stands for which is known: cross-attention can be held against it.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from playground.errors import UserError
from playground.generation import greedy_answers
from playground.tasks.alignment import Gold, alignment_error_rates, cross_attention
from playground.tasks.tales.languages import FUNCTION_WORDS, Word, alignment_links, render_sentence
from playground.tasks.tales.scenes import Scene, Scenes
from playground.tasks.tales.tales_task import check_world
from playground.tasks.tales.words import NAMES
from playground.tasks.tales.world import World, make_world, uniforms
from playground.tasks.task import IGNORED, AnswerSample, Batch, Needs, Probe, Sample, TaskKind, check_needs
from playground.tasks.vocabulary import END_ID, PAD_ID, SPECIALS, START_ID, word_vocabulary
from playground.transformer import Transformer, TransformerConfig

TargetLanguage = Literal["french", "chinese"]
CONTEXT = 14
"""No sentence is longer, special tokens included."""
HELD_OUT_SEED = (20170612, 1, 3)
"""Three numbers seed what is held out; a training step's stream has two."""
HELD_OUT_SHARE = 8
"""One English sentence in so many is never trained on; which, its checksum decides."""
N_SAMPLES = 6
ALIGNED_ROWS = 64
PREFIX = 3
"""START, the language and the colon stand before the first English word."""


@dataclass(frozen=True, kw_only=True)
class TranslationConfig:
    """The languages to translate into, which each row's first word says; the rest as in TalesConfig."""

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
        """The world."""
        return make_world(names=self.names, exponent=self.exponent, seed=self.world)

    def needs(self) -> Needs:
        """An encoder-decoder that knows the words of all three languages."""
        tokens = len(SPECIALS) + len(translation_words(self.build_world()))
        return Needs(kind="encoder-decoder", vocabulary=tokens, context=CONTEXT)


@dataclass(frozen=True, kw_only=True)
class TranslationPair:
    """A sentence in English and in the language it is translated into."""

    language: TargetLanguage
    english: list[Word]
    target: list[Word]

    @property
    def source(self) -> list[str]:
        """What the encoder reads: the language, a colon, and the English words."""
        return [self.language, ":", *(word for word, _ in self.english)]

    @property
    def answer(self) -> list[str]:
        """What the decoder writes."""
        return [word for word, _ in self.target]


@dataclass(frozen=True, kw_only=True, eq=False)
class TranslationTask:
    """The scenes of a world, and the words of its languages as tokens."""

    config: TranslationConfig
    tokenizer: Tokenizer
    scenes: Scenes
    ids: dict[str, int]

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError where the model is no encoder-decoder or too small."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Sentences, none of them held out, and their translations."""
        return pad_pairs(self._pairs(generator, rows, held_out=False), self.ids)

    def held_out(self, rows: int) -> Batch:
        """Sentences that are never trained on, and their translations; always the same."""
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
        """Surprise and accuracy at each word given the right ones before it, whole sentences right, and alignment.

        alignment_error_rate is the best cross-attention head's, or the best layer's mean over heads.
        """
        pairs = self._pairs(np.random.default_rng(HELD_OUT_SEED), rows, held_out=True)
        batch = pad_pairs(pairs, self.ids)
        assert batch.labels is not None
        logits = model(batch.ids, batch.target_ids, mask=batch.mask)
        counted = batch.labels != IGNORED
        loss = functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED)
        right = [answer == pair.answer for answer, pair in zip(self._answers(model, batch), pairs, strict=True)]
        return {
            "held_out_loss": float(loss),
            "token_accuracy": float((logits.argmax(-1) == batch.labels)[counted].float().mean()),
            "exact_match": sum(right) / len(right),
            "alignment_error_rate": float(self._alignment_errors(model, pairs[:ALIGNED_ROWS]).min()),
        }

    def _alignment_errors(self, model: Transformer, pairs: list[TranslationPair]) -> np.ndarray:
        batch = pad_pairs(pairs, self.ids)
        assert batch.target_ids is not None
        gold = gold_links(pairs, (*batch.target_ids.shape, batch.ids.shape[1]))
        return alignment_error_rates(cross_attention(model, batch), gold)

    def _answers(self, model: Transformer, batch: Batch) -> list[list[str]]:
        """What the model writes on its own, up to END."""
        written = greedy_answers(model, batch.ids, batch.mask, start=START_ID, end=END_ID, most=CONTEXT).tolist()
        rows = (row[: row.index(END_ID)] if END_ID in row else row for row in written)
        return [[self.tokenizer.id_to_token(index) or "" for index in row] for row in rows]

    def probe(self, length: int) -> Probe:
        """A held-out sentence of some length, and which of its words stands for which."""
        pairs = self._pairs(np.random.default_rng(HELD_OUT_SEED), ALIGNED_ROWS, held_out=True)
        pair = max(pairs, key=lambda pair: len(pair.source) + len(pair.answer))
        _, possible = alignment_links(pair.english, pair.target)
        alignment = tuple((place, word + PREFIX) for place, word in possible)
        return Probe(batch=pad_pairs([pair], self.ids), alignment=alignment)

    def samples(self, model: Transformer) -> list[Sample]:
        """What the model makes of some held-out sentences."""
        pairs = self._pairs(np.random.default_rng(HELD_OUT_SEED), N_SAMPLES, held_out=True)
        answers = self._answers(model, pad_pairs(pairs, self.ids))
        return [self._sample(pair, answer) for pair, answer in zip(pairs, answers, strict=True)]

    def _sample(self, pair: TranslationPair, answer: list[str]) -> AnswerSample:
        question, given, right = (self._text(words) for words in (pair.source, answer, pair.answer))
        return AnswerSample(question=question, answer=given, right=right, is_right=answer == pair.answer)

    def _text(self, words: Sequence[str]) -> str:
        return str(self.tokenizer.decode([self.ids[word] for word in words if word in self.ids]))

    def save(self, folder: Path) -> None:
        """Write the vocabulary."""
        self.tokenizer.save(str(folder / "tokenizer.json"))


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
    """Whether a sentence is never trained on."""
    return zlib.crc32(" ".join(word for word, _ in english).encode()) % HELD_OUT_SHARE == 0


def pad_pairs(pairs: list[TranslationPair], ids: dict[str, int]) -> Batch:
    """Sources as START … END, targets as START …, labels as … END, all filled up to the longest."""
    sources = [[START_ID, *(ids[word] for word in pair.source), END_ID] for pair in pairs]
    targets = [[ids[word] for word in pair.answer] for pair in pairs]
    source = _padded(sources, PAD_ID)
    return Batch(
        ids=source,
        target_ids=_padded([[START_ID, *target] for target in targets], PAD_ID),
        labels=_padded([[*target, END_ID] for target in targets], IGNORED),
        mask=source != PAD_ID,
    )


def _padded(rows: list[list[int]], filler: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


def gold_links(pairs: list[TranslationPair], shape: tuple[int, ...]) -> Gold:
    """The gold alignments of a batch, of shape [row, target position, source token]."""
    sure, possible = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for row, pair in enumerate(pairs):
        for table, found in zip((sure, possible), alignment_links(pair.english, pair.target), strict=True):
            for place, word in found:
                table[row, place, word + PREFIX] = True
    return Gold(sure=sure, possible=possible)


def prepare_translation(config: TranslationConfig) -> TranslationTask:
    """The task of a config; nothing has to be read."""
    world = config.build_world()
    tokenizer = word_vocabulary(translation_words(world), model="encoder-decoder")
    return TranslationTask(config=config, tokenizer=tokenizer, scenes=Scenes(world), ids=tokenizer.get_vocab())


def restore_translation(config: TranslationConfig, folder: Path) -> TranslationTask:
    """The task of a run's folder: the same as at its start."""
    return prepare_translation(config)


KIND = TaskKind(
    name="translation",
    config=TranslationConfig,
    prepare=prepare_translation,
    restore=restore_translation,
    right="The whole sentence, word for word.",
)
