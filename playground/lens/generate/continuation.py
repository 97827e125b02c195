"""A text continued token by token with the model's own KV cache: next-token logits and attention weights.

A model without a cache, ours included, reads the whole sequence again at each step; the numbers are the same.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.attention import handling
from playground.errors import UserError
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import EmptyTextError, TooLongError, input_tokens
from playground.lens.generate.predictions import require_finite_logits, require_output_head
from playground.models.adapters.directions import MASK_BEHIND

if TYPE_CHECKING:
    from playground.models import LoadedModel

AttentionWeights = dict[SiteKind, Float[Tensor, "layer head key"]]
"""Attention weights of the last query in every head, by kind of attention."""


class Continuation:
    """`feed` it tokens and it returns the next token's logits; rows run in parallel, as beam search needs them.

    Raises UserError for an encoder, a model without an output head, and a text that is empty or beyond the context.
    """

    def __init__(self, model: "LoadedModel", text: str) -> None:
        require_output_head(model)
        if model.kind == "encoder":
            raise UserError("{name} is an encoder: it generates no text, but fills in masked tokens.", name=model.name)
        _refuse_mask_behind(model)
        self.model = model
        self.prompt = [token.id for token in input_tokens(model, text)]
        if not self.prompt:
            raise EmptyTextError()
        if len(self.prompt) > model.context:
            raise TooLongError(len(self.prompt), model.context)
        self.has_encoder = model.kind == "encoder-decoder"
        self.first = [model.adapter.start_id()] if self.has_encoder else self.prompt
        self.limit = model.context
        self._recorder = recorder_for(model.module, None if self.has_encoder else "decoder", None)
        self._use_cache = model.adapter.keeps_cache()
        self._cache: Any = None
        self._ids = torch.empty(1, 0, dtype=torch.long, device=model.device)
        self._encoded = self._encode() if self.has_encoder else None
        # As `generate` does, a decoder's prompt is what its encoder_… settings look at.
        source = torch.tensor([self.prompt], device=model.device)
        self._constrained = model.adapter.constraint(prompt=len(self.first), source=source)

    @property
    def length(self) -> int:
        """Number of tokens read so far (by an encoder-decoder's decoder, with its start token)."""
        return self._ids.shape[1]

    @torch.inference_mode()
    def feed(self, ids: Int[Tensor, "row token"] | Sequence[int]) -> Float[Tensor, "row vocabulary"]:
        """Read more tokens and return the next token's logits, as the model's generation settings change them.

        Raises UserError beyond the context and for logits that are not finite.
        """
        logits = self._read(ids)
        return self._constrained(self._ids, logits)

    @torch.inference_mode()
    def feed_beams(self, ids: Int[Tensor, "row token"] | Sequence[int]) -> Float[Tensor, "row vocabulary"]:
        """As `feed`, the log probabilities: a beam search's settings change these, and they need not sum to 1 again."""
        logits = self._read(ids)
        return self._constrained(self._ids, logits.log_softmax(-1))

    def _read(self, ids: Int[Tensor, "row token"] | Sequence[int]) -> Float[Tensor, "row vocabulary"]:
        new = ids if isinstance(ids, Tensor) else torch.tensor([list(ids)], device=self.model.device)
        if self.length + new.shape[1] > self.limit:
            raise TooLongError(self.length + new.shape[1], self.limit)
        self._ids = torch.cat([self._ids.expand(len(new), -1), new], dim=1)
        predicted = self.model.adapter.next_token(
            new if self._use_cache else self._ids,
            encoded=self._encoded,
            cache=self._cache if self._use_cache else None,
            use_cache=self._use_cache,
        )
        self._cache, self._use_cache = predicted.cache, predicted.cache is not None
        logits = predicted.logits.float()
        require_finite_logits(logits)
        return logits

    @torch.inference_mode()
    def feed_with_attention(self, ids: Sequence[int]) -> tuple[Float[Tensor, "vocabulary"], AttentionWeights]:
        """Read more tokens of a single row: the next token's logits, and the last token's attention weights."""
        if self.model.attention == "eager":
            logits = self.feed(ids)
            return logits[0], self._reported_weights()
        self._recorder = dataclasses.replace(self._recorder, sites=[], counts=type(self._recorder.counts)())
        with handling(self._recorder):
            logits = self.feed(ids)
        return logits[0], self._recorded_weights(self._recorder.sites)

    def keep_rows(self, rows: Int[Tensor, "row"]) -> None:
        """Continue with these rows, in this order; a row may occur several times."""
        self._ids = self._ids[rows]
        if self._cache is None:
            return
        if hasattr(self._cache, "reorder_cache"):
            self._cache.reorder_cache(rows)
        else:
            self._cache, self._use_cache = None, False

    @torch.inference_mode()
    def _encode(self) -> Float[Tensor, "1 token width"]:
        return self.model.adapter.encode_source(torch.tensor([self.prompt], device=self.model.device))

    def _recorded_weights(self, sites: Sequence[Site]) -> AttentionWeights:
        """The last query's weights in every layer, over all tokens so far.

        The cache of a sliding window holds the latest keys only: the earlier ones get weight zero.
        """
        layers: dict[SiteKind, list[Tensor]] = {}
        for site in sites:
            weights = site.pattern(slice(None), slice(site.queries - 1, site.queries))[:, 0]
            keys = len(self.prompt) if site.kind == "cross" else self.length
            layers.setdefault(site.kind, []).append(torch.nn.functional.pad(weights, (keys - weights.shape[-1], 0)))
        return {kind: torch.stack(weights) for kind, weights in layers.items()}

    def _reported_weights(self) -> AttentionWeights:
        """The weights that a family outside the attention seam reports itself."""
        predicted = self.model.adapter.next_token(self._ids, encoded=self._encoded, patterns=True)
        return {
            kind: torch.stack([layer[0, :, -1].float().cpu() for layer in layers])
            for kind, layers in predicted.patterns.items()
            if kind != "encoder"
        }


def _refuse_mask_behind(model: "LoadedModel") -> None:
    """Raise UserError for a family that `generate` lets write in another way than by its next token."""
    if model.family in MASK_BEHIND:
        raise UserError(
            "In the family {family}, transformers' generate puts a mask behind the text at every step and writes what "
            "stands for it; that is not done here, so {name} writes no text.",
            family=model.family,
            name=model.name,
        )
