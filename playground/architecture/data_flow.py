"""How a block's boxes are connected, read from the numbers of a pass: who reads the stream, and what is added to it.

A box that receives the block's input reads the stream; one that receives another's output stands behind it; one that
receives the sum of both stands after a residual connection. Pre-norm, post-norm, norms on both sides (Gemma 2),
parallel blocks (GPT-NeoX) and blocks without residual connections come out as what they are, without families' names.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from playground.architecture.architecture import Box, Stage
from playground.lens.tolerances import tolerance


@dataclass(frozen=True, kw_only=True, eq=False)
class RunBox:
    """A box with what it received and returned."""

    box: Box
    received: Tensor
    output: Tensor
    inner: Tensor | None = None
    """What the last of its matrices returned, where that differs: Bloom's modules add the stream themselves."""


@dataclass(kw_only=True, eq=False)
class _Flow:
    """The stages so far, the stream after them, and the boxes since."""

    stream: Tensor
    stages: list[Stage] = field(default_factory=list)
    branches: list[list[RunBox]] = field(default_factory=list)
    shared: list[RunBox] = field(default_factory=list)


def find_stages(boxes: list[RunBox], received: Tensor, returned: Tensor) -> tuple[Stage, ...]:
    """The stages of a block that received and returned these states. A stage whose numbers do not tell says so."""
    inner = [run if run.inner is None else replace(run, output=run.inner) for run in boxes]
    stages = min((_follow(runs, received, returned) for runs in (boxes, inner)), key=_rank)
    if all(stage.adds is not None for stage in stages):
        return stages
    # Where one connection is not known, a missing one is not known to be missing.
    return tuple(replace(stage, adds=None) if stage.adds is False else stage for stage in stages)


def _rank(stages: tuple[Stage, ...]) -> tuple[int, int]:
    """Fewer unknown connections first, then more residual ones."""
    return sum(stage.adds is None for stage in stages), -sum(stage.adds is True for stage in stages)


def _follow(boxes: list[RunBox], received: Tensor, returned: Tensor) -> tuple[Stage, ...]:
    flow = _Flow(stream=received)
    for run in boxes:
        if not _attach(flow, run) and not _attach_after_sum(flow, run):
            _close(flow, run.received, adds=None)
            flow.branches = [[run]]
    is_replaced = len(flow.branches) == 1 and equal(flow.branches[0][-1].output, returned)
    if is_replaced or (flow.branches and not _ends_with_sum(flow, returned)):
        _close(flow, returned, adds=False if is_replaced else None)
    return tuple(flow.stages)


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers; some families lay all tokens in one row (OPT).

    To the last bit: what a layer adds may be far smaller than the largest number of the stream.
    """
    return one.numel() == other.numel() and torch.equal(one.flatten(), other.flatten())


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers up to rounding in the coarser of their dtypes."""
    if one.numel() != other.numel():
        return False
    allowed = max(tolerance("module", tensor.dtype) for tensor in (one, other))
    one, other = one.flatten().float(), other.flatten().float()
    largest = float(other.abs().max().clamp(min=1e-6))
    return float((one - other).abs().max()) <= allowed * largest


def _attach(flow: _Flow, run: RunBox) -> bool:
    """Put a box behind what it reads: the stream, the end of a branch, or the box where two branches part."""
    for branch in reversed(flow.branches):
        if equal(run.received, branch[-1].output):
            branch.append(run)
            return True
    if equal(run.received, flow.stream):
        flow.branches.append([run])
        return True
    if len(flow.branches) != 1:
        return False
    only = flow.branches[0]
    for index, earlier in enumerate(only[:-1]):
        if equal(run.received, earlier.output) and not flow.shared:
            flow.shared, flow.branches = only[: index + 1], [only[index + 1 :], [run]]
            return True
    return False


def _attach_after_sum(flow: _Flow, run: RunBox) -> bool:
    """Close the stage where the box reads the sum of the stream and what the branches wrote."""
    if not _ends_with_sum(flow, run.received):
        return False
    flow.branches = [[run]]
    return True


def _ends_with_sum(flow: _Flow, state: Tensor) -> bool:
    """Close the stage if the state is a sum: of the stream and all branches, or of a box in the branch and its end."""
    if not flow.branches:
        return False
    written = sum((branch[-1].output.flatten().float() for branch in flow.branches), start=torch.zeros(()))
    factor = _factor(flow.stream, written, state)
    if factor is not None:
        _close(flow, state, adds=True, factor=factor)
        return True
    only = flow.branches[0]
    if len(flow.branches) > 1 or flow.shared:
        return False
    # After a post-norm the stream is what the norm returned: [norm, MLP], and the next reads norm + MLP.
    for index, base in enumerate(only[:-1]):
        factor = _factor(base.output, only[-1].output.flatten().float(), state)
        if factor is not None:
            flow.branches = [only[: index + 1]]
            _close(flow, base.output, adds=False)
            flow.branches = [only[index + 1 :]]
            _close(flow, state, adds=True, factor=factor)
            return True
    return False


def _factor(base: Tensor, written: Tensor, state: Tensor) -> float | None:
    """The factor with which `written` is added to `base` to make the state; None where none does."""
    if not base.numel() == written.numel() == state.numel():
        return None
    base, written = base.flatten().float(), written.flatten().float()
    if same(base + written, state):
        return 1.0
    square = float((written.double() ** 2).sum())
    factor = float((written.double() * (state.flatten().float() - base).double()).sum()) / square if square else 0.0
    return factor if factor and same(base + factor * written, state) else None


def _close(flow: _Flow, state: Tensor, *, adds: bool | None, factor: float = 1.0) -> None:
    """End the stage: the stream is now `state`."""
    if flow.branches:
        branches = tuple(tuple(run.box for run in branch) for branch in flow.branches)
        shared = tuple(run.box for run in flow.shared)
        flow.stages.append(Stage(shared=shared, branches=branches, adds=adds, factor=factor))
    flow.stream, flow.branches, flow.shared = state, [], []
