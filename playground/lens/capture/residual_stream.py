"""What the residual stream before a layer is the sum of, or what the last norm made it of, at one token."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.anatomy import BlockParts, Parts, find_parts
from playground.lens.capture.hooks import Recording, record
from playground.lens.capture.norm_step import NormStep, norm_of
from playground.lens.capture.site import SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamParts:
    """The stream at one token: the sum of the vectors; behind a norm, the one vector that the norm received."""

    names: tuple[str, ...]
    """Which layer wrote each vector: x, what enters the first block, then attention_0, feed_forward_0, …;
    mixer_0 where a block does not attend."""
    vectors: Float[np.ndarray, "part width"]
    norm: NormStep | None = None


@torch.inference_mode()
def stream_parts(
    model: "LoadedModel", arguments: dict[str, Any], kind: SiteKind, layer: int, token: int
) -> StreamParts | None:
    """Run the model and split the stream that attention of that layer receives; None where it cannot be split."""
    parts = find_parts(model)
    block, first = parts.block(kind, layer), parts.first(parts.block(kind, layer).kind).module
    before = [other for other in parts.blocks if other.kind == block.kind and other.layer < block.layer]
    writers = _earlier_writers(before, block, kind)
    is_sum = all(other.is_additive for other in (*before, block))
    nearest = [] if is_sum else [*before[-1:], block]
    inside = {module for other in nearest for module in other.module.modules()}

    def row(tensor: Tensor) -> Tensor | None:
        """One token's numbers, of whatever has rows for tokens."""
        rows = tensor.reshape(-1, tensor.shape[-1]) if tensor.ndim > 1 and tensor.is_floating_point() else tensor[:0]
        return rows[token].clone() if token < len(rows) else None

    with record(
        inputs={first, *inside}, outputs=[writer for writer, _factor in writers.values()], keep=row
    ) as recording:
        model.module(**arguments)
    if not is_sum:
        return _behind_norm(parts, before, block, kind, recording)
    written = [factor * recording.output(writer) for writer, factor in writers.values()]
    vectors = [recording.inputs[first], *written]
    return StreamParts(names=("x", *writers), vectors=torch.stack(vectors).float().cpu().numpy())


def _earlier_writers(before: list[BlockParts], block: BlockParts, kind: SiteKind) -> dict[str, tuple[nn.Module, float]]:
    """Everything that has written into the stream before this attention, with the factor of its block, by name."""
    writers: dict[str, tuple[nn.Module, float]] = {}
    for other in before:
        if other.attention is not None:
            writers[f"attention_{other.layer}"] = other.attention.writer, other.factor
        if other.mixer is not None:
            writers[f"mixer_{other.layer}"] = other.mixer, other.factor
        if other.cross is not None:
            writers[f"cross_attention_{other.layer}"] = other.cross.writer, other.factor
        if other.feed_forward is not None:
            writers[f"feed_forward_{other.layer}"] = other.feed_forward, other.factor
    if kind == "cross" and block.attention is not None:
        writers[f"attention_{block.layer}"] = block.attention.writer, block.factor
    return writers


def _behind_norm(
    parts: Parts, before: list[BlockParts], block: BlockParts, kind: SiteKind, recording: Recording
) -> StreamParts | None:
    """The norm that made the stream: the last one of the block before, or of this block for its cross-attention."""
    stream = recording.inputs[parts.attention(kind, block.layer).module].float()
    for owner in [block] if kind == "cross" else before[-1:]:
        for module in owner.module.modules():
            received = recording.inputs.get(module)
            norm = None
            if received is not None and received.shape == stream.shape:
                norm = norm_of(module, received.float(), stream)
            if norm is not None and received is not None:
                return StreamParts(names=("s",), vectors=received.float()[None].cpu().numpy(), norm=norm)
    return None
