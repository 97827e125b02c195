"""Which modules of a block write into the residual stream, and what their outputs are multiplied by."""

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.probe import ProbedCall, ProbePass, run_probe
from playground.lens.tolerances import tolerance


def holds_matrix(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim == 2


def find_projection(probe: ProbePass, call: ProbedCall, inside: set[nn.Module]) -> tuple[nn.Module, bool]:
    """The output projection, and whether it receives exactly what `attend` returned.

    It is the first module with a weight after the call; with a gate or a norm between, the attention's last matrix
    that receives as many numbers.
    """
    inputs = probe.recording.inputs
    later = [item.module for item in probe.window(call.outputs_before, None, inside)]
    weighted = next((m for m in later if m in inputs and getattr(m, "weight", None) is not None), None)
    # A vector of weights is a norm between the heads and their projection (BitNet).
    if weighted is not None and holds_matrix(weighted) and torch.equal(inputs[weighted].flatten(), call.z.flatten()):
        return weighted, True
    own = set(call.module.modules())
    matrices = [m for m in later if m in own and holds_matrix(m) and inputs[m].numel() == call.z.numel()]
    if matrices:
        return matrices[-1], False
    raise heads_are_mixed(probe.model.name)


def heads_are_mixed(name: str) -> UserError:
    """Why a model's heads cannot be told apart behind the seam."""
    return UserError(
        "{name} changes what its heads mixed before projecting it, so that their parts cannot be told "
        "apart; choose a model of another family.",
        name=name,
    )


def several_streams(name: str, streams: int) -> UserError:
    """Why a model's stream cannot be followed where its blocks carry more than the one that a layer writes to."""
    return UserError(
        "{name} keeps {streams} residual streams side by side, which cannot be shown as one; choose a model of another "
        "family.",
        name=name,
        streams=streams,
    )


def keeps_heads_apart(probe: ProbePass, indirect: Mapping[nn.Module, nn.Module]) -> bool:
    """Whether a head that mixes nothing leaves its own part of the projection's input empty, and no other's.

    indirect: projections by the attention modules before them.
    """
    first = run_probe(probe.model, without_head=0)
    for call in first.calls:
        if call.module in indirect:
            received = first.recording.inputs[indirect[call.module]].flatten()
            parts = received.view(call.z.shape[1], call.n_heads, call.value_width)
            if bool(parts[:, 0].any()) or (call.n_heads > 1 and not bool(parts[:, 1:].any())):
                return False
    return True


def find_writers(
    probe: ProbePass,
    block: nn.Module,
    inside: set[nn.Module],
    moments: list[int],
    projections: list[nn.Module],
    feed_forward: nn.Module | None,
) -> tuple[list[nn.Module] | None, float]:
    """One module for each layer of the block, and a factor: input plus factor times outputs is what it returns.

    None and 1 where no modules do.
    """
    before, after = probe.recording.inputs[block], probe.recording.output(block)
    choices = []
    for begin, end in itertools.pairwise(moments):
        outputs = probe.window(begin, end, inside - {block})
        # By their number, not their shape: some families (OPT) lay all tokens in one row for the feed-forward layer.
        choices.append([item for item in outputs if item.output.numel() == after.numel()])
    count = len(projections) + (feed_forward is not None)
    if feed_forward is not None:
        choices.append(choices[-1])  # the last attention and the feed-forward layer share a window
    scaled: tuple[list[nn.Module] | None, float] = None, 1.0
    for combination in itertools.product(*choices[:count]):
        modules = [item.module for item in combination]
        if len(set(modules)) < count:
            continue
        written = sum((item.output.view_as(after) for item in combination), start=torch.zeros_like(before))
        if same_up_to_rounding(before + written, after):
            return modules, 1.0
        factor = multiple_of(written, after - before)
        if scaled[0] is None and factor is not None and same_up_to_rounding(before + factor * written, after):
            scaled = modules, factor
    return scaled


def multiple_of(vectors: Tensor, multiples: Tensor) -> float | None:
    """The number that comes nearest to making the one the other (least squares); None for zeros."""
    square = float((vectors.double() ** 2).sum())
    factor = float((vectors.double() * multiples.double()).sum()) / square if square else 0.0
    return factor or None


def same_up_to_rounding(recomputed: Tensor, expected: Tensor) -> bool:
    """Whether two computations of the same numbers agree up to rounding."""
    largest = tolerance("module", recomputed.dtype) * float(expected.abs().max().clamp(min=1e-3))
    return recomputed.shape == expected.shape and float((recomputed - expected).abs().max()) <= largest
