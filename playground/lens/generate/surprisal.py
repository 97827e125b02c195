"""How a model takes a text: each token's probability, surprise and entropy; perplexity and bits per byte.

A decoder's token is judged from those before it, an encoder-decoder's target also from the source, an encoder's token
from all others with itself masked (Salazar et al. 2020: pseudo-perplexity).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.forward import forward_parameters, run_pass
from playground.lens.capture.tokens import Token, encode, is_byte_level, label, rust_tokenizer
from playground.lens.generate.continuation import end_ids
from playground.lens.generate.fill import each_masked
from playground.lens.generate.predictions import refuse_not_a_number, require_output_head
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

LONGEST_WINDOW = 1024
ROWS = 64
"""How many positions' distributions over the vocabulary are held at once."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How a text beyond the context is read: in windows that move on by a stride.

    Every token but the first window's has at least window - stride tokens before it. window 0: the model's context, at
    most 1,024; stride 0: half the window.
    """

    window: int = 0
    stride: int = 0

    def __post_init__(self) -> None:
        if self.window < 0 or self.window == 1 or self.stride < 0 or (self.window and self.stride >= self.window):
            raise UserError("A window holds at least 2 tokens and moves on by fewer than it holds; choose others.")

    def of(self, model: "LoadedModel") -> tuple[int, int]:
        """Window and stride for a model. Raises UserError for a window that the model does not take."""
        if self.window > model.context:
            raise UserError(
                "{name} reads {context} tokens at once; choose a window of at most that.",
                name=model.name,
                context=model.context,
            )
        window = self.window or min(model.context, LONGEST_WINDOW)
        return window, min(self.stride or max(1, window // 2), window - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class TextSurprise:
    """Each token's probability, surprise and entropy (nats), and rank; NaN and -1 where the model predicted nothing.

    bytes: of the text that was predicted, in UTF-8.
    """

    tokens: tuple[Token, ...]
    probability: Float[np.ndarray, "token"]
    surprise: Float[np.ndarray, "token"]
    entropy: Float[np.ndarray, "token"]
    rank: Int[np.ndarray, "token"]
    bytes: int

    @property
    def predicted(self) -> Bool[np.ndarray, "token"]:
        """Which tokens the model predicted: not the first, that nothing stands before."""
        return self.rank >= 0

    @property
    def mean(self) -> float:
        """The mean surprise of the predicted tokens in nats; NaN where there are none."""
        return float(self.surprise[self.predicted].mean()) if self.predicted.any() else math.nan

    @property
    def perplexity(self) -> float:
        """Among how many equally probable tokens the model hesitates on average: e to the mean surprise."""
        return float(np.exp(self.mean))

    @property
    def bits_per_byte(self) -> float:
        """Surprise in bits for each byte of text: comparable between vocabularies. NaN without predicted bytes."""
        total = float(self.surprise[self.predicted].sum())
        return total / math.log(2) / self.bytes if self.bytes else math.nan


@torch.inference_mode()
def text_surprise(
    model: "LoadedModel",
    text: str,
    *,
    target: str | None = None,
    windows: Windows | None = None,
    on_progress: OnProgress = no_progress,
) -> TextSurprise:
    """Judge a text by a model; of an encoder-decoder its target, with the token that ends it.

    Raises UserError for a model without an output head, or a text without tokens.
    """
    require_output_head(model)
    if model.kind == "encoder":
        return _of_encoder(model, text, on_progress)
    if model.kind == "encoder-decoder":
        return _of_target(model, text, target)
    tokens = encode(model.tokenizer, text)
    if not tokens:
        raise UserError("The text has no tokens; type a few words.")
    window, stride = (windows or Windows()).of(model)
    table = _Table(len(tokens))
    ids = torch.tensor([token.id for token in tokens], device=model.device)
    for begin, first, end in spans(len(tokens), window, stride):
        logits = _logits(model, ids[None, begin:end])
        table.judge(logits[first - begin - 1 : -1], ids[first:end], range(first, end))
        on_progress(end, len(tokens))
    return table.surprise(tokens, len(text.encode()) - _bytes_of_first(model, text, tokens[0]))


def spans(length: int, window: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """The windows over a text: where each begins, the first token that is judged in it, and its end.

    >>> list(spans(10, 6, 3))
    [(0, 1, 6), (3, 6, 9), (6, 9, 10)]
    """
    begin, judged = 0, 1
    while judged < length or begin == 0:
        end = min(begin + window, length)
        yield begin, judged, end
        begin, judged = begin + stride, max(end, 1)
        if end == length:
            return


class _Table:
    """The judgements that are filled in, position by position."""

    def __init__(self, length: int) -> None:
        self.probability = np.full(length, np.nan)
        self.surprised = np.full(length, np.nan)
        self.entropy = np.full(length, np.nan)
        self.rank = np.full(length, -1)

    def judge(
        self, logits: Float[Tensor, "row vocabulary"], ids: Int[Tensor, "row"], places: range | list[int]
    ) -> None:
        """Hold each row of logits against its token, some rows at a time."""
        for begin in range(0, len(ids), ROWS):
            chosen, wanted = list(places[begin : begin + ROWS]), ids[begin : begin + ROWS, None]
            logs = logits[begin : begin + ROWS].float().log_softmax(-1)
            refuse_not_a_number(logs)
            found = logs.gather(1, wanted)
            self.surprised[chosen] = -found[:, 0].cpu().numpy()
            self.probability[chosen] = found[:, 0].exp().cpu().numpy()
            self.entropy[chosen] = -(logs.exp() * logs.clamp(min=-1e30)).sum(-1).cpu().numpy()
            self.rank[chosen] = (logs > found).sum(-1).cpu().numpy()

    def surprise(self, tokens: list[Token], size: int) -> TextSurprise:
        """The finished record."""
        return TextSurprise(
            tokens=tuple(tokens),
            probability=self.probability,
            surprise=self.surprised,
            entropy=self.entropy,
            rank=self.rank,
            bytes=size,
        )


def _of_encoder(model: "LoadedModel", text: str, on_progress: OnProgress) -> TextSurprise:
    """Each token masked in its turn."""
    tokens, masked = each_masked(model, text)
    table, total = _Table(len(tokens)), sum(not token.special for token in tokens)
    for done, (place, logits) in enumerate(masked, 1):
        table.judge(logits[None], torch.tensor([tokens[place].id], device=logits.device), [place])
        on_progress(done, total)
    return table.surprise(tokens, len(text.encode()))


def _of_target(model: "LoadedModel", text: str, target: str | None) -> TextSurprise:
    """The target's tokens after the decoder's start, and the token that ends them where there is one."""
    if target is None:
        raise UserError("Give the target that is to be judged beside its source.")
    result = run_pass(model, text, target, pair=None, truncate=False, on_layer=None)
    if not result.source:
        raise UserError("The text has no tokens; type a few words.")
    ends = label(model.tokenizer, sorted(end_ids(model))[:1])
    tokens = [*result.target[1:], *ends]
    output = model.module(**result.arguments)
    logits = output if isinstance(output, Tensor) else output.logits
    table = _Table(len(tokens))
    ids = torch.tensor([token.id for token in tokens], device=model.device)
    table.judge(logits[0, : len(tokens)], ids, range(len(tokens)))
    return table.surprise(tokens, len(target.encode()))


def _logits(model: "LoadedModel", ids: Int[Tensor, "1 token"]) -> Float[Tensor, "token vocabulary"]:
    if model.family == "playground":
        own: Tensor = model.module(ids)
        return own[0]
    no_cache = {"use_cache": False} if "use_cache" in forward_parameters(model.module) else {}
    logits: Tensor = model.module(input_ids=ids, **no_cache).logits
    return logits[0]


def _bytes_of_first(model: "LoadedModel", text: str, first: Token) -> int:
    """How much of the text the first token holds, which nothing predicts."""
    if first.special:
        return 0
    rust = rust_tokenizer(model.tokenizer)
    if rust is None:
        return len(first.text.encode())
    if is_byte_level(rust):
        return len(rust.id_to_token(first.id) or "")
    return len(text[: rust.encode(text).offsets[0][1]].encode())
