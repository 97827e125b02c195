"""A model's parts: its blocks, what their layers write into the residual stream, and what stands around them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from playground.errors import UserError
from playground.lens.capture.site import SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel

StackKind = Literal["encoder", "decoder"]
TOLERANCE = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2}
"""Largest difference, relative to the largest number, at which two computations count as the same."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionParts:
    """One attention layer: the module that calls the seam, its output projection, and what writes to the stream.

    The writer is the projection itself, except where a family norms what it wrote (Gemma 2).
    """

    module: nn.Module
    projection: nn.Module
    writer: nn.Module


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockParts:
    """One block: its attention, its cross-attention and feed-forward layer where it has them.

    is_additive: the block returns its input plus what its writers write, so that the stream is a sum.
    """

    kind: StackKind
    layer: int
    module: nn.Module
    attention: AttentionParts
    cross: AttentionParts | None
    feed_forward: nn.Module | None
    is_additive: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The blocks in the order in which they run, and what stands before and after them.

    final_norm is None where nothing stands between the last block and what reads it. reads_out: the logits are
    exactly the unembedding of the final norm (not for a head with layers of its own, as BERT's, or soft-capped
    logits, as Gemma 2's).
    """

    blocks: tuple[BlockParts, ...]
    embedding: nn.Module
    final_norm: nn.Module | None
    unembedding: nn.Module | None
    reads_out: bool

    @property
    def kind(self) -> StackKind:
        """The stack that predicts."""
        return self.blocks[-1].kind

    @property
    def stack(self) -> tuple[BlockParts, ...]:
        """The blocks of the stack that predicts."""
        return tuple(block for block in self.blocks if block.kind == self.kind)

    def block(self, kind: SiteKind, layer: int) -> BlockParts:
        """The block with that layer; cross-attention is in the decoder's. Raises UserError where there is none."""
        stack: StackKind = "decoder" if kind == "cross" else kind
        found = [block for block in self.blocks if block.kind == stack]
        if not found:
            raise UserError("This model has no {stack}; choose a layer of its {kind}.", stack=stack, kind=self.kind)
        if not 0 <= layer < len(found):
            raise UserError(
                "There is no {stack} layer {layer}; choose 0 to {n_found}.",
                stack=stack,
                layer=layer,
                n_found=len(found) - 1,
            )
        return found[layer]

    def attention(self, kind: SiteKind, layer: int) -> AttentionParts:
        """The attention layer of that kind. Raises UserError where there is none."""
        block = self.block(kind, layer)
        found = block.cross if kind == "cross" else block.attention
        if found is None:
            raise UserError("This model has no cross-attention; choose its own attention.")
        return found


def embedding_of(model: "LoadedModel") -> nn.Module:
    """The module that looks up token embeddings."""
    module: Any = model.module
    found: nn.Module = module.embedding if model.family == "playground" else module.get_input_embeddings()
    return found
