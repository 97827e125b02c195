"""One pass, of which only some tokens' rows are kept: what every module received and returned at these tokens.

The calls of a module stay apart: ALBERT runs one block several times in a pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput, record
from playground.lens.capture.site import SiteKind, select
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class SeamRows:
    """One call of `attend`, of which some queries are kept."""

    kind: SiteKind
    module: nn.Module
    heads: int
    outputs_before: int
    """How many module outputs there were before it."""
    z: Float[Tensor, "row width"]
    """The model's own, its heads side by side."""
    recomputed: Float[Tensor, "row width"]
    """The same from queries, keys and values: pattern times values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenRows:
    """What every module received and returned at some tokens of one pass; float32, on the CPU."""

    model: "LoadedModel"
    positions: tuple[int, ...]
    outputs: list[ModuleOutput]
    """In the order in which the modules returned."""
    calls: list[SeamRows]
    choices: dict[nn.Module, list[Tensor]] = field(default_factory=dict)
    """Further tensors that a mixture's experts received: each row's experts, and their shares."""
    logits: Float[Tensor, "row vocabulary"] | None
    """None without an output head."""

    @property
    def dtype(self) -> torch.dtype:
        """The model's own, which decides how closely two computations agree."""
        dtype: torch.dtype = getattr(torch, self.model.dtype)
        return dtype


def experts_among(root: nn.Module) -> list[nn.Module]:
    """Modules that hold the matrices of several experts: parameters of three axes, the experts' first."""
    return [module for module in root.modules() if sum(p.ndim == 3 for p in module.parameters(recurse=False)) >= 2]


@torch.inference_mode()
def read_rows(
    model: "LoadedModel",
    arguments: dict[str, Any],
    kinds: Sequence[SiteKind],
    positions: Sequence[int],
    on_progress: OnProgress = no_progress,
) -> TokenRows:
    """Run the model and keep these tokens' rows. kinds: the kind of every call of `attend`, as a trace lists them.

    on_progress: called after each of these calls.
    Raises UserError for a family that does not go through the seam.
    """
    if model.attention == "eager":
        raise UserError(
            "The family {family} reports only its finished maps; the steps behind them cannot be shown.",
            family=model.family,
        )
    modules, experts = list(model.module.modules()), experts_among(model.module)
    chosen = list(positions)
    calls: list[SeamRows] = []
    head = _head_modules(model) if "logits_to_keep" in arguments else set()
    kept = {name: value for name, value in arguments.items() if name != "logits_to_keep"}
    if head:
        # The logits of a long text at every position are gigabytes.
        kept["logits_to_keep"] = torch.tensor(chosen, device=arguments["input_ids"].device)
    only_chosen = dict.fromkeys(head, partial(_whole_rows, len(chosen)))
    # Another reader of the same pass may stand before this one.
    before = attention.handler()
    keep = partial(_rows_at, chosen)
    with record(inputs=modules, outputs=modules, calls=experts, keep=keep, keeps=only_chosen) as recording:

        def handler(call: AttentionCall) -> Tensor:
            z = before(call)
            kind = kinds[len(calls)]
            calls.append(_seam_rows(call, z, kind, chosen, len(recording.outputs)))
            on_progress(len(calls), len(kinds))
            return z

        with handling(handler):
            returned = model.module(**kept)
    logits = model.adapter.logits(returned) if model.has_output_head else None
    return TokenRows(
        model=model,
        positions=tuple(chosen),
        outputs=recording.outputs,
        calls=calls,
        choices={module: _choices(*call, chosen) for module, call in recording.calls.items()},
        logits=None if logits is None else (_whole_rows(len(chosen), logits) if head else _rows_at(chosen, logits)),
    )


def _head_modules(model: "LoadedModel") -> set[nn.Module]:
    """The modules that see only the positions whose logits are wanted: those behind the stack, if they are known."""
    trunk = getattr(model.module, "base_model", None)
    if not isinstance(trunk, nn.Module):
        return set()
    found = set(model.module.modules()) - set(trunk.modules()) - {model.module}
    return found if model.adapter.output_head() in found else set()


def _whole_rows(count: int, tensor: Tensor) -> Tensor | None:
    """All rows of a tensor; None for what holds no row for each of so many tokens."""
    if tensor.ndim < 2 or not tensor.is_floating_point():
        return None
    flat = tensor.detach().reshape(-1, tensor.shape[-1])
    return flat.float().cpu() if len(flat) == count else None


def _rows_at(positions: list[int], tensor: Tensor) -> Tensor | None:
    """A module's output at these positions; None for what holds no row for each token."""
    if tensor.ndim < 2 or not tensor.is_floating_point():
        return None
    flat = tensor.detach().reshape(-1, tensor.shape[-1])
    return flat[positions].float().cpu() if max(positions) < len(flat) else None


def _seam_rows(call: AttentionCall, z: Tensor, kind: SiteKind, positions: list[int], outputs_before: int) -> SeamRows:
    """Some queries' z, the model's and a recomputed one: [1, head, query, width] becomes [row, head · width]."""
    queries = call.query.shape[2]
    inside = [position for position in positions if position < queries]
    values = call.value.float()
    # One query at a time: all of a long text's at once would form every head's whole map.
    rows = (attention.pattern(select(call, slice(None), slice(query, query + 1))) for query in inside)
    recomputed = [attention.weighted_values(weights, values)[0, :, 0].flatten() for weights in rows]
    return SeamRows(
        kind=kind,
        module=call.module,
        heads=call.n_heads,
        outputs_before=outputs_before,
        z=z[0, :, inside].transpose(0, 1).flatten(1).float().cpu(),
        recomputed=torch.stack(recomputed).cpu() if recomputed else z.new_zeros(0, 0).float(),
    )


def _choices(args: tuple[Any, ...], kwargs: dict[str, Any], positions: list[int]) -> list[Tensor]:
    """Rows of all tensors but the first, which is the experts' input."""
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)][1:]
    return [tensor.detach()[positions].cpu() for tensor in tensors if len(tensor) > max(positions)]
