"""Texts and what an encoder-decoder should make of them, such as translations. Right is the reference, by BLEU."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.bleu import bleu_scores, bleu_statistics
from playground.evaluation.lines import ComparedLines
from playground.generation import greedy_answers
from playground.tasks.finetune.encoded_rows import EncodedRows
from playground.tasks.finetune.labels import SHOWN_CHARACTERS, cut
from playground.tasks.finetune.reader import Reader, by_length, padded, refuse_kind
from playground.tasks.finetune.rows import SplitRows
from playground.tasks.finetune.tables import split_answers
from playground.tasks.sources import check_held_out
from playground.tasks.task import IGNORED, AnswerSample, Batch, Probe, Sample
from playground.text import N_
from playground.transformer import Transformer

NEEDS_BOTH = N_("{name} does not turn one text into another; choose an encoder-decoder.")
MOST_WRITTEN = 60
"""Tokens of an answer."""
N_SAMPLES = 6


@dataclass(frozen=True, kw_only=True)
class PairsConfig:
    """A table of sources and targets."""

    sources: tuple[str, ...] = ()
    text: str = ""
    """A table that was typed in."""
    source_column: str = "source"
    target_column: str = "target"
    held_out: float = 0.1

    def __post_init__(self) -> None:
        check_held_out(self.held_out)
        if not self.sources and not self.text.strip():
            raise UserError("Name a table with sources and targets, or type one in.")


@dataclass(frozen=True, kw_only=True, eq=False)
class PairsTask(EncodedRows[tuple[list[int], list[int]]]):
    """Sources and targets, encoded; a target begins with the decoder's start token and has no end."""

    def training_batch(self, rows: list[int]) -> Batch:
        """The training rows of these numbers."""
        return self._batch([self.train[row] for row in rows])

    def _batch(self, pairs: list[tuple[list[int], list[int]]]) -> Batch:
        ids, mask = padded([source for source, _ in pairs], self.reader.padding)
        target_ids, _ = padded([target for _, target in pairs], self.reader.padding)
        labels, _ = padded([[*target[1:], self.reader.ends[0]] for _, target in pairs], IGNORED)
        return Batch(ids=ids, mask=mask, target_ids=target_ids, labels=labels)

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Teacher-forced loss in nats per token, and BLEU of the greedy answers (Papineni et al. 2002)."""
        pairs = self.held_out[:rows]
        answers = self.answers(model, pairs)
        references = tuple((label,) for label in self.split.held_out.labels[: len(pairs)])
        statistics = bleu_statistics(ComparedLines(hypotheses=tuple(answers), references=references))
        total, counted = 0.0, 0
        for group in by_length([source for source, _ in pairs]):
            batch = self._batch([pairs[row] for row in group])
            assert batch.labels is not None
            logits = model(batch.ids, batch.target_ids, mask=batch.mask)
            labels = batch.labels.flatten()
            total += float(
                functional.cross_entropy(logits.flatten(0, 1), labels, ignore_index=IGNORED, reduction="sum")
            )
            counted += int((labels != IGNORED).sum())
        return {"held_out_loss": total / counted, "bleu": float(bleu_scores(statistics.sum(0)))}

    def answers(self, model: Transformer, pairs: list[tuple[list[int], list[int]]]) -> list[str]:
        """The greedy answer to each source."""
        answers = [""] * len(pairs)
        start, end = self.held_out[0][1][0], self.reader.ends[0]
        for group in by_length([source for source, _ in pairs]):
            ids, mask = padded([pairs[row][0] for row in group], self.reader.padding)
            written = greedy_answers(model, ids, mask, start=start, end=end, most=MOST_WRITTEN).tolist()
            for row, tokens in zip(group, written, strict=True):
                answers[row] = self.reader.decode(tokens[: tokens.index(end)] if end in tokens else tokens)
        return answers

    def probe(self, length: int) -> Probe:
        """A held-out pair."""
        return Probe(batch=self._batch(self.held_out[:1]))

    @torch.no_grad()
    def samples(self, model: Transformer) -> list[Sample]:
        """The answers to some held-out sources."""
        rows = self.split.held_out
        answers = self.answers(model, self.held_out[:N_SAMPLES])
        return [
            AnswerSample(question=text[:SHOWN_CHARACTERS], answer=answer, right=right, is_right=answer == right)
            for text, answer, right in zip(rows.texts, answers, rows.labels, strict=False)
        ]


def read_pairs(config: PairsConfig) -> SplitRows:
    """The pairs in two parts. Raises UserError for a table that cannot be read."""
    columns = config.source_column, config.target_column
    return split_answers(config.sources, config.text, columns, held_out=config.held_out)


def encode_pairs(split: SplitRows, reader: Reader, length: int) -> PairsTask:
    """Sources and targets. Raises UserError for a base that is no encoder-decoder."""
    refuse_kind(NEEDS_BOTH, ("encoder-decoder",), reader.name, reader.kind)
    if not reader.ends:
        raise UserError("The vocabulary of {name} has no token that ends a text.", name=reader.name)
    longest = min(length, reader.context)
    train, held_out = (
        [
            (
                cut(reader.encode(source), longest, is_open=False),
                reader.model.adapter.target_ids(target)[:longest],
            )
            for source, target in zip(rows.texts, rows.labels, strict=True)
        ]
        for rows in (split.train, split.held_out)
    )
    return PairsTask(reader=reader, split=split, train=train, held_out=held_out)
