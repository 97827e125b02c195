"""What mixes tokens in a block without attention, found by what adds up: convolution, recurrence, state space model.

Such blocks stand beside attending ones in mixed stacks (LFM2, Jamba, Qwen3-Next). Most are a mixer and a feed-forward
layer, each added to the stream; some are one of the two alone (Nemotron-H).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.probe import ProbePass
from playground.lens.capture.writers import multiple_of, same_up_to_rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixing:
    """The writers of a block without attention."""

    mixer: nn.Module | None
    """None where nothing adds up."""
    feed_forward: nn.Module | None
    factor: float

    @property
    def is_additive(self) -> bool:
        """Whether input plus `factor` times what they write is what the block returns."""
        return self.mixer is not None


def find_mixing(probe: ProbePass, block: nn.Module) -> Mixing:
    """The two modules, or the one, whose outputs added to the block's input come nearest to its output.

    The block's own children are tried before the modules within them: what a mixer is made of is not told apart.
    """
    before, after = probe.recording.inputs[block], probe.recording.output(block)
    children = set(block.children())
    for inside in (children, set(block.modules()) - {block} - children):
        end = max(index for index, item in enumerate(probe.recording.outputs) if item.module is block)
        outputs = [item for item in probe.window(0, end, inside) if item.output.numel() == after.numel()]
        if found := _nearest(outputs, before, after):
            return found
    return Mixing(mixer=None, feed_forward=None, factor=1.0)


def _nearest(outputs: Sequence[ModuleOutput], before: Tensor, after: Tensor) -> Mixing | None:
    best, smallest = None, torch.inf
    for chosen, factor, error in _sums(outputs, before, after):
        if error < smallest:
            smallest = error
            modules = [item.module for item in chosen]
            best = Mixing(mixer=modules[0], feed_forward=modules[1] if modules[1:] else None, factor=factor)
    return best


def _sums(
    outputs: Sequence[ModuleOutput], before: Tensor, after: Tensor
) -> Iterator[tuple[tuple[ModuleOutput, ...], float, float]]:
    """The outputs that add up to the block's own, with their factor, and by how much they are off."""
    for count in (1, 2):
        for chosen in itertools.combinations(outputs, count):
            written = torch.stack([item.output.view_as(after) for item in chosen]).sum(0)
            for factor in (1.0, multiple_of(written, after - before)):
                if factor is not None and same_up_to_rounding(before + factor * written, after):
                    # A sum without a factor is preferred to one whose factor is fitted.
                    error = float((before + factor * written - after).abs().max())
                    yield chosen, factor, error
                    break
