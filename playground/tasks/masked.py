"""Masked LM and next-sentence prediction, as BERT learns (Devlin et al. 2019, section 3.1).

A row is START A END B END. In half of the rows B follows A, in the others it is a random passage. Right is a high
probability of each masked word, given both sides, and the right answer whether B follows.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import accuracy
from playground.tasks.line_wrapping import Joining, check_joining, join_lines
from playground.tasks.sentence_pairs import FRAME, pair_batch
from playground.tasks.sentences import Sentences, encode_sentences
from playground.tasks.sources import check_held_out, check_sources, read_texts
from playground.tasks.tales.tales_task import default_world, generate_stories
from playground.tasks.task import (
    IGNORED,
    Batch,
    MaskedSample,
    MaskedWord,
    Needs,
    Probe,
    Sample,
    TaskKind,
    check_needs,
    load_splits,
    reading_saved,
    save_splits,
)
from playground.tasks.text import cut_text
from playground.tasks.vocabulary import VocabularyKind, check_vocabulary, train_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_count

TALES = "tales"
"""The source that stands for synthetic stories."""
TALES_WORDS = 200_000
SHORTEST = FRAME + 5
LARGEST_CLASS_WEIGHT = 100.0
HELD_OUT_SEED = (20181011, 1, 1)
"""Three numbers; a training step's seed has two, so the streams never coincide."""
ROWS_AT_ONCE = 16
PROBE_TOKENS = 48
N_SAMPLES = 2
SAMPLE_LENGTH = 48
GUESSES = 5


