"""One attention layer of one pass, kept whole: every number from the embedding to the residual stream.

Queries, keys and values are sought in what the layer's own modules returned before `attend` was called: at the first
token, which rotary positions leave as it is, the vector that met in `attend` is a piece of one of them. No family's
names are needed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.anatomy import BlockParts, Parts
from playground.lens.capture.hooks import Recording, record
from playground.lens.capture.inputs import find_entering, find_table_row, named_outputs, outside
from playground.lens.capture.norm_step import find_norm
from playground.lens.capture.shared_blocks import BlockRuns, counting_runs, find_looked_at, is_shared
from playground.lens.capture.site import Site, SiteKind, select
from playground.lens.capture.writers import heads_are_mixed, several_streams
from playground.lens.generate.predictions import require_finite_logits
from playground.lens.inspect.steps.gate import Gate, find_gate, gate_of_head
from playground.lens.inspect.steps.head import HeadInside, ProjectedVectors, attention_row, to_array
from playground.lens.inspect.steps.rotation import rotation_of
from playground.lens.inspect.steps.sources import find_clipped, matrix_of, stated_clip
from playground.lens.tolerances import UNROTATED_ABSOLUTE, UNROTATED_RELATIVE

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(kw_only=True)
class _SeamCall:
    """The layer's call of `attend`, what it returned, and how many module outputs there were before it."""

    call: AttentionCall | None = None
    z: Tensor | None = None
    outputs_before: int = 0


