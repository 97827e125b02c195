"""Text classification. Right is the label of the text.

An encoder reads START, the text and END; its classifier answers from the first token. The classes are kinds of
synthetic sentences, languages, or the labels of a table of your own.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import accuracy
from playground.evaluation.f1 import macro_f1
from playground.special_tokens import END_ID, PAD_ID, START_ID
from playground.tasks.labelled_text import (
    KINDS,
    LANGUAGES,
    LabelledTexts,
    archive_groups,
    check_labels,
    table_groups,
    tales_kinds,
    tales_languages,
)
from playground.tasks.sentences import encode_flat
from playground.tasks.sources import Stamp, check_held_out, check_sources, stamp_of
from playground.tasks.task import (
    AnswerSample,
    Batch,
    Needs,
    Probe,
    Sample,
    TaskKind,
    check_needs,
    load_splits,
    reading_saved,
    save_splits,
)
from playground.tasks.vocabulary import VocabularyKind, check_vocabulary, train_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_choice, check_count

LabelSource = Literal["kinds", "languages", "csv"]
FRAME = 2
"""START and END."""
SHORTEST = FRAME + 2
ROWS_AT_ONCE = 32
PROBE_TOKENS = 64
N_SAMPLES = 6
SHOWN_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class ClassificationConfig:
    """The classes, and where their texts come from."""

    kind: LabelSource = "kinds"
    """`kinds` of synthetic sentences; `languages`, of .zip archives or else of synthetic sentences; `csv`, a table."""
    sources: tuple[str, ...] = ()
    """.zip archives whose files are named after their label, or tables."""
    text: str = ""
    """A table that was typed in."""
    text_column: str = "text"
    label_column: str = "label"
    passage: int = 80
    """Characters of a file that make one text."""
    vocabulary: VocabularyKind = "words"
    vocabulary_size: int = 2048
    held_out: float = 0.1
    """The last share of each label's texts, never trained on."""

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(LabelSource))
        if self.kind == "csv" or self.sources:
            check_sources(self.sources, self.text)
        if self.kind == "kinds" and self.sources:
            raise UserError("The kinds of sentences come from the small world; choose languages or csv for sources.")
        check_count("passage", self.passage, smallest=8)
        check_vocabulary(self.vocabulary, self.vocabulary_size, model="encoder")
        check_held_out(self.held_out)

    def read(self) -> LabelledTexts:
        """Read the labelled texts. Raises UserError for sources that cannot be read."""
        if self.kind == "csv":
            columns = {"text_column": self.text_column, "label_column": self.label_column}
            return table_groups(self.sources, self.text, **columns)
        if self.kind == "languages":
            return archive_groups(self.sources, passage=self.passage) if self.sources else tales_languages()
        return tales_kinds()

    def needs(self) -> Needs:
        """An encoder with as many classes as there are labels."""
        if self.kind == "kinds":
            classes = len(KINDS)
        elif self.kind == "languages" and not self.sources:
            classes = len(LANGUAGES)
        else:
            classes = _count_classes(self, tuple(stamp_of(source) for source in self.sources))
        return Needs(kind="encoder", vocabulary=self.vocabulary_size, classes=classes, context=SHORTEST)


