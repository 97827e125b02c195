"""Score a text: each token's probability, surprisal and entropy; perplexity and bits per byte.

A decoder predicts each token from those before it, an encoder-decoder its target also from the source, an encoder each
token from all others with itself masked (Salazar et al. 2020: pseudo-perplexity).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.decoding import well_formed
from playground.errors import UserError
from playground.evaluation.perplexity import bits_per_byte, perplexity
from playground.evaluation.resampling import Spread, bootstrap_score
from playground.lens.capture.forward import run_pass
from playground.lens.capture.later_keys import reads_both_ways
from playground.lens.capture.tokens import EmptyTextError, Token, encode, label
from playground.lens.capture.typed_bytes import covered_bytes, typed_ends
from playground.lens.generate.fill_mask import each_masked
from playground.lens.generate.predictions import require_finite_logits, require_output_head
from playground.progress import OnProgress, no_progress
from playground.text import _

if TYPE_CHECKING:
    from playground.models import LoadedModel

LONGEST_WINDOW = 1024
PROBED_TOKENS = 64
CHUNK = 64
"""Number of positions whose distributions over the vocabulary are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Sliding window over a text beyond the context.

    Every token outside the first window has at least window - stride tokens before it.
    """

    window: int = 0
    """In tokens; 0: the model's context, at most LONGEST_WINDOW."""
    stride: int = 0
    """In tokens; 0: half the window."""

    def __post_init__(self) -> None:
        if self.window < 0 or self.window == 1 or self.stride < 0 or (self.window and self.stride >= self.window):
            raise UserError(
                "A window holds at least 2 tokens, and its stride must be smaller than the window; choose others."
            )

    def of(self, model: "LoadedModel") -> tuple[int, int]:
        """Window and stride for a model. Raises UserError for a window beyond its context."""
        if self.window > model.context:
            raise UserError(
                "{name} reads {context} tokens at once; choose a window of at most that.",
                name=model.name,
                context=model.context,
            )
        window = self.window or min(model.context, LONGEST_WINDOW)
        return window, min(self.stride or max(1, window // 2), window - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class TextSurprisal:
    """Scores of each token; NaN, and rank -1, where the model predicted nothing."""

    tokens: tuple[Token, ...]
    probability: Float[np.ndarray, "token"]
    surprisal: Float[np.ndarray, "token"]
    """-log p in nats."""
    entropy: Float[np.ndarray, "token"]
    """Of the distribution that predicted the token, in nats."""
    rank: Int[np.ndarray, "token"]
    """Number of more probable tokens."""
    bytes: int | None
    """Of the typed text that predicted tokens cover, in UTF-8; None where the tokenizer does not tell."""

    @property
    def predicted(self) -> Bool[np.ndarray, "token"]:
        """Which tokens the model predicted: all but a decoder's first, and special ones of an encoder."""
        return self.rank >= 0

    @property
    def mean(self) -> float:
        """Cross-entropy: mean surprisal of the predicted tokens in nats; NaN where there are none."""
        return float(self.surprisal[self.predicted].mean()) if self.predicted.any() else math.nan

    @property
    def perplexity(self) -> float:
        """exp(mean surprisal); an encoder's is the pseudo-perplexity."""
        return perplexity(self.surprisal[self.predicted])

    @property
    def bits_per_byte(self) -> float | None:
        """Total surprisal in bits per byte of text, comparable across vocabularies; None as `missing_bits` says."""
        return bits_per_byte(self.surprisal[self.predicted], self.bytes) if self.bytes else None

    @property
    def bits_spread(self) -> Spread | None:
        """Bits per byte with the interval over tokens; the number of bytes is that of the text in every resample."""
        n_bytes, nats = self.bytes, self.surprisal[self.predicted]
        if not n_bytes:
            return None
        return bootstrap_score(nats[:, None], lambda sums: np.array([bits_per_byte(row, n_bytes) for row in sums]))

    @property
    def missing_bits(self) -> str:
        """Why there are no bits per byte; empty where there are."""
        if self.bytes is None:
            return _(
                "No bits per byte: the tokenizer does not tell which bytes of the text the tokens cover that are not "
                "predicted."
            )
        return "" if self.bytes else _("No bits per byte: no predicted token covers a byte of the text.")


@torch.inference_mode()
def text_surprisal(
    model: "LoadedModel",
    text: str,
    *,
    target: str | None = None,
    windows: Windows | None = None,
    on_progress: OnProgress = no_progress,
) -> TextSurprisal:
    """Score a text with a model; of an encoder-decoder its target, end token included.

    Raises UserError for a model without an output head, a decoder that reads both ways, and a text without tokens.
    """
    require_output_head(model)
    if model.kind == "encoder":
        return _score_encoder(model, text, on_progress)
    if model.kind == "encoder-decoder":
        return _score_target(model, text, target)
    tokens = encode(model.tokenizer, text)
    if not tokens:
        raise EmptyTextError()
    window, stride = (windows or Windows()).of(model)
    scores = _Scores(len(tokens))
    ids = torch.tensor([token.id for token in tokens], device=model.device)
    _refuse_seen_answers(model, ids[None, : min(window, PROBED_TOKENS)])
    for start, first, end in spans(len(tokens), window, stride):
        logits = _text_logits(model, ids[None, start:end])
        # The logits at position i predict token i + 1.
        scores.add(logits[first - start - 1 : -1], ids[first:end], range(first, end))
        on_progress(end, len(tokens))
    return scores.finish(tokens, _predicted_bytes(model, text, scores))


def surprisal_alone(
    model: "LoadedModel", text: str, *, windows: Windows | None = None, on_progress: OnProgress = no_progress
) -> TextSurprisal:
    """As `text_surprisal`, of a text alone, among several models: every UserError names its model."""
    try:
        if model.kind == "encoder-decoder":
            raise UserError(
                "It translates: its perplexity is of a target, which the predict page scores. Choose a decoder or an "
                "encoder."
            )
        return text_surprisal(model, text, windows=windows, on_progress=on_progress)
    except UserError as error:
        raise UserError("{name}: {reason}", name=model.name, reason=str(error)) from error


def spans(length: int, window: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """Windows over a text as (start, first scored token, end).

    >>> list(spans(10, 6, 3))
    [(0, 1, 6), (3, 6, 9), (6, 9, 10)]
    """
    start, first = 0, 1
    while first < length or start == 0:
        end = min(start + window, length)
        yield start, first, end
        start, first = start + stride, max(end, 1)
        if end == length:
            return


class _Scores:
    """Arrays that are filled in position by position."""

    def __init__(self, length: int) -> None:
        self.probability = np.full(length, np.nan)
        self.surprisal = np.full(length, np.nan)
        self.entropy = np.full(length, np.nan)
        self.rank = np.full(length, -1)

    def add(
        self, logits: Float[Tensor, "row vocabulary"], ids: Int[Tensor, "row"], positions: range | list[int]
    ) -> None:
        """Score each token with its row of logits, CHUNK rows at a time."""
        for start in range(0, len(ids), CHUNK):
            chosen, targets = list(positions[start : start + CHUNK]), ids[start : start + CHUNK, None]
            logs = logits[start : start + CHUNK].float().log_softmax(-1)
            require_finite_logits(logs)
            target_logs = logs.gather(1, targets)
            self.surprisal[chosen] = -target_logs[:, 0].cpu().numpy()
            self.probability[chosen] = target_logs[:, 0].exp().cpu().numpy()
            # 0 * log 0 is 0, but 0 * -inf is NaN: clamp first.
            self.entropy[chosen] = -(logs.exp() * logs.clamp(min=-1e30)).sum(-1).cpu().numpy()
            self.rank[chosen] = (logs > target_logs).sum(-1).cpu().numpy()

    def finish(self, tokens: list[Token], n_bytes: int | None) -> TextSurprisal:
        """The finished scores."""
        return TextSurprisal(
            tokens=tuple(tokens),
            probability=self.probability,
            surprisal=self.surprisal,
            entropy=self.entropy,
            rank=self.rank,
            bytes=n_bytes,
        )


def _score_encoder(model: "LoadedModel", text: str, on_progress: OnProgress) -> TextSurprisal:
    """Each token masked in turn."""
    tokens, masked = each_masked(model, text)
    scores, total = _Scores(len(tokens)), sum(not token.special for token in tokens)
    for done, (position, logits) in enumerate(masked, 1):
        scores.add(logits[None], torch.tensor([tokens[position].id], device=logits.device), [position])
        on_progress(done, total)
    return scores.finish(tokens, _predicted_bytes(model, text, scores))


def _score_target(model: "LoadedModel", text: str, target: str | None) -> TextSurprisal:
    """The target's tokens after the decoder's start token, and the end token where there is one."""
    if target is None:
        raise UserError("An encoder-decoder scores a target; give one beside the text.")
    result = run_pass(model, text, target, pair=None, truncate=False, on_layer=None)
    if not result.source:
        raise EmptyTextError()
    end = label(model.tokenizer, sorted(model.adapter.end_ids())[:1])
    tokens = [*result.target[1:], *end]
    arguments = {name: value for name, value in result.arguments.items() if name != "logits_to_keep"}
    logits = model.adapter.logits(model.module(**arguments))
    assert logits is not None
    scores = _Scores(len(tokens))
    ids = torch.tensor([token.id for token in tokens], device=model.device)
    scores.add(logits[0, : len(tokens)], ids, range(len(tokens)))
    return scores.finish(tokens, len(well_formed(target).encode()))


def _refuse_seen_answers(model: "LoadedModel", ids: Int[Tensor, "1 token"]) -> None:
    """Raise UserError for a decoder whose tokens see those behind them, as its masks say."""
    if reads_both_ways(model, ids):
        raise UserError(
            "{name} is a decoder that reads both ways: each token is seen before it is predicted, so that its "
            "surprisal says nothing. Choose a decoder that sees the tokens before it only, or an encoder.",
            name=model.name,
        )


def _text_logits(model: "LoadedModel", ids: Int[Tensor, "1 token"]) -> Float[Tensor, "token vocabulary"]:
    logits = model.adapter.logits(model.module(**model.adapter.arguments(ids)))
    assert logits is not None
    return logits[0]


def _predicted_bytes(model: "LoadedModel", text: str, scores: _Scores) -> int | None:
    """Bytes of the text that predicted tokens cover."""
    return covered_bytes(typed_ends(model, text), (scores.rank >= 0).tolist())
