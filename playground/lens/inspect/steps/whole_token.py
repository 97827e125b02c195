"""A token from the first block to the logits: every block of the stack, and what stands after the last.

Everything is recomputed from the stream that entered, the queries, keys and values of the pass, and the weights.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.anatomy import StackKind, block_around, find_parts
from playground.lens.capture.site import SiteKind
from playground.lens.generate.predictions import no_predictions, require_finite_logits
from playground.lens.inspect.steps.activation import agrees
from playground.lens.inspect.steps.block import BlockRows, Sublayer, Window, find_block
from playground.lens.inspect.steps.output_head import Ending, find_ending
from playground.lens.inspect.steps.token_rows import SeamRows, TokenRows, read_rows
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, eq=False)
class WholeToken:
    """One stack of a model at some tokens of a pass, from the embedding to the logits."""

    rows: TokenRows
    kind: StackKind
    blocks: tuple[BlockRows, ...]
    ending: Ending

    @property
    def model(self) -> "LoadedModel":
        """The model."""
        return self.rows.model

    def index_of(self, layer: int) -> int:
        """Where a block stands in `blocks`, by its number in the model. Raises UserError for one that is not there."""
        numbers = [block.layer for block in self.blocks]
        if layer not in numbers:
            raise UserError("There is no layer {layer}; choose 0 to {last}.", layer=layer, last=numbers[-1])
        return numbers.index(layer)

    @property
    def mixers(self) -> tuple[int, ...]:
        """The blocks that mix tokens by other means than attention: what these wrote is the pass's, not recomputed."""
        return tuple(block.layer for block in self.blocks if any(one.kind == "mixer" for one in block.sublayers))

    @property
    def final(self) -> Float[Tensor, "row width"]:
        """The stream after the last block, as the model has it."""
        return self.blocks[-1].end

    @cached_property
    def recomputed(self) -> Float[Tensor, "row width"]:
        """The stream after the last block, recomputed from what entered the first one."""
        stream = self.blocks[0].start
        for block in self.blocks:
            stream = run_block(block, stream)
        return stream

    def recomputed_logits(self) -> Float[Tensor, "row vocabulary"]:
        """The logits of the recomputed stream. Raises UserError for a model without an output head."""
        if self.ending.head is None:
            raise no_predictions(self.model)
        return self.ending.head(self.recomputed)

    @cached_property
    def difference(self) -> float:
        """The largest difference of the recomputed logits (or last state) from the model's own, over the largest."""
        own = self.rows.logits
        if own is None or self.ending.head is None:
            return _relative(self.recomputed, self.final)
        return _relative(self.recomputed_logits(), own)


def _relative(recomputed: Tensor, own: Tensor) -> float:
    return float((recomputed - own).abs().max() / own.abs().max().clamp(min=1e-6))


