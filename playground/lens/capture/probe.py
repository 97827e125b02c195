"""A few tokens' pass through a model, with everything that its modules receive and return."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from playground.attention import AttentionCall, handling
from playground.lens.capture.blocks import number_blocks
from playground.lens.capture.hooks import ModuleOutput, Recording, record
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site, SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel

PROBE_TOKENS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbedCall:
    """One call of `attend`, what it returned, and how many module outputs there were before it."""

    kind: SiteKind
    block: int
    """The number of its block in the model."""
    module: nn.Module
    z: Tensor
    outputs_before: int
    n_heads: int
    n_key_value_heads: int
    head_width: int
    """Of queries and keys."""
    value_width: int


@dataclass(kw_only=True, eq=False)
class ProbePass:
    """A few tokens' pass through a model: every module's inputs and outputs, and the calls of `attend`."""

    model: "LoadedModel"
    recording: Recording
    calls: list[ProbedCall] = field(default_factory=list)
    returned: Any = None

    def window(self, begin: int, end: int | None, modules: set[nn.Module]) -> list[ModuleOutput]:
        """The outputs from one moment to another, of some modules only."""
        return [item for item in self.recording.outputs[begin:end] if item.module in modules]


def run_probe(model: "LoadedModel", without_head: int | None = None) -> ProbePass:
    """Run a few tokens through the model and record what every module receives and returns.

    without_head: this head of every layer mixes nothing.
    """
    rows = int(model.adapter.embedding().weight.shape[0])  # type: ignore[union-attr,index,arg-type]
    ids = torch.arange(min(PROBE_TOKENS, rows, model.context), device=model.device)[None]
    # The target is shorter than the source, to tell them apart.
    target_ids = ids[:, : max(1, ids.shape[1] - 1)] if model.kind == "encoder-decoder" else None
    modules = list(model.module.modules())
    recorder = recorder_for(model.module, None if model.kind == "encoder-decoder" else model.kind, None)
    with record(inputs=modules, outputs=modules, keep=Tensor.clone) as recording:
        probe = ProbePass(model=model, recording=recording)

        def handler(call: AttentionCall) -> Tensor:
            z = recorder(call)
            if without_head is not None:
                z[:, without_head] = 0
            probe.calls.append(_probed(call, z, recorder.sites[-1], len(recording.outputs)))
            return z

        with handling(handler):
            probe.returned = model.module(**model.adapter.arguments(ids, target_ids=target_ids))
    numbered = number_blocks(recorder.sites, recorder.paths)
    if len(numbered) == len(probe.calls):
        probe.calls = [replace(call, block=site.layer) for call, site in zip(probe.calls, numbered, strict=True)]
    return probe


def _probed(call: AttentionCall, z: Tensor, site: Site, outputs_before: int) -> ProbedCall:
    return ProbedCall(
        kind=site.kind,
        block=site.layer,
        module=call.module,
        # [1, head, token, width] -> [1, token, head · width], as the output projection receives it.
        z=z.transpose(1, 2).flatten(2),
        outputs_before=outputs_before,
        n_heads=call.n_heads,
        n_key_value_heads=call.key.shape[1],
        head_width=call.query.shape[-1],
        value_width=call.value.shape[-1],
    )
