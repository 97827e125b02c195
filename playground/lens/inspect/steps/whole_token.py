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
from playground.lens.capture.anatomy import StackKind, block_around
from playground.lens.capture.site import SiteKind
from playground.lens.generate.predictions import require_finite_logits
from playground.lens.inspect.steps.activation import agrees
from playground.lens.inspect.steps.block import Block, Sublayer, Window, find_block
from playground.lens.inspect.steps.output_head import Ending, find_ending
from playground.lens.inspect.steps.token_rows import SeamRows, TokenRows, read_rows

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, eq=False)
class WholeToken:
    """One stack of a model at some tokens of a pass, from the embedding to the logits."""

    rows: TokenRows
    kind: StackKind
    blocks: tuple[Block, ...]
    ending: Ending

    @property
    def model(self) -> "LoadedModel":
        """The model."""
        return self.rows.model

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
            raise UserError("{name} has no output head, so it predicts no tokens.", name=self.model.name)
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


def run_block(block: Block, start: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
    """What the block makes of a stream; its attention reads the queries, keys and values of the pass."""
    stream = start
    for layer in block.sublayers:
        stream = layer.after(stream, layer.written(_output(layer, start if layer.reads_start else stream)))
    return stream


def _output(layer: Sublayer, stream: Tensor) -> Tensor:
    if layer.feed_forward is None:
        assert layer.projection is not None
        assert layer.seam is not None
        return layer.projection(layer.seam.recomputed)
    return layer.feed_forward.body(stream if layer.input_norm is None else layer.input_norm(stream))


@torch.inference_mode()
def read_token(
    model: "LoadedModel",
    arguments: dict[str, Any],
    kinds: Sequence[SiteKind],
    positions: Sequence[int],
    kind: StackKind,
) -> WholeToken:
    """Run the model and follow some tokens through one stack. kinds: of every call of `attend`, in their order.

    Raises UserError for a family that cannot be told, with the reason.
    """
    rows = read_rows(model, arguments, kinds, positions)
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
    """Where each block of a stack ran: from one self-attention's block to the end of that block."""
    windows: list[Window] = []
    outputs, begin = rows.outputs, 0
    mine = [call for call in rows.calls if call.kind == kind]
    if not mine:
        raise UserError("This model has no {stack}; choose another part.", stack=kind)
    for layer, call in enumerate(mine):
        module = block_around(rows.model, call.module)
        inside = set(module.modules()) - {module}
        end = next(
            (index for index in range(call.outputs_before, len(outputs)) if outputs[index].module is module), None
        )
        if end is None:
            raise UserError("The layers of {name} cannot be told apart; choose another model.", name=rows.model.name)
        moments = tuple(index for index in range(begin, end) if outputs[index].module in inside)
        windows.append(
            Window(
                rows=rows,
                layer=layer,
                module=module,
                calls=_calls_between(rows.calls, inside, begin, end),
                outputs=tuple(outputs[index] for index in moments),
                moments=moments,
                last=outputs[end],
            )
        )
        begin = end + 1
    _refuse_other_blocks(rows, {window.module for window in windows})
    return windows


def _refuse_other_blocks(rows: TokenRows, blocks: set[nn.Module]) -> None:
    """Raise UserError where blocks without attention stand in the same list (LFM2, Jamba)."""
    ran = {item.module for item in rows.outputs}
    for stack in (module for module in rows.model.module.modules() if isinstance(module, nn.ModuleList)):
        members = [member for member in stack if member in ran]
        if blocks & set(members) and not blocks >= set(members):
            raise UserError(
                "In the family {family} only {n_attending} of {n_blocks} blocks attend; the others mix tokens by other "
                "means, which cannot be shown here. Choose a model whose blocks all attend.",
                family=rows.model.family,
                n_attending=len(blocks & set(members)),
                n_blocks=len(members),
            )


def _calls_between(calls: Sequence[SeamRows], inside: set[Any], begin: int, end: int) -> tuple[SeamRows, ...]:
    return tuple(call for call in calls if begin <= call.outputs_before <= end and call.module in inside)
