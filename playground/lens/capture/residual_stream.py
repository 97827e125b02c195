"""What the residual stream before a layer is the sum of, or what the last norm made it of, at one token."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.anatomy import BlockParts, Parts
from playground.lens.capture.discovery import find_parts
from playground.lens.capture.hooks import Edit, editing
from playground.lens.capture.norm_step import NormStep, norm_of
from playground.lens.capture.site import SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamParts:
    """The stream = the sum of the vectors, which the named layers wrote; normed where there is a norm.

    Behind a norm there is one vector: what the norm was given.
    """

    names: tuple[str, ...]
    vectors: Float[np.ndarray, "part width"]
    norm: NormStep | None = None


@torch.inference_mode()
def stream_parts(
    model: "LoadedModel", arguments: dict[str, Any], kind: SiteKind, layer: int, token: int
) -> StreamParts | None:
    """Run the model and split the stream that attention of that layer is given; None where it cannot be split."""
    parts = find_parts(model)
    block = parts.block(kind, layer)
    rows: dict[tuple[nn.Module, str], Tensor] = {}
    with editing(_notes(parts, block, kind, token, rows)):
        model.module(**arguments)
    if not block.is_additive:
        return _behind_norm(_before(parts, block), block, kind, rows)
    writers = _writers(parts, block, kind)
    first = _first(parts, block)
    vectors = [rows[first.module, "input"], *(rows[writer, "output"] for writer in writers.values())]
    return StreamParts(names=("x", *writers), vectors=torch.stack(vectors).float().cpu().numpy())


def _first(parts: Parts, block: BlockParts) -> BlockParts:
    """The first block of the same stack."""
    return next(other for other in parts.blocks if other.kind == block.kind)


def _before(parts: Parts, block: BlockParts) -> list[BlockParts]:
    """The blocks of the same stack that run before."""
    return [other for other in parts.blocks if other.kind == block.kind and other.layer < block.layer]


def _writers(parts: Parts, block: BlockParts, kind: SiteKind) -> dict[str, nn.Module]:
    """Everything that has written into the stream before this attention, by name."""
    found: dict[str, nn.Module] = {}
    for other in _before(parts, block):
        found[f"attention_{other.layer}"] = other.attention.writer
        if other.cross is not None:
            found[f"cross_attention_{other.layer}"] = other.cross.writer
        if other.feed_forward is not None:
            found[f"feed_forward_{other.layer}"] = other.feed_forward
    if kind == "cross":
        found[f"attention_{block.layer}"] = block.attention.writer
    return found


def _notes(
    parts: Parts, block: BlockParts, kind: SiteKind, token: int, rows: dict[tuple[nn.Module, str], Tensor]
) -> dict[Any, Edit]:
    """Edits that change nothing and keep one token's row of what modules are given and make."""

    def keep(module: nn.Module, side: str) -> Edit:
        def note(tensor: Tensor) -> None:
            if tensor.is_floating_point() and tensor.ndim > 1:
                flat = tensor.reshape(-1, tensor.shape[-1])
                if token < len(flat):
                    rows[module, side] = flat[token].clone()

        return note

    first = _first(parts, block)
    edits = {(first.module, "input"): keep(first.module, "input")}
    for writer in _writers(parts, block, kind).values():
        edits[writer, "output"] = keep(writer, "output")
    if not block.is_additive:
        nearest = [*_before(parts, block)[-1:], block]
        for module in (module for other in nearest for module in other.module.modules()):
            edits[module, "input"] = keep(module, "input")
    return edits


def _behind_norm(
    before: list[BlockParts], block: BlockParts, kind: SiteKind, rows: dict[tuple[nn.Module, str], Tensor]
) -> StreamParts | None:
    """The norm that made the stream: the last one of the block before, or of this block for its cross-attention."""
    attention = block.cross if kind == "cross" else block.attention
    assert attention is not None
    target = rows[attention.module, "input"].float()
    for owner in [block] if kind == "cross" else before[-1:]:
        for module in owner.module.modules():
            given = rows.get((module, "input"))
            norm = None if given is None or given.shape != target.shape else norm_of(module, given.float(), target)
            if norm is not None and given is not None:
                return StreamParts(names=("s",), vectors=given.float()[None].cpu().numpy(), norm=norm)
    return None
