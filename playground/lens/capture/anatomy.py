"""A model's parts: its blocks, what their layers write into the residual stream, and what stands around them.

They are found by watching a few tokens pass through; no list of families' names is needed. A block is the outermost
list element around an attention module; the output projection is the module that receives what `attend` returned; the
writers are the modules whose outputs, added to the residual stream, give the block's own. What does not add up is not
claimed: a block of BERT has parts to ablate, but its stream is no sum. In a mixed stack (LFM2, Jamba) the blocks
without attention are parts too: what mixes tokens there is one module, whose output is what it writes.
"""

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.mixing import find_mixing
from playground.lens.capture.probe import ProbedCall, ProbePass, run_probe
from playground.lens.capture.site import SiteKind
from playground.lens.capture.writers import (
    find_projection,
    find_writers,
    heads_are_mixed,
    holds_matrix,
    keeps_heads_apart,
    multiple_of,
    same_up_to_rounding,
    several_streams,
)

if TYPE_CHECKING:
    from playground.models import LoadedModel

StackKind = Literal["encoder", "decoder"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionParts:
    """One attention layer."""

    module: nn.Module
    """What calls `attend`."""
    projection: nn.Module
    """The output projection."""
    writer: nn.Module
    """What writes into the stream: the projection, except where a family norms what it wrote (Gemma 2)."""
    is_direct: bool = True
    """Whether the projection receives exactly what `attend` returned: no gate (Qwen3-Next) or norm (BitNet) between."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockParts:
    """One block: its attention, its cross-attention and feed-forward layer where it has them."""

    kind: StackKind
    layer: int
    """The number of the block in the model."""
    module: nn.Module
    attention: AttentionParts | None
    """None in a block of a mixed stack that does not attend."""
    cross: AttentionParts | None
    feed_forward: nn.Module | None
    is_additive: bool
    """Whether the block returns its input plus `factor` times what its writers write, so that the stream is a sum."""
    factor: float = 1.0
    """What each writer's output is multiplied by before it is added (Granite, MiniCPM)."""
    mixer: nn.Module | None = None
    """What stands in the place of attention: a convolution, a recurrence, a state space model; it writes its output."""

    @property
    def mixer_name(self) -> str:
        """The class of the mixer; empty in a block that attends."""
        return "" if self.mixer is None else type(self.mixer).__name__

    @property
    def writers(self) -> list[nn.Module]:
        """What writes into the stream, in order."""
        layers = [layer.writer for layer in (self.attention, self.cross) if layer is not None]
        return [*layers, *(module for module in (self.mixer, self.feed_forward) if module is not None)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The blocks in the order in which they run, and what stands before and after them."""

    blocks: tuple[BlockParts, ...]
    embedding: nn.Module
    final_norm: nn.Module | None
    """None where nothing stands between the last block and what reads it."""
    unembedding: nn.Module | None
    logit_factor: float | None
    """The logits are so many times the unembedding of the final norm: mostly 1, another number in Granite and Cohere.
    None where they are something else: BERT's head has layers of its own, Gemma 2 caps its logits."""

    @property
    def reads_out(self) -> bool:
        """Whether the logits are exactly the unembedding of the final norm."""
        return self.logit_factor == 1.0

    @property
    def kind(self) -> StackKind:
        """The stack that predicts."""
        return self.blocks[-1].kind

    @property
    def stack(self) -> tuple[BlockParts, ...]:
        """The blocks of the stack that predicts."""
        return tuple(block for block in self.blocks if block.kind == self.kind)

    def first(self, kind: StackKind) -> BlockParts:
        """The first block of a stack."""
        return next(block for block in self.blocks if block.kind == kind)

    def block(self, kind: SiteKind, layer: int) -> BlockParts:
        """The block with that layer; cross-attention is in the decoder's. Raises UserError where there is none."""
        stack: StackKind = "decoder" if kind == "cross" else kind
        blocks = {block.layer: block for block in self.blocks if block.kind == stack}
        if not blocks:
            raise UserError("This model has no {stack}; choose a layer of its {kind}.", stack=stack, kind=self.kind)
        if layer not in blocks:
            raise UserError(
                "There is no {stack} layer {layer}; choose 0 to {last}.", stack=stack, layer=layer, last=max(blocks)
            )
        return blocks[layer]

    def attention(self, kind: SiteKind, layer: int) -> AttentionParts:
        """The attention layer of that kind. Raises UserError where there is none."""
        block = self.block(kind, layer)
        layer_parts = block.cross if kind == "cross" else block.attention
        if layer_parts is not None:
            return layer_parts
        if kind == "cross":
            raise UserError("This model has no cross-attention; choose its own attention.")
        attending = [other.layer for other in self.blocks if other.kind == kind and other.attention is not None]
        raise UserError(
            "Block {layer} does not attend, it mixes tokens by a {mixer}; choose block {layers}.",
            layer=layer,
            mixer=block.mixer_name or type(block.module).__name__,
            layers=", ".join(map(str, attending)),
        )


_known_parts: WeakKeyDictionary[nn.Module, Parts] = WeakKeyDictionary()
_known_parts_lock = Lock()


def find_parts(model: "LoadedModel") -> Parts:
    """The model's parts; probed once. Raises UserError for a model whose parts cannot be told apart."""
    with _known_parts_lock:
        known = _known_parts.get(model.module)
    if known is None:
        known = _probe_parts(model)
        with _known_parts_lock:
            _known_parts[model.module] = known
    return known


@torch.inference_mode()
def _probe_parts(model: "LoadedModel") -> Parts:
    if model.attention == "eager":
        raise UserError(
            "The attention of the family {family} does not go through the seam, so its parts can be looked "
            "at but not changed; choose a model of another family.",
            family=model.family,
        )
    probe = run_probe(model)
    counts = Counter(id(call.module) for call in probe.calls)
    if not counts or max(counts.values()) > 1:
        raise UserError(
            "{name} calls one attention module several times in a pass (layers that share weights, or two attentions "
            "in one), so that its parts cannot be told apart; choose a model of another family.",
            name=model.name,
        )
    # Each self-attention is a block of its own; cross-attention follows within the block.
    blocks = tuple(parts_of_block(probe, call) for call in probe.calls if call.kind != "cross")
    if len({block.module for block in blocks}) < len(blocks):
        raise UserError(
            "{name} attends twice within a block, so that what a block adds cannot be told apart; choose a model of "
            "another family.",
            name=model.name,
        )
    blocks = _with_others(probe, blocks)
    layers = [layer for block in blocks for layer in (block.attention, block.cross) if layer is not None]
    indirect = {layer.module: layer.projection for layer in layers if not layer.is_direct}
    if indirect and not keeps_heads_apart(probe, indirect):
        raise heads_are_mixed(model.name)
    return parts_around(probe, blocks)


def parts_of_block(probe: ProbePass, self_attention: ProbedCall) -> BlockParts:
    """The block around one self-attention, and the cross-attention that follows within it."""
    block = block_around(probe.model, self_attention.module)
    _refuse_streams_side_by_side(probe, block, self_attention.z.shape[1])
    inside = set(block.modules())
    calls = [call for call in probe.calls if call.module in inside]
    outputs = probe.recording.outputs
    end = max(index for index, item in enumerate(outputs) if item.module is block)
    # A block of two attentions and an MLP: [attention's call, cross-attention's call, end of the block].
    moments = [*(call.outputs_before for call in calls), end]
    found = [find_projection(probe, call, inside) for call in calls]
    projections = [projection for projection, _is_direct in found]
    # The last matrix after the attention is the end of the feed-forward layer, unless it is the output projection.
    matrices = [item.module for item in probe.window(moments[-2], end, inside) if holds_matrix(item.module)]
    feed_forward = None if not matrices or matrices[-1] in projections else matrices[-1]
    writers, factor = find_writers(probe, block, inside, moments, projections, feed_forward)
    parts = [
        AttentionParts(module=call.module, projection=projection, writer=writer, is_direct=is_direct)
        for call, (projection, is_direct), writer in zip(calls, found, writers or projections, strict=False)
    ]
    return BlockParts(
        kind="encoder" if self_attention.kind == "encoder" else "decoder",
        layer=self_attention.block,
        module=block,
        attention=parts[0],
        cross=parts[1] if len(parts) > 1 else None,
        feed_forward=writers[-1] if writers and feed_forward is not None else feed_forward,
        is_additive=writers is not None,
        factor=factor,
    )


def _with_others(probe: ProbePass, blocks: tuple[BlockParts, ...]) -> tuple[BlockParts, ...]:
    """The blocks with those that do not attend, in the order in which they ran."""
    ended = {item.module: index for index, item in enumerate(probe.recording.outputs)}
    others = []
    for stack in (module for module in probe.model.module.modules() if isinstance(module, nn.ModuleList)):
        attending = {block.module: block for block in blocks}
        among = [attending[module] for module in stack if module in attending]
        for number, module in enumerate(stack) if among else ():
            if module in ended and module not in attending:
                _refuse_streams_side_by_side(probe, module, probe.calls[-1].z.shape[1])
                mixing = find_mixing(probe, module)
                others.append(
                    BlockParts(
                        kind=among[0].kind,
                        layer=number,
                        module=module,
                        attention=None,
                        cross=None,
                        feed_forward=mixing.feed_forward,
                        is_additive=mixing.is_additive,
                        factor=mixing.factor,
                        mixer=mixing.mixer,
                    )
                )
    return tuple(sorted((*blocks, *others), key=lambda block: ended[block.module])) if others else blocks


def _refuse_streams_side_by_side(probe: ProbePass, block: nn.Module, tokens: int) -> None:
    """Raise UserError where a block receives several vectors for each token (Gemma 3n, hyper-connections)."""
    received = probe.recording.inputs[block]
    streams = received.numel() // received.shape[-1] // tokens
    if streams > 1:
        raise several_streams(probe.model.name, streams)


def block_around(model: "LoadedModel", attention: nn.Module) -> nn.Module:
    """The outermost element of a list of modules on the way to the attention."""
    path = next(name for name, module in model.module.named_modules() if module is attention)
    module: Any = model.module
    for name in path.split("."):
        parent, module = module, getattr(module, name)
        if isinstance(parent, nn.ModuleList):
            block: nn.Module = module
            return block
    raise UserError("The layers of {name} cannot be told apart; choose a model of another family.", name=model.name)


def parts_around(probe: ProbePass, blocks: tuple[BlockParts, ...]) -> Parts:
    """The final norm, the unembedding, and whether the logits are the one of the other."""
    model, recording = probe.model, probe.recording
    last = blocks[-1].module
    residual = recording.output(last)
    after = max(index for index, item in enumerate(recording.outputs) if item.module is last)
    modules = [item.module for item in recording.outputs[after + 1 :] if "norm" in type(item.module).__name__.lower()]
    received = [(module, recording.inputs.get(module)) for module in modules]
    norm = next((module for module, x in received if x is not None and torch.equal(x, residual)), None)
    head = model.adapter.output_head() if model.has_output_head else None
    logits = model.adapter.logits(probe.returned)
    weight, factor = getattr(head, "weight", None), None
    if head is not None and logits is not None and isinstance(weight, Tensor):
        read = residual if norm is None else norm(residual)
        factor = _logit_factor(head, read, logits) if read.shape[-1] == weight.shape[-1] else None
    embedding = model.adapter.embedding()
    return Parts(blocks=blocks, embedding=embedding, final_norm=norm, unembedding=head, logit_factor=factor)


def _logit_factor(head: nn.Module, read: Tensor, logits: Tensor) -> float | None:
    unembedded = head(read)
    if same_up_to_rounding(unembedded, logits):
        return 1.0
    factor = multiple_of(unembedded, logits) if unembedded.shape == logits.shape else None
    return factor if factor is not None and same_up_to_rounding(factor * unembedded, logits) else None