def run_block(block: BlockRows, start: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
    """What the block makes of a stream; its attention reads the queries, keys, values and gates of the pass.

    What mixes tokens by other means writes what it wrote in the pass.
    """
    stream = start
    for layer in block.sublayers:
        stream = layer.after(stream, layer.written(_output(layer, start if layer.reads_start else stream)))
    return stream


def _output(layer: Sublayer, stream: Tensor) -> Tensor:
    if layer.kind == "mixer":
        return layer.output
    if layer.feed_forward is None:
        assert layer.projection is not None
        assert layer.seam is not None
        z = layer.seam.recomputed
        return layer.projection(z if layer.gate is None else z * layer.gate.values)
    return layer.feed_forward.body(stream if layer.input_norm is None else layer.input_norm(stream))


@torch.inference_mode()
def follow_token(
    model: "LoadedModel",
    arguments: dict[str, Any],
    kinds: Sequence[SiteKind],
    positions: Sequence[int],
    kind: StackKind,
    on_progress: OnProgress = no_progress,
) -> WholeToken:
    """Run the model and follow some tokens through one stack. kinds: of every call of `attend`, in their order.

    on_progress: called after each of these calls. Raises UserError for a family that cannot be told, with the reason.
    """
    return follow_rows(read_rows(model, arguments, kinds, positions, on_progress), kind)


@torch.inference_mode()
def follow_rows(rows: TokenRows, kind: StackKind) -> WholeToken:
    """Follow the tokens of a pass that has been read. Raises UserError for a family that cannot be told."""
    model = rows.model
    windows = _windows(rows, kind)
    require_finite_logits(windows[-1].last.output)
    blocks = [find_block(window) for window in windows]
    for before, after in itertools.pairwise(blocks):
        if not agrees(before.end, after.start, rows.dtype):
            raise UserError(
                "Between blocks {before} and {after} of the family {family} stands something that cannot be told. "
                "Choose a model of another family.",
                before=before.layer,
                after=after.layer,
                family=model.family,
            )
    predicts = kind == "decoder" or model.kind == "encoder"
    end = rows.outputs.index(windows[-1].last) + 1
    if not predicts:
        rows = TokenRows(
            model=model, positions=rows.positions, outputs=rows.outputs, calls=rows.calls, choices={}, logits=None
        )
    return WholeToken(rows, kind, tuple(blocks), find_ending(rows, rows.outputs[end:], blocks[-1].end))


def _windows(rows: TokenRows, kind: StackKind) -> list[Window]:
    """Where each block of a stack ran: from the end of the block before it to its own."""
    mine = [call for call in rows.calls if call.kind == kind]
    if not mine:
        raise UserError("This model has no {stack}; choose another part.", stack=kind)
    ends = _attending_ends(rows, mine)
    attending = {rows.outputs[end].module for end in ends}
    mixers = _mixers_of(rows, kind, attending)
    ends += [index for index, item in enumerate(rows.outputs) if item.module in mixers]
    ends.sort()
    windows: list[Window] = []
    numbers = _numbers(rows.model, [rows.outputs[end].module for end in ends])
    for begin, end, number in zip([0, *(end + 1 for end in ends)], ends, numbers, strict=False):
        module = rows.outputs[end].module
        inside = set(module.modules()) - {module}
        moments = tuple(index for index in range(begin, end) if rows.outputs[index].module in inside)
        windows.append(
            Window(
                rows=rows,
                layer=number,
                module=module,
                calls=_calls_between(rows.calls, inside, begin, end) if module in attending else (),
                outputs=tuple(rows.outputs[index] for index in moments),
                moments=moments,
                last=rows.outputs[end],
                mixer=mixers.get(module),
            )
        )
    return windows


def _attending_ends(rows: TokenRows, calls: Sequence[SeamRows]) -> list[int]:
    """When the block around each self-attention returned; ALBERT's one block returns several times."""
    ends: list[int] = []
    for call in calls:
        module = block_around(rows.model, call.module)
        later = range(call.outputs_before, len(rows.outputs))
        end = next((index for index in later if rows.outputs[index].module is module), None)
        if end is None:
            raise UserError("The layers of {name} cannot be told apart; choose another model.", name=rows.model.name)
        if end not in ends:
            ends.append(end)
    return ends


def _mixers_of(rows: TokenRows, kind: StackKind, attending: set[nn.Module]) -> dict[nn.Module, nn.Module]:
    """The blocks without attention in the same list (LFM2, Jamba), and what mixes tokens in each.

    Raises UserError where no part of such a block writes what the block adds to the stream.
    """
    ran = {item.module for item in rows.outputs}
    stacks = [module for module in rows.model.module.modules() if isinstance(module, nn.ModuleList)]
    others = {member for stack in stacks if attending & set(stack) for member in stack if member in ran} - attending
    if not others:
        return {}
    parts = {block.module: block for block in find_parts(rows.model).blocks if block.kind == kind}
    found = {module: parts[module].mixer for module in others if module in parts}
    told = {module: mixer for module, mixer in found.items() if mixer is not None}
    untold = others - set(told)
    if untold:
        raise UserError(
            "In the family {family} {blocks} blocks do not attend, and no part of them writes what they add to the "
            "residual stream, so that a token cannot be followed through them. Choose a model of another family.",
            family=rows.model.family,
            blocks=len(untold),
        )
    return told


def _numbers(model: "LoadedModel", blocks: Sequence[nn.Module]) -> list[int]:
    """The blocks' numbers in the model; a block that runs several times is counted."""
    stacks = [module for module in model.module.modules() if isinstance(module, nn.ModuleList)]
    place = {member: number for stack in stacks for number, member in enumerate(stack) if member in set(blocks)}
    numbers = [place.get(block, 0) for block in blocks]
    return numbers if numbers == sorted(set(numbers)) else list(range(len(blocks)))


def _calls_between(calls: Sequence[SeamRows], inside: set[Any], begin: int, end: int) -> tuple[SeamRows, ...]:
    return tuple(call for call in calls if begin <= call.outputs_before <= end and call.module in inside)
