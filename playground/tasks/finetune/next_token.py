"""The next token of prepared rows, of which only some positions count. Right is the token that stands there."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.perplexity import MOST_NATS, bits_per_byte
from playground.generation import greedy
from playground.lens.capture.later_keys import reads_both_ways
from playground.tasks.finetune.encoded_rows import EncodedRows
from playground.tasks.finetune.reader import ROWS_AT_ONCE, Reader, padded, refuse_kind
from playground.tasks.task import IGNORED, Batch, Probe, Sample, TextSample
from playground.text import N_
from playground.transformer import Transformer

NEEDS_DECODER = N_("{name} does not predict the next token; choose a decoder.")
MASK_PROBE = 8
"""Tokens: as many as show which keys a mask leaves."""
SEES_THE_ANSWER = N_(
    "{name} is a decoder that reads both ways: it would see each token that it is to learn. Choose a decoder that sees "
    "the tokens before it only."
)
PROBE_TOKENS = 48
N_SAMPLES = 3
SAMPLE_TOKENS = 40


def require_next_token(reader: Reader) -> None:
    """Raise UserError for a base that is no decoder, or whose tokens see those that they are to predict."""
    refuse_kind(NEEDS_DECODER, ("decoder",), reader.name, reader.kind)
    model = reader.model
    ids = torch.full((1, MASK_PROBE), model.adapter.neutral_id(), device=model.device)
    with torch.inference_mode():
        if reads_both_ways(model, ids):
            raise UserError(SEES_THE_ANSWER, name=reader.name)


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    """A row of tokens, and from which of them on the loss counts."""

    ids: list[int]
    first: int
    """At least 1: nothing predicts the first token."""
    n_bytes: int = 0
    """UTF-8 bytes of the counted tokens' text."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NextTokenTask(EncodedRows[TokenRow]):
    """Rows to train on and to hold out."""

    def training_batch(self, rows: list[int]) -> Batch:
        """The training rows of these numbers."""
        return self._batch([self.train[row] for row in rows])

    def _batch(self, rows: list[TokenRow]) -> Batch:
        ids, mask = padded([row.ids[:-1] for row in rows], self.reader.padding)
        # A row of ids [s, p, q, a] whose answer begins at 3 has the labels [-, -, a].
        labels = [[IGNORED] * (row.first - 1) + row.ids[row.first :] for row in rows]
        return Batch(ids=ids, mask=mask, labels=padded(labels, IGNORED)[0])

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Held-out loss in nats per counted token, perplexity, and bits per byte of the counted text."""
        chosen = self.held_out[:rows]
        losses = np.concatenate(self.losses(model, chosen))
        loss = float(losses.mean())
        return {
            "held_out_loss": loss,
            "perplexity": math.exp(min(loss, MOST_NATS)),
            "bits_per_byte": bits_per_byte(losses, sum(row.n_bytes for row in chosen)),
        }

    @torch.no_grad()
    def losses(self, model: Transformer, rows: list[TokenRow]) -> list[Float[np.ndarray, "counted"]]:
        """The loss of each counted token, in nats, row by row."""
        losses: list[np.ndarray] = []
        for start in range(0, len(rows), ROWS_AT_ONCE):
            batch = self._batch(rows[start : start + ROWS_AT_ONCE])
            assert batch.labels is not None
            counted = batch.labels != IGNORED
            read = model.read(batch.ids, mask=batch.mask)
            nats = functional.cross_entropy(model.head(read[counted]), batch.labels[counted], reduction="none")
            # The counted tokens of all rows stand in one line: [2, 1] of three are cut behind the second.
            losses += np.split(nats.double().numpy(), np.cumsum(counted.sum(1).numpy())[:-1])
        return losses

    def probe(self, length: int) -> Probe:
        """The beginning of a held-out row."""
        return Probe(batch=Batch(ids=torch.tensor([self.held_out[0].ids[: min(length, PROBE_TOKENS)]])))

    @torch.no_grad()
    def samples(self, model: Transformer) -> list[Sample]:
        """What the model writes after the first words, or the prompts, of held-out rows."""
        return [self._sample(model, row) for row in self.held_out[:N_SAMPLES]]

    def _sample(self, model: Transformer, row: TokenRow) -> Sample:
        prompt = row.ids[: max(row.first, min(8, len(row.ids)))] if row.first == 1 else row.ids[: row.first]
        context = self.reader.context
        written = greedy(
            lambda ids: model.head(model.read(ids[:, -context:])[:, -1]),
            torch.tensor([prompt]),
            longest=SAMPLE_TOKENS,
            ends=self.reader.ends,
        )
        shown, whole = (self.spelled(ids) for ids in (prompt, [*prompt, *written[0].tolist()]))
        return TextSample(prompt=shown, text=whole.removeprefix(shown))

    def spelled(self, ids: list[int]) -> str:
        """The text of tokens with its blanks, which part a prompt from what follows it; without special ones."""
        return str(self.reader.tokenizer.decode(ids, skip_special_tokens=True))