@lru_cache(maxsize=8)
def _count_classes(config: ClassificationConfig, stamps: tuple[Stamp, ...]) -> int:
    """Cached by the files' stamps: a page asks on every rerun, and the sources change rarely."""
    return len(class_names_of(config.read()))


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Texts as token ids, text k is ids[starts[k]:starts[k+1]], and their classes."""

    ids: Int[np.ndarray, "token"]
    starts: Int[np.ndarray, "text+1"]
    classes: Int[np.ndarray, "text"]

    def batch(self, chosen: Int[np.ndarray, "row"], length: int) -> Batch:
        """The chosen texts between START and END, cut to `length` tokens and padded to the longest."""
        texts = [self.ids[self.starts[index] : self.starts[index + 1]][: length - FRAME] for index in chosen]
        ids = np.full((len(texts), max(map(len, texts)) + FRAME), PAD_ID)
        for row, text in enumerate(texts):
            ids[row, : len(text) + FRAME] = [START_ID, *text, END_ID]
        mask = np.arange(ids.shape[1])[None] < np.array([len(text) + FRAME for text in texts])[:, None]
        return Batch(
            ids=torch.from_numpy(ids),
            mask=None if mask.all() else torch.from_numpy(mask),
            classes=torch.from_numpy(self.classes[chosen]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassificationTask:
    """The labelled texts, split into training and held-out."""

    config: ClassificationConfig
    tokenizer: Tokenizer
    class_names: tuple[str, ...]
    train: Examples
    held_out: Examples
    skipped: int = 0
    """Files that could not be read."""

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no encoder or has too few classes or tokens."""
        needs = Needs(kind="encoder", vocabulary=1, classes=len(self.class_names), context=SHORTEST)
        check_needs(needs, model, vocabulary=self.tokenizer.get_vocab_size())

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Random training texts."""
        return self.train.batch(generator.integers(0, len(self.train.classes), rows), length)

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Held-out loss (nats), accuracy, and macro F1."""
        chosen = self._held_out_order(rows)
        logits = torch.cat(
            [
                _class_logits(model, self.held_out.batch(chosen[i : i + ROWS_AT_ONCE], length))
                for i in range(0, len(chosen), ROWS_AT_ONCE)
            ]
        )
        right = torch.from_numpy(self.held_out.classes[chosen])
        answers = logits.argmax(-1)
        return {
            "held_out_loss": float(functional.cross_entropy(logits, right)),
            "accuracy": accuracy(answers.numpy(), right.numpy()),
            "macro_f1": macro_f1(answers.numpy(), right.numpy()),
        }

    def _held_out_order(self, rows: int) -> np.ndarray:
        """Indices of held-out texts of all classes, shuffled by a fixed seed."""
        return np.random.default_rng(0).permutation(len(self.held_out.classes))[:rows]

    def probe(self, length: int) -> Probe:
        """A held-out text."""
        return Probe(batch=self.held_out.batch(self._held_out_order(1), min(length, PROBE_TOKENS)))

    @torch.no_grad()
    def samples(self, model: Transformer) -> list[Sample]:
        """Some held-out texts, and their predicted classes."""
        batch = self.held_out.batch(self._held_out_order(N_SAMPLES), model.config.context)
        assert batch.classes is not None
        answers = _class_logits(model, batch).argmax(-1).tolist()
        return [self._sample(*row) for row in zip(batch.ids.tolist(), answers, batch.classes.tolist(), strict=True)]

    def _sample(self, ids: list[int], answer: int, right: int) -> AnswerSample:
        return AnswerSample(
            question=self.tokenizer.decode(ids)[:SHOWN_CHARACTERS],
            answer=self.class_names[answer],
            right=self.class_names[right],
            is_right=answer == right,
        )

    def save(self, folder: Path) -> None:
        """Write the vocabulary, the classes and the encoded texts, so that resuming reads the same ids."""
        self.tokenizer.save(str(folder / "tokenizer.json"))
        about = {"names": self.class_names, "skipped": self.skipped}
        (folder / "classes.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        save_splits(folder, train=self.train, held_out=self.held_out)


def _class_logits(model: Transformer, batch: Batch) -> Float[Tensor, "row class"]:
    return model.classify(model.read(batch.ids, mask=batch.mask))


def class_names_of(labelled: LabelledTexts) -> tuple[str, ...]:
    """The labels in alphabetical order. Raises UserError for fewer than two or more than MOST_LABELS."""
    names = tuple(sorted({group.label for group in labelled.groups}))
    if not names:
        raise UserError("There is no labelled text; write at least two texts of each of two labels.")
    check_labels(names)
    return names


def prepare_classification(config: ClassificationConfig) -> ClassificationTask:
    """Read the texts, hold out the last of each group, train the vocabulary on the others, and encode both parts."""
    labelled = config.read()
    names = class_names_of(labelled)
    train, held_out = split(labelled, config.held_out)
    tokenizer = train_vocabulary(
        config.vocabulary, [text for text, _ in train], config.vocabulary_size, model="encoder"
    )
    return ClassificationTask(
        config=config,
        tokenizer=tokenizer,
        class_names=names,
        train=_encode(tokenizer, train, names),
        held_out=_encode(tokenizer, held_out, names),
        skipped=labelled.skipped,
    )


def split(labelled: LabelledTexts, share: float) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(text, label) pairs to train on and to hold out: the last share of each group, at least one of two or more.

    Raises UserError if nothing can be held out.
    """
    train: list[tuple[str, str]] = []
    held_out: list[tuple[str, str]] = []
    for group in labelled.groups:
        count = len(group.texts)
        cut = count - min(count - 1, max(1, round(share * count)))
        train.extend((text, group.label) for text in group.texts[:cut])
        held_out.extend((text, group.label) for text in group.texts[cut:])
    if not held_out:
        raise UserError("Every label has one text only; at least one label needs two, so that one can be held out.")
    return train, held_out


def _encode(tokenizer: Tokenizer, examples: list[tuple[str, str]], names: tuple[str, ...]) -> Examples:
    ids, starts = encode_flat(tokenizer, [text for text, _ in examples])
    class_ids = {name: index for index, name in enumerate(names)}
    return Examples(ids=ids, starts=starts, classes=np.array([class_ids[label] for _, label in examples]))


def restore_classification(config: ClassificationConfig, folder: Path) -> ClassificationTask:
    """The task of a run folder. Raises UserError if its files are damaged."""
    with reading_saved(folder, "tokens.npz", "classes.json", "tokenizer.json"):
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        about = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
        train, held_out = load_splits(folder, Examples)
        names, skipped = tuple(about["names"]), int(about["skipped"])
    return ClassificationTask(
        config=config, tokenizer=tokenizer, class_names=names, train=train, held_out=held_out, skipped=skipped
    )


KIND = TaskKind(
    name="classification",
    config=ClassificationConfig,
    prepare=prepare_classification,
    read=restore_classification,
    right="The label of the text.",
)