@dataclass(frozen=True, kw_only=True)
class MaskedConfig:
    """Where the text comes from, and how it is masked."""

    sources: tuple[str, ...] = ()
    """Files, archives and data sets, written as sources.py says; `tales` for synthetic stories."""
    text: str = ""
    """Text that was typed in."""
    vocabulary: VocabularyKind = "bpe"
    vocabulary_size: int = 4096
    held_out: float = 0.05
    """The last share of each text, never trained on."""
    unwrap: Joining = "prose"
    """Join the lines of paragraphs: all, none, or where they are wrapped prose."""
    mask_share: float = 0.15
    """The fraction of words to predict."""
    row_length: int | None = None
    """The most tokens of a training row; None: the model's context. Most of BERT's steps had short rows (Devlin et al.
    2019, appendix A.2)."""
    class_weight: float = 1.0
    """The weight of the next-sentence loss, beside that of the masked words."""

    def __post_init__(self) -> None:
        check_sources(self.sources, self.text)
        check_vocabulary(self.vocabulary, self.vocabulary_size, model="encoder")
        check_held_out(self.held_out)
        check_joining(self.unwrap)
        if not 0 < self.mask_share < 1:
            raise UserError(
                "The share of masked words is {mask_share}; choose a number between 0 and 1.",
                mask_share=self.mask_share,
            )
        if self.row_length is not None:
            check_count("row_length", self.row_length, smallest=SHORTEST)
        if not 0 <= self.class_weight <= LARGEST_CLASS_WEIGHT:
            raise UserError(
                "class_weight is {class_weight}; choose a number from 0 to {largest:g}.",
                class_weight=self.class_weight,
                largest=LARGEST_CLASS_WEIGHT,
            )

    def needs(self) -> Needs:
        """An encoder with two segments and two classes."""
        return Needs(kind="encoder", vocabulary=self.vocabulary_size, classes=2, segments=2, context=SHORTEST)


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskedTask:
    """The sentences as token ids, split into training and held-out."""

    config: MaskedConfig
    tokenizer: Tokenizer
    train: Sentences
    held_out: Sentences

    class_names: tuple[str, ...] = ("follows", "random")

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no encoder of pairs, or the text has no two consecutive sentences."""
        check_needs(self.config.needs(), model, vocabulary=self.tokenizer.get_vocab_size())
        for part, sentences in (("training", self.train), ("held-out", self.held_out)):
            if len(sentences) < len(sentences.documents):
                raise UserError(
                    "The {part} text has no two sentences that follow each other. Choose a longer text, or another "
                    "share to hold out.",
                    part=part,
                )

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Random pairs of the training text, half of them in their true order, with masked words."""
        length = min(length, self.config.row_length or length)
        return self._rows(self.train, generator, rows=rows, length=length)

    def _rows(self, sentences: Sentences, generator: np.random.Generator, *, rows: int, length: int) -> Batch:
        vocabulary = self.tokenizer.get_vocab_size()
        share = self.config.mask_share
        batch = pair_batch(sentences, generator, rows=rows, length=length, share=share, vocabulary=vocabulary)
        return replace(batch, class_weight=self.config.class_weight)

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Held-out loss of the masked words (nats), their accuracy, and next-sentence accuracy."""
        batch = self._held_out(rows, length)
        assert batch.labels is not None
        assert batch.classes is not None
        logits, classes = _forward(model, batch)
        right = batch.labels[batch.labels != IGNORED]
        return {
            "held_out_loss": float(functional.cross_entropy(logits, right)),
            "masked_accuracy": accuracy(logits.argmax(-1).numpy(), right.numpy()),
            "next_sentence_accuracy": accuracy(classes.argmax(-1).numpy(), batch.classes.numpy()),
        }

    def _held_out(self, rows: int, length: int) -> Batch:
        return self._rows(self.held_out, np.random.default_rng(HELD_OUT_SEED), rows=rows, length=length)

    def probe(self, length: int) -> Probe:
        """A held-out pair."""
        return Probe(batch=self._held_out(1, min(length, PROBE_TOKENS)))

    @torch.no_grad()
    def samples(self, model: Transformer) -> list[Sample]:
        """Some held-out pairs, and the top predictions for their masked words."""
        batch = self._held_out(N_SAMPLES, min(model.config.context, SAMPLE_LENGTH))
        assert batch.labels is not None
        logits, _ = _forward(model, batch)
        labels, counted = batch.labels, batch.labels != IGNORED
        by_row = torch.split(logits.softmax(-1), counted.sum(1).tolist())
        return [self._sample(*row) for row in zip(batch.ids, labels, by_row, strict=True)]

    def _sample(
        self, ids: Int[Tensor, "token"], labels: Int[Tensor, "token"], probabilities: Float[Tensor, "masked vocabulary"]
    ) -> MaskedSample:
        positions = torch.nonzero(labels != IGNORED)[:, 0].tolist()
        best = probabilities.topk(min(GUESSES, probabilities.shape[1]))
        masked = tuple(
            MaskedWord(
                position=position,
                right=self._word(int(labels[position])),
                guesses=tuple((self._word(index), share) for index, share in zip(indices, shares, strict=True)),
            )
            for position, indices, shares in zip(positions, best.indices.tolist(), best.values.tolist(), strict=True)
        )
        return MaskedSample(tokens=tuple(self._word(index) for index in ids.tolist()), masked=masked)

    def _word(self, index: int) -> str:
        return str(self.tokenizer.decode([index], skip_special_tokens=False))

    def save(self, folder: Path) -> None:
        """Write the vocabulary and the encoded sentences, so that resuming reads the same ids."""
        self.tokenizer.save(str(folder / "tokenizer.json"))
        save_splits(folder, train=self.train, held_out=self.held_out)


def _forward(model: Transformer, batch: Batch) -> tuple[Float[Tensor, "masked vocabulary"], Float[Tensor, "row class"]]:
    """Logits at the masked words of all rows, and class logits; a few rows at a time, to bound memory."""
    assert batch.labels is not None
    assert batch.segments is not None
    logits, classes = [], []
    for begin in range(0, len(batch.ids), ROWS_AT_ONCE):
        chunk = slice(begin, begin + ROWS_AT_ONCE)
        mask = None if batch.mask is None else batch.mask[chunk]
        hidden = model.read(batch.ids[chunk], segments=batch.segments[chunk], mask=mask)
        logits.append(model.head(hidden[batch.labels[chunk] != IGNORED]))
        classes.append(model.classify(hidden))
    return torch.cat(logits), torch.cat(classes)


def prepare_masked(config: MaskedConfig) -> MaskedTask:
    """Read the sources, train the vocabulary on the training part, and encode both parts."""
    sources = tuple(source for source in config.sources if source != TALES)
    texts = [join_lines(text, config.unwrap) for text in read_texts(sources, config.text)]
    cuts = [cut_text(text, config.held_out) for text in texts]
    train = [text[:cut] for text, cut in zip(texts, cuts, strict=True)]
    held_out = [text[cut:] for text, cut in zip(texts, cuts, strict=True)]
    if TALES in config.sources:
        stories = [" ".join(story) for story in generate_stories(default_world(), words=TALES_WORDS)]
        cut = int(len(stories) * (1 - config.held_out))
        train, held_out = train + stories[:cut], held_out + stories[cut:]
    tokenizer = train_vocabulary(config.vocabulary, train, config.vocabulary_size, model="encoder")
    return MaskedTask(
        config=config,
        tokenizer=tokenizer,
        train=encode_sentences(tokenizer, train),
        held_out=encode_sentences(tokenizer, held_out),
    )


def restore_masked(config: MaskedConfig, folder: Path) -> MaskedTask:
    """The task of a run folder. Raises UserError if its files are damaged."""
    with reading_saved(folder, "tokens.npz", "tokenizer.json"):
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        train, held_out = load_splits(folder, Sentences)
    return MaskedTask(config=config, tokenizer=tokenizer, train=train, held_out=held_out)


KIND = TaskKind(
    name="masked",
    config=MaskedConfig,
    prepare=prepare_masked,
    read=restore_masked,
    right="A high probability of each masked word, and the right answer whether the second text follows.",
)
