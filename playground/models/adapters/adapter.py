"""The protocol through which every family of models is called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from playground.generation import greedy

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel


PatternKind = Literal["encoder", "decoder", "cross"]
"""Self-attention of an encoder or decoder, or cross-attention."""
TOKENIZER_LOCK = Lock()
"""Hold it while a tokenizer's settings must not change: transformers changes them at each call."""


Constraint = Callable[[Int[Tensor, "row token"], Float[Tensor, "row vocabulary"]], Float[Tensor, "row vocabulary"]]
"""Everything read so far, and the next token's logits; returns the logits as generation settings change them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NextToken:
    """The prediction for the next token."""

    logits: Float[Tensor, "row vocabulary"]
    cache: Any = None
    """Keys and values of the tokens so far, for the next pass; None if the model keeps none."""
    patterns: Mapping[PatternKind, Sequence[Tensor]] = field(default_factory=dict)
    """Attention weights that the model itself reports, if they were requested."""


class ModelAdapter(Protocol):
    """How a family of models is called. The lens uses only this protocol and names no family."""

    ids_name: str
    """The module's argument for token ids."""
    target_name: str
    """The module's argument for an encoder-decoder's target ids."""

    def arguments(
        self,
        ids: Int[Tensor, "batch token"],
        *,
        segments: Sequence[int] = (),
        target_ids: Int[Tensor, "batch position"] | None = None,
        last_only: bool = False,
    ) -> dict[str, Any]:
        """The module's keyword arguments. last_only: the last position's logits suffice, which saves memory."""

    def logits(self, output: Any) -> Float[Tensor, "batch token vocabulary"] | None:
        """The logits in a module's output; None without an output head."""

    def embedding(self) -> nn.Module:
        """The token embedding."""

    def output_head(self) -> nn.Module | None:
        """The module from residual stream to logits (the unembedding); None if there is none."""

    def start_id(self) -> int:
        """The first token of an encoder-decoder's decoder. Raises UserError if the vocabulary has none."""

    def end_ids(self) -> frozenset[int]:
        """The tokens that end a text."""

    def neutral_id(self) -> int:
        """A token without meaning: padding, or the end of a text, or the first of the vocabulary."""

    def mask_id(self, spellings: Sequence[str]) -> int | None:
        """The mask token, in one of these spellings; None if the vocabulary has none."""

    def unknown_id(self) -> int | None:
        """The token for unknown characters; None if the vocabulary covers everything."""

    def target_ids(self, target: str) -> list[int]:
        """The decoder's input for a target: the start token, and the target without its end token."""

    def encode_source(self, ids: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token width"]:
        """The last state of each token, after the last norm: of an encoder-decoder's encoder, or of the only stack."""

    def keeps_cache(self) -> bool:
        """Whether `next_token` can reuse keys and values (KV cache)."""

    def next_token(
        self,
        ids: Int[Tensor, "row token"],
        *,
        encoded: Float[Tensor, "1 token width"] | None = None,
        cache: Any = None,
        use_cache: bool = False,
        patterns: bool = False,
    ) -> NextToken:
        """Predict the token after `ids`, which are the decoder's if a source is given as `encoded`.

        patterns: also return the attention weights that the model reports.
        """

    def constraint(self, *, prompt: int, source: Int[Tensor, "1 token"] | None = None) -> Constraint:
        """What the model's own generation settings make of logits, for one text: forced, forbidden, penalised.

        prompt: how many of the tokens were given. source: an encoder's tokens, or a decoder's prompt.
        """

    def unfollowed_settings(self) -> Mapping[str, Any]:
        """Generation settings that the model brings and that are not followed here, by name: a forced end, sampling."""

    def reported_patterns(self, output: Any) -> "dict[PatternKind, Sequence[Tensor]]":
        """Attention weights in the output of a pass with `output_attentions`; per layer [batch, head, query, key]."""

    def fused_rows(self) -> Mapping[str, Mapping[str, slice]]:
        """Weights that hold several matrices below each other: the rows of each part, by the weight's path."""

    def versions(self) -> dict[str, str]:
        """Versions of the libraries behind the model, other than torch."""


def adapter_of(model: "LoadedModel") -> ModelAdapter:
    """The adapter for a loaded model's family."""
    if model.is_own:
        from playground.models.adapters.own import OwnAdapter

        return OwnAdapter(model)
    from playground.models.adapters.transformers import TransformersAdapter

    return TransformersAdapter(model)


@torch.inference_mode()
def greedy_target(adapter: ModelAdapter, ids: Int[Tensor, "1 token"], *, longest: int) -> Int[Tensor, "1 position"]:
    """A decoder's input after greedy decoding: its start token and the generated ones, without the end token."""
    encoded, ends = adapter.encode_source(ids), adapter.end_ids()
    constrained = adapter.constraint(prompt=1, source=ids)
    start = torch.full_like(ids[:, :1], adapter.start_id())

    def next_logits(decoder_ids: Int[Tensor, "row position"]) -> Float[Tensor, "row vocabulary"]:
        logits = adapter.next_token(decoder_ids, encoded=encoded).logits
        return constrained(decoder_ids, logits)

    written = greedy(
        next_logits,
        start,
        longest=longest - 1,
        ends=ends,
    )
    if written.numel() and int(written[0, -1]) in ends:
        written = written[:, :-1]
    return torch.cat([start, written], dim=1)
