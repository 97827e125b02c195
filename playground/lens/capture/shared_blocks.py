"""The parts of a model whose layers are one block that runs several times (ALBERT): one block's, once for each time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from playground.lens.capture.anatomy import Parts, block_around, find_parts, parts_around, parts_of_block
from playground.lens.capture.hooks import Recording, editing
from playground.lens.capture.probe import ProbePass, run_probe

if TYPE_CHECKING:
    from playground.models import LoadedModel

_known_shared: WeakKeyDictionary[nn.Module, Parts] = WeakKeyDictionary()


def find_looked_at(model: "LoadedModel") -> Parts:
    """The model's parts to look at; of one block that runs several times a part for each time.

    Such parts are for looking only: who changes one changes all of them. Raises UserError as `find_parts` does.
    """
    if model.attention == "eager":
        return find_parts(model)
    if model.module not in _known_shared:
        probe = run_probe(model)
        modules = {call.module for call in probe.calls}
        if len(modules) != 1 or len(probe.calls) == 1:
            return find_parts(model)
        _known_shared[model.module] = _shared_parts(probe)
    return _known_shared[model.module]


@torch.inference_mode()
def _shared_parts(probe: ProbePass) -> Parts:
    """Of the first time that the block runs: what each of its modules received and returned then."""
    block = block_around(probe.model, probe.calls[0].module)
    outputs = probe.recording.outputs
    end = next(index for index, item in enumerate(outputs) if item.module is block) + 1
    received = {item.module: item.received for item in outputs[:end] if item.received is not None}
    once = ProbePass(model=probe.model, recording=Recording(inputs=received, outputs=outputs[:end]))
    once.calls = probe.calls[:1]
    found = parts_of_block(once, probe.calls[0])
    return parts_around(probe, tuple(replace(found, layer=layer) for layer in range(len(probe.calls))))


@dataclass(kw_only=True)
class BlockRuns:
    """How often a block has begun during a pass, and how many outputs had been recorded each time."""

    wanted: int
    """The time that is looked at, from 0."""
    outputs_before: list[int]

    @property
    def is_kept(self) -> bool:
        """Before the first time, during it, and during the wanted one: the rest would only fill the memory."""
        return len(self.outputs_before) in (0, 1, self.wanted + 1)

    @property
    def is_wanted(self) -> bool:
        """Whether the wanted time has begun, and no later one."""
        return len(self.outputs_before) == self.wanted + 1

    def keep(self, tensor: Tensor) -> Tensor | None:
        """What is recorded of a module's tensor."""
        return tensor.detach() if self.is_kept else None


@contextmanager
def counting_runs(block: nn.Module, runs: BlockRuns, recording: list[Recording]) -> Iterator[None]:
    """Count the times that a block begins. recording: filled by the caller before the pass."""

    def begin(_tensor: Tensor) -> None:
        runs.outputs_before.append(len(recording[0].outputs) if recording else 0)

    with editing({(block, "input"): begin}):
        yield


def is_shared(parts: Parts) -> bool:
    """Whether one block stands for several layers.

    Its modules' last inputs and outputs are then those of the last time only.
    """
    return max(Counter(id(block.module) for block in parts.blocks).values()) > 1
