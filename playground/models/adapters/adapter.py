"""What differs between our own models and those of transformers, behind one protocol."""

from collections.abc import Mapping, Sequence
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
"""Which attention: a stack's own, or the decoder's to the encoder."""
TOKENIZER_LOCK = Lock()
"""transformers changes a tokenizer's settings at a call: who needs them to stay as they are holds this lock."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NextToken:
    """What a pass says about the token after the last one."""

    logits: Float[Tensor, "row vocabulary"]
    cache: Any = None
    """Keys and values of the tokens so far, for the next pass; None where the model keeps none."""
    patterns: Mapping[PatternKind, Sequence[Tensor]] = field(default_factory=dict)
    """The attention weights that the model reports itself, where they were asked for."""


class ModelAdapter(Protocol):
    """How one family of models is called. The lens asks through it and knows no family by name."""

    ids_name: str
    """Name of the pass's argument that holds the token ids."""
    target_name: str
    """Name of the argument that holds the ids of an encoder-decoder's target."""

    def arguments(
        self,
        ids: Int[Tensor, "batch token"],
        *,
        segments: Sequence[int] = (),
        target_ids: Int[Tensor, "batch position"] | None = None,
        last_only: bool = False,
    ) -> dict[str, Any]:
        """Keyword arguments of one pass; last_only: the logits of the last position are enough."""

    def logits(self, output: Any) -> Float[Tensor, "batch token vocabulary"] | None:
        """Logits in what a pass returned; None without an output head."""

    def embedding(self) -> nn.Module:
        """The module that looks up token embeddings."""

    def output_head(self) -> nn.Module | None:
        """The module that turns the residual stream into logits."""

    def start_id(self) -> int:
        """The token that an encoder-decoder's decoder begins with. Raises UserError for a vocabulary without one."""

    def end_ids(self) -> frozenset[int]:
        """The tokens that end a text."""

    def neutral_id(self) -> int:
        """A token that says nothing: padding, else the end of a text, else the first."""

    def mask_id(self, spellings: Sequence[str]) -> int | None:
        """The token that stands for a masked one; None where the vocabulary has none."""

    def unknown_id(self) -> int | None:
        """The token for what the vocabulary cannot spell; None where it can spell everything."""

    def target_ids(self, target: str) -> list[int]:
        """What the decoder reads of a target: its start token, and the target without the token that ends it."""

    def encode_source(self, ids: Int[Tensor, "1 token"]) -> Float[Tensor, "1 token width"]:
        """What the encoder of an encoder-decoder makes of the source."""

    def keeps_cache(self) -> bool:
        """Whether passes can share keys and values."""

    def next_token(
        self,
        ids: Int[Tensor, "row token"],
        *,
        encoded: Float[Tensor, "1 token width"] | None = None,
        cache: Any = None,
        use_cache: bool = False,
        patterns: bool = False,
    ) -> NextToken:
        """Read ids (of the decoder, where the source is encoded) and say what comes next."""

    def reported_patterns(self, output: Any) -> "dict[PatternKind, Sequence[Tensor]]":
        """Attention weights that a pass with `output_attentions` reports; [batch, head, query, key] a layer."""

    def versions(self) -> dict[str, str]:
        """Versions of the libraries that compute the model, beside torch."""


def adapter_of(model: "LoadedModel") -> ModelAdapter:
    """The adapter of a loaded model, by its family: the one place that asks."""
    if model.is_own:
        from playground.models.adapters.own import OwnAdapter

        return OwnAdapter(model)
    from playground.models.adapters.transformers import TransformersAdapter

    return TransformersAdapter(model)


@torch.inference_mode()
def greedy_target(adapter: ModelAdapter, ids: Int[Tensor, "1 token"], *, longest: int) -> Int[Tensor, "1 position"]:
    """What a decoder reads while it writes greedily: its start token and its own tokens, without the end."""
    encoded, ends = adapter.encode_source(ids), adapter.end_ids()
    start = torch.full_like(ids[:, :1], adapter.start_id())
    written = greedy(
        lambda read: adapter.next_token(read, encoded=encoded).logits, start, longest=longest - 1, ends=ends
    )
    if written.numel() and int(written[0, -1]) in ends:
        written = written[:, :-1]
    return torch.cat([start, written], dim=1)
