"""Inside one attention layer: every number from the embedding to what each head writes into the residual stream.

Queries, keys and values are sought in what the layer's own modules returned before the seam: at the first token,
which rotary positions leave as it is, the vector that met at the seam is a piece of one of them. No family's names
are needed.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.anatomy import BlockParts, Parts
from playground.lens.capture.discovery import find_parts
from playground.lens.capture.hooks import Edit, editing
from playground.lens.capture.inputs import Entering, Outside, find_entering, noting_outside, outside, rows_of
from playground.lens.capture.norm_step import NormStep, find_norm
from playground.lens.capture.site import Site, SiteKind, select
from playground.lens.generate.predictions import refuse_not_a_number
from playground.lens.inspect.steps.attention import Steps, head_steps
from playground.lens.inspect.steps.rotation import Rotation, rotation_of
from playground.lens.inspect.steps.sources import Noted, Source, find_source, matrix_of

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class Projected:
    """Vectors and how they came about: vector = (weight @ given + bias) * factor, then turned by rotary positions.

    met: as they met at the seam; before: before rotary positions, None where the family's modules do not show it.
    given, weight and bias are None where something stands between the matrix and these vectors (Qwen 3's norm).
    rotation: which numbers were turned by which angles; None where nothing turned them, or it is not known.
    raw, raw_place, norm: what that norm was given, where in it this head begins, and how it normed the first token's.
    """

    met: Float[np.ndarray, "token head_width"]
    before: Float[np.ndarray, "token head_width"] | None = None
    given: Float[np.ndarray, "token width"] | None = None
    weight: Float[np.ndarray, "head_width width"] | None = None
    bias: Float[np.ndarray, "head_width"] | None = None
    factor: float = 1.0
    rotation: Rotation | None = None
    raw: Float[np.ndarray, "token unit"] | None = None
    raw_place: int = 0
    norm: NormStep | None = None

    @property
    def rotates(self) -> bool:
        """Whether positions turned the vectors; False where it is not known."""
        return self.rotation is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadInside:
    """One head and one query token, from the embedding to the residual stream. float32.

    embedded: the token's embedding; entered: the stream before the first block, with positions; residual: the stream
    before this layer; given: what the layer reads of it (normed, in most families); norm: how, None where nothing
    normed it or no norm of the block makes these numbers. query [1, head_width], keys,
    values: see Projected; shared_by: the query heads that use the same keys and values. steps: products to z.
    output_weight [width, head_width] and output_bias: this head's part of the output projection, and the bias that
    all share; share: output_weight @ z; written: what all heads wrote; added: what went into the stream (as written,
    but for families that norm it); after: residual + added, which families with is_additive False norm next.
    added_norm: how it was normed, where it was. entering: how the embedding became what entered, None where it cannot
    be told. head_shares: every head's share.
    differences: the largest one between this recomputation and the model's own numbers, by every step that could be
    recomputed.
    """

    kind: SiteKind
    layer: int
    head: int
    query_position: int
    shared_by: tuple[int, ...]
    embedded: Float[np.ndarray, "embedding_width"]
    entered: Float[np.ndarray, "width"]
    residual: Float[np.ndarray, "width"]
    given: Float[np.ndarray, "width"]
    query: Projected
    keys: Projected
    values: Projected
    steps: Steps
    output_weight: Float[np.ndarray, "width head_width"]
    output_bias: Float[np.ndarray, "width"] | None
    share: Float[np.ndarray, "width"]
    written: Float[np.ndarray, "width"]
    added: Float[np.ndarray, "width"]
    after: Float[np.ndarray, "width"]
    is_additive: bool
    differences: dict[str, float]
    norm: NormStep | None = None
    added_norm: NormStep | None = None
    entering: Entering | None = None
    head_shares: Float[np.ndarray, "head width"]

    @property
    def difference(self) -> float:
        """The largest difference between the recomputation and what the model itself produced."""
        return float(np.max(list(self.differences.values())))


@dataclass(kw_only=True)
class _Kept:
    """What is noted during a pass."""

    before_seam: list[Noted] = field(default_factory=list)
    inputs: dict[nn.Module, Tensor] = field(default_factory=dict)
    outputs: dict[nn.Module, Tensor] = field(default_factory=dict)
    embedded: list[Tensor] = field(default_factory=list)
    outside: list[Outside] = field(default_factory=list)
    call: AttentionCall | None = None
    z: Tensor | None = None


class LayerInside:
    """One layer of one pass, kept whole, so that any head and query can be asked for without another pass."""

    def __init__(self, parts: Parts, block: BlockParts, kind: SiteKind, kept: _Kept) -> None:
        assert kept.call is not None
        assert kept.z is not None
        self.kind, self.layer = kind, block.layer
        self._block, self._kept = block, kept
        self._attention = parts.attention(kind, block.layer)
        self._first = next(other for other in parts.blocks if other.kind == block.kind)
        self._call, z = kept.call, kept.z[0]
        queries, keys = self._call.query.shape[2], self._call.key.shape[2]
        self.site = Site(kind=kind, layer=block.layer, n_heads=len(z), queries=queries, keys=keys, call=self._call, z=z)

    @torch.inference_mode()
    def head(self, head: int, query: int) -> HeadInside:
        """Every number of one head and query token. Raises UserError for one that is not there."""
        steps = head_steps(self.site, head, query)
        shared, own = head // self._call.groups, slice(query, query + 1)
        query_made = self._projected(self._call.query[0, head], own)
        keys_made = self._projected(self._call.key[0, shared], slice(None))
        values_made = self._projected(self._call.value[0, shared], slice(None))
        weight, bias = matrix_of(self._attention.projection)
        width = len(steps.z)
        part = weight[:, head * width : (head + 1) * width].float()
        written, added = self._row(self._attention.projection, query), self._row(self._attention.writer, query)
        residual = self._residual()[query].float()
        given = _rows(self._kept.inputs[self._attention.module])[query].float()
        return HeadInside(
            kind=self.kind,
            layer=self.layer,
            head=head,
            query_position=query,
            shared_by=tuple(range(shared * self._call.groups, (shared + 1) * self._call.groups)),
            embedded=_array(self._embedded()[query]),
            entered=_array(_rows(self._kept.inputs[self._first.module])[query]),
            residual=_array(residual),
            given=_array(given),
            norm=None if torch.equal(residual, given) else find_norm(self._block.module, residual, given),
            query=query_made,
            keys=keys_made,
            values=values_made,
            steps=steps,
            output_weight=_array(part),
            output_bias=None if bias is None else _array(bias),
            share=_array(part @ torch.from_numpy(steps.z).to(part.device)),
            written=_array(written),
            added=_array(added),
            after=_array(residual + added),
            is_additive=self._block.is_additive,
            added_norm=None if torch.equal(written, added) else find_norm(self._block.module, written, added),
            entering=self._entering(query),
            head_shares=self._head_shares(query, weight.float()),
            differences={
                **_differences("query", query_made),
                **_differences("keys", keys_made),
                **_differences("values", values_made),
                "z": float(np.abs(steps.z - _array(self._kept_z(head, query))).max()),
                "output": self._output_difference(query, weight, bias, written),
                **self._residual_difference(query),
            },
        )

    def _projected(self, met: Float[Tensor, "token head_width"], rows: slice) -> Projected:
        """Some rows of the queries, keys or values of a head, and where they come from."""
        source = find_source(self._kept.before_seam, met)
        if source is None:
            return Projected(met=_array(met[rows]))
        before, after = _array(source.made * source.factor), _array(met)
        rotation = None if np.allclose(before, after, rtol=1e-3, atol=1e-5) else rotation_of(before, after)
        matrix = {} if source.weight is None else _matrix(source, rows)
        return Projected(
            met=after[rows],
            before=before[rows],
            factor=source.factor,
            rotation=None if rotation is None else replace(rotation, angles=rotation.angles[rows]),
            raw=None if source.raw is None else _array(source.raw)[rows],
            raw_place=source.raw_place,
            norm=source.norm,
            **matrix,
        )

    def _entering(self, query: int) -> Entering | None:
        """How the embedding became what enters the first block."""
        entered = _rows(self._kept.inputs[self._first.module])[query]
        return find_entering(
            rows_of(self._kept.outside, query, len(self._embedded())), self._embedded()[query], entered
        )

    def _head_shares(self, query: int, weight: Tensor) -> Float[np.ndarray, "head width"]:
        """What each head adds to what is written."""
        assert self.site.z is not None
        z = self.site.z[:, query].float()
        return _array(torch.einsum("whd,hd->hw", weight.reshape(len(weight), *z.shape), z))

    def _kept_z(self, head: int, query: int) -> Tensor:
        assert self.site.z is not None
        return self.site.z[head, query]

    def _row(self, module: nn.Module, query: int) -> Float[Tensor, "width"]:
        return _rows(self._kept.outputs[module])[query].float()

    def _embedded(self) -> Float[Tensor, "token width"]:
        """Of an encoder-decoder's two embeddings the encoder's comes first."""
        return _rows(self._kept.embedded[0 if self._block.kind == "encoder" else -1])

    def _residual(self) -> Float[Tensor, "token width"]:
        """The stream before this attention: a block's cross-attention comes after its own."""
        if self.kind != "cross":
            return _rows(self._kept.inputs[self._block.module])
        if not self._block.is_additive:
            return _rows(self._kept.inputs[self._attention.module])
        entered = _rows(self._kept.inputs[self._block.module])
        return entered + _rows(self._kept.outputs[self._block.attention.writer])

    def _output_difference(self, query: int, weight: Tensor, bias: Tensor | None, written: Tensor) -> float:
        """All heads' recomputed z through the output projection, against what it returned."""
        part = select(self._call, slice(None), slice(query, query + 1))
        value = part.value.float().repeat_interleave(part.groups, dim=1)
        mixed = (attention.pattern(part) @ value)[0, :, 0].flatten()
        again = weight.float() @ mixed + (0 if bias is None else bias.float())
        return float((again - written).abs().max())

    def _residual_difference(self, query: int) -> dict[str, float]:
        """The stream before the block plus what its layers wrote, against the stream after it, where it is a sum."""
        if not self._block.is_additive:
            return {}
        layers = [self._block.attention.writer]
        layers += [] if self._block.cross is None else [self._block.cross.writer]
        layers += [] if self._block.feed_forward is None else [self._block.feed_forward]
        total = _rows(self._kept.inputs[self._block.module])[query].float()
        total = total + sum(self._row(layer, query) for layer in layers)
        return {"residual": float((total - self._row(self._block.module, query)).abs().max())}


@torch.inference_mode()
def look_inside(
    model: "LoadedModel", arguments: dict[str, Any], layer: int, kind: SiteKind | None = None
) -> LayerInside:
    """Run the model with these arguments and keep one attention layer whole.

    Raises UserError for a layer that is not there, or a family whose parts cannot be told apart.
    """
    parts = find_parts(model)
    kind = kind or parts.kind
    block = parts.block(kind, layer)
    kept = _Kept()
    with (
        editing(_notes(model.module, parts, block, kind, kept)),
        handling(_keeping(parts.attention(kind, layer).module, kept)),
    ):
        model.module(**arguments)
    if kept.z is None:
        raise UserError("Nothing passed layer {layer}; choose another.", layer=layer)
    refuse_not_a_number(kept.z)
    return LayerInside(parts, block, kind, kept)


def _notes(root: nn.Module, parts: Parts, block: BlockParts, kind: SiteKind, kept: _Kept) -> dict[Any, Edit]:
    """Edits that change nothing and keep what they see."""
    edits: dict[Any, Edit] = {}
    chosen = parts.attention(kind, block.layer)
    first = next(other for other in parts.blocks if other.kind == block.kind)
    layers = [block.attention, *([] if block.cross is None else [block.cross])]
    before = outside(root, [other.module for other in parts.blocks])
    edits |= noting_outside(before, kept.outside, is_over=lambda: first.module in kept.inputs)
    outputs = {block.module, chosen.projection, *(layer.writer for layer in layers)}
    outputs |= set() if block.feed_forward is None else {block.feed_forward}
    inside = list(chosen.module.modules())
    for module in {first.module, block.module, *inside}:
        edits[module, "input"] = _keep_input(kept, module)
    embeddings = _embeddings(root, parts)
    for module in {*outputs, *inside, *embeddings}:
        edits[module, "output"] = _keep_output(kept, module, module in inside, module in embeddings)
    return edits


def _embeddings(root: nn.Module, parts: Parts) -> set[nn.Module]:
    """The embedding of tokens; an encoder-decoder may have another of the same shape for each of its stacks.

    In others a table of the same shape is one of positions.
    """
    if len({block.kind for block in parts.blocks}) == 1:
        return {parts.embedding}
    shape = getattr(parts.embedding, "weight", torch.empty(0)).shape
    return {module for module in root.modules() if isinstance(module, nn.Embedding) and module.weight.shape == shape}


def _keep_input(kept: _Kept, module: nn.Module) -> Edit:
    def note(tensor: Tensor) -> None:
        kept.inputs[module] = tensor

    return note


def _keep_output(kept: _Kept, module: nn.Module, is_inside: bool, is_embedding: bool) -> Edit:
    def note(tensor: Tensor) -> None:
        kept.outputs[module] = tensor
        if is_embedding:
            kept.embedded.append(tensor)
        if is_inside and kept.z is None:
            kept.before_seam.append(Noted(module=module, given=kept.inputs.get(module), made=tensor))

    return note


def _keeping(module: nn.Module, kept: _Kept) -> attention.Handler:
    """A handler that computes each call as usual and keeps that of one module."""

    def handler(call: AttentionCall) -> Tensor:
        z = attention.z(call)
        if call.module is module:
            kept.call, kept.z = call, z
        return z

    return handler


def _matrix(source: Source, rows: slice) -> dict[str, Any]:
    """What was multiplied by which piece of the matrix."""
    assert source.given is not None
    assert source.weight is not None
    bias = None if source.bias is None else _array(source.bias)
    return {"given": _array(source.given[rows]), "weight": _array(source.weight), "bias": bias}


def _differences(name: str, made: Projected) -> dict[str, float]:
    """How far the product is from the vectors before positions, and these, turned, from those that met."""
    found = {}
    if made.weight is not None and made.given is not None and made.before is not None:
        again = made.given @ made.weight.T + (0 if made.bias is None else made.bias)
        found[name] = float(np.abs(again * made.factor - made.before).max())
    if made.rotation is not None and made.before is not None:
        found[f"{name} turned"] = float(np.abs(made.rotation.turn(made.before) - made.met).max())
    return found


def _rows(tensor: Tensor) -> Float[Tensor, "token width"]:
    """The rows of a batch of one, whether or not a family lays its tokens in one row."""
    return tensor.reshape(-1, tensor.shape[-1])


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().to(device="cpu", dtype=torch.float32).numpy()