class LayerInside:
    """A layer whose heads and queries can each be asked for without another pass."""

    def __init__(
        self,
        model: "LoadedModel",
        parts: Parts,
        block: BlockParts,
        kind: SiteKind,
        seen: Recording,
        seam: _SeamCall,
        runs: BlockRuns,
    ) -> None:
        assert seam.call is not None
        assert seam.z is not None
        self.kind, self.layer = kind, block.layer
        self._block, self._recording = block, seen
        self._attention = parts.attention(kind, block.layer)
        self._first = parts.first(block.kind)
        modules = set(self._attention.module.modules())
        begun = runs.outputs_before[runs.wanted] if is_shared(parts) else 0
        self._before_seam = [item for item in seen.outputs[begun : seam.outputs_before] if item.module in modules]
        self._before_blocks = named_outputs(_outside(model, parts), seen.outputs[: runs.outputs_before[0]])
        self._entered = _token_rows(_first_received(self._first.module, seen, runs))
        embeddings = _embeddings(model.module, parts)
        looked_up = [item for item in seen.outputs if item.module in embeddings]
        # Of an encoder-decoder's two embeddings the encoder's runs first.
        self._looked_up = looked_up[0 if block.kind == "encoder" else -1]
        self._embedded = _token_rows(self._looked_up.output)
        self._call, z = seam.call, seam.z[0]
        queries, keys = self._call.query.shape[2], self._call.key.shape[2]
        self.site = Site(kind=kind, layer=block.layer, n_heads=len(z), queries=queries, keys=keys, call=self._call, z=z)
        self._z = z

    @torch.inference_mode()
    def head(self, head: int, query: int) -> HeadInside:
        """Every number of one head and query token. Raises UserError for one that is not there."""
        row, gate = attention_row(self.site, head, query), self._gate(query)
        size = self._call.queries_per_key_value_head
        shared, only_query = head // size, slice(query, query + 1)
        queries = self._projected(self._call.query[0, head], only_query)
        keys = self._projected(self._call.key[0, shared], slice(None))
        values = self._projected(self._call.value[0, shared], slice(None))
        weight, bias = matrix_of(self._attention.projection)
        width = len(row.z)
        mine = slice(head * width, (head + 1) * width)
        gated = row.z if gate is None else row.z * to_array(gate.values[0, mine])
        # The output projection [32, 4 heads of 8] has this head's columns side by side: [32, 8].
        part = weight[:, mine].float()
        written = self._row(self._attention.projection, query)
        normed = self._row(self._attention.writer, query)
        added = self._block.factor * normed
        residual = self._residual()[query].float()
        layer_input = self._input(self._attention.module)[query].float()
        return HeadInside(
            kind=self.kind,
            layer=self.layer,
            head=head,
            query_position=query,
            shared_by=tuple(range(shared * size, (shared + 1) * size)),
            embedded=to_array(self._embedded[query]),
            entered=to_array(self._entered[query]),
            table_row=find_table_row(self._looked_up, query),
            entering=find_entering(self._before_blocks, query, self._embedded, self._entered[query]),
            residual=to_array(residual),
            layer_input=to_array(layer_input),
            norm=None if torch.equal(residual, layer_input) else find_norm(self._block.module, residual, layer_input),
            query=queries,
            keys=keys,
            values=values,
            attention=row,
            gate=None if gate is None else gate_of_head(gate, mine),
            output_weight=to_array(part),
            output_bias=None if bias is None else to_array(bias),
            head_output=to_array(part @ torch.from_numpy(gated).to(part.device)),
            head_outputs=self._head_outputs(query, weight.float(), gate),
            attention_output=to_array(written),
            added=to_array(added),
            factor=self._block.factor,
            added_norm=None if torch.equal(written, normed) else find_norm(self._block.module, written, normed),
            after=to_array(residual + added),
            is_additive=self._block.is_additive,
            differences={
                **queries.differences("query"),
                **keys.differences("keys"),
                **values.differences("values"),
                "z": float(np.abs(row.z - to_array(self._z[head, query])).max()),
                "output": self._output_difference(query, weight, bias, written, gate),
                **self._residual_difference(query),
            },
        )

    def _projected(self, at_seam: Float[Tensor, "token head_width"], rows: slice) -> ProjectedVectors:
        """Some rows of the queries, keys or values of a head, and where they come from."""
        source, is_cut = find_clipped(self._before_seam, at_seam, clip := stated_clip(self._attention.module))
        if source is None:
            return ProjectedVectors(at_seam=to_array(at_seam[rows]), clip=clip if is_cut else None)
        before, after = to_array(source.vectors * source.factor), to_array(at_seam)
        is_same = np.allclose(before, after, rtol=UNROTATED_RELATIVE, atol=UNROTATED_ABSOLUTE)
        rotation = None if is_same else rotation_of(before, after)
        return ProjectedVectors(
            at_seam=after[rows],
            before_rotation=before[rows],
            inputs=None if source.weight is None or source.inputs is None else to_array(source.inputs[rows]),
            weight=None if source.weight is None else to_array(source.weight),
            bias=None if source.bias is None else to_array(source.bias),
            factor=source.factor,
            rotation=None if rotation is None else replace(rotation, angles=rotation.angles[rows]),
            before_norm=None if source.before_norm is None else to_array(source.before_norm)[rows],
            norm_offset=source.norm_offset,
            norm=source.norm,
            clip=clip if is_cut else None,
        )

    def _gate(self, query: int) -> Gate | None:
        """What z is multiplied by before the projection; None where nothing is, or no module shows it."""
        if self._attention.is_direct:
            return None
        z = self._z[:, query].float().flatten()[None]
        tokens = self._z.shape[1]
        modules = set(self._attention.module.modules())
        outputs = (item.output for item in self._recording.outputs if item.module in modules)
        rows = (_token_rows(output)[query][None] for output in outputs if output.shape[-2:-1] == (tokens,))
        received = self._input(self._attention.projection)[query][None]
        return find_gate(rows, z, received, heads=len(self._z), dtype=self._z.dtype)

    def require_told(self, name: str) -> None:
        """Raise UserError where something that no module shows stands between the heads and their projection."""
        if not self._attention.is_direct and self._gate(0) is None:
            raise heads_are_mixed(name)

    def require_one_stream(self, name: str) -> None:
        """Raise UserError where a block carries more than the one stream that its layers write to."""
        width = _token_rows(self._recording.output(self._attention.writer)).shape[-1]
        if (streams := self._residual().shape[-1] // width) > 1:
            raise several_streams(name, streams)

    def _head_outputs(self, query: int, weight: Tensor, gate: Gate | None) -> Float[np.ndarray, "head width"]:
        """What each head writes: [width, head · head_width] times [head, head_width]."""
        z = self._z[:, query].float()
        z = z if gate is None else z * gate.values.view_as(z)
        return to_array(torch.einsum("whd,hd->hw", weight.reshape(len(weight), *z.shape), z))

    def _input(self, module: nn.Module) -> Float[Tensor, "token width"]:
        return _token_rows(self._recording.inputs[module])

    def _row(self, module: nn.Module, query: int) -> Float[Tensor, "width"]:
        return _token_rows(self._recording.output(module))[query].float()

    def _residual(self) -> Float[Tensor, "token width"]:
        """The stream before this attention: a block's cross-attention comes after its own."""
        if self.kind != "cross":
            return self._input(self._block.module)
        if not self._block.is_additive:
            return self._input(self._attention.module)
        assert self._block.attention is not None
        written = _token_rows(self._recording.output(self._block.attention.writer))
        return self._input(self._block.module) + self._block.factor * written

    def _output_difference(
        self, query: int, weight: Tensor, bias: Tensor | None, written: Tensor, gate: Gate | None
    ) -> float:
        """All heads' recomputed z through the output projection, against what it returned."""
        call = select(self._call, slice(None), slice(query, query + 1))
        z = attention.weighted_values(attention.pattern(call), call.value.float())[0, :, 0].flatten()
        z = z if gate is None else z * gate.values[0]
        recomputed = weight.float() @ z + (0 if bias is None else bias.float())
        return float((recomputed - written).abs().max())

    def _residual_difference(self, query: int) -> dict[str, float]:
        """The stream before the block plus what its layers wrote, against the stream after it, where it is a sum."""
        if not self._block.is_additive:
            return {}
        total = self._input(self._block.module)[query].float()
        total = total + self._block.factor * sum(self._row(writer, query) for writer in self._block.writers)
        return {"residual": float((total - self._row(self._block.module, query)).abs().max())}


@torch.inference_mode()
def look_inside(
    model: "LoadedModel",
    arguments: dict[str, Any],
    layer: int,
    kind: SiteKind | None = None,
    run: Callable[[], object] | None = None,
) -> LayerInside:
    """Run the model with these arguments and keep one attention layer whole.

    run: runs the model and reads other things of the same pass. Raises UserError for a layer that is not there, or a
    family whose parts cannot be told apart.
    """
    parts = find_looked_at(model)
    kind = kind or parts.kind
    block, attention_parts = parts.block(kind, layer), parts.attention(kind, layer)
    first = parts.first(block.kind).module
    inside, before = set(attention_parts.module.modules()), set(_outside(model, parts).values())
    outputs = {block.module, attention_parts.projection, attention_parts.writer, *block.writers}
    seam = _SeamCall()
    seen: list[Recording] = []
    runs = BlockRuns(wanted=layer if is_shared(parts) else 0, outputs_before=[])
    with (
        counting_runs(first, runs, seen),
        record(
            inputs={first, block.module, *inside, *before},
            outputs={*outputs, *inside, *before, *_embeddings(model.module, parts), first},
            keep=runs.keep if is_shared(parts) else Tensor.detach,
        ) as recording,
        handling(_keeping(attention_parts.module, recording, seam, runs if is_shared(parts) else None)),
    ):
        seen.append(recording)
        (run or partial(model.module, **arguments))()
    if seam.z is None:
        raise UserError("Nothing passed layer {layer}; choose another.", layer=layer)
    require_finite_logits(seam.z)
    looked_at = LayerInside(model, parts, block, kind, recording, seam, runs)
    looked_at.require_one_stream(model.name)
    looked_at.require_told(model.name)
    return looked_at


def _first_received(module: nn.Module, seen: Recording, runs: BlockRuns) -> Tensor:
    """What the first block received when it ran first."""
    received = next(item.received for item in seen.outputs[runs.outputs_before[0] :] if item.module is module)
    assert received is not None
    return received


def _outside(model: "LoadedModel", parts: Parts) -> dict[str, nn.Module]:
    return outside(model.module, [block.module for block in parts.blocks])


def _embeddings(root: nn.Module, parts: Parts) -> set[nn.Module]:
    """The embedding of tokens; an encoder-decoder may have another of the same shape for each of its stacks.

    In others a table of the same shape is one of positions, and only one with the same weights is meant (T5's encoder).
    """
    weight = getattr(parts.embedding, "weight", torch.empty(0))
    tables = [module for module in root.modules() if isinstance(module, nn.Embedding)]
    if len({block.kind for block in parts.blocks}) == 1:
        return {parts.embedding, *(module for module in tables if module.weight is weight)}
    return {module for module in tables if module.weight.shape == weight.shape}


def _keeping(module: nn.Module, recording: Recording, seam: _SeamCall, runs: BlockRuns | None) -> attention.Handler:
    """A handler that computes each call as usual and keeps that of one module; of several the wanted one."""

    def handler(call: AttentionCall) -> Tensor:
        z = attention.z(call)
        if call.module is module and (runs is None or runs.is_wanted):
            seam.call, seam.z, seam.outputs_before = call, z, len(recording.outputs)
        return z

    return handler


def _token_rows(tensor: Tensor) -> Float[Tensor, "token width"]:
    """A row for each token of a batch of one: some families (OPT) lay all tokens in one row."""
    return tensor.reshape(-1, tensor.shape[-1])
