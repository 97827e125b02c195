"""A mixture of experts: the matrices of each, which of them a token goes through, and the experts that all share.

Shazeer et al. 2017; Fedus et al. 2022, section 2 (routing); Dai et al. 2024 (experts that every token shares).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.inspect.steps.activation import Gating, agrees, closest, gatings
from playground.lens.inspect.steps.feed_forward import (
    Branch,
    FeedForward,
    Hidden,
    Neurons,
    find_neurons,
    halves,
    has_matrix,
    linear_map,
)
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.router import Router, Routing, find_routing, unknown_routing
from playground.lens.inspect.steps.token_rows import TokenRows


@dataclass(frozen=True, kw_only=True, eq=False)
class ExpertTables:
    """The matrices of all experts, and how they are laid out."""

    up: Float[Tensor, "expert _ _"]
    up_bias: Float[Tensor, "expert _"] | None
    down: Float[Tensor, "expert _ _"]
    down_bias: Float[Tensor, "expert _"] | None
    turns_up: bool
    """Whether an expert's matrix is stored with its inputs as rows (gpt-oss)."""
    turns_down: bool
    half: int | None
    """Which arrangement of `halves` holds up and gate; None without a gate."""
    gating: Gating

    def expert(self, number: int) -> Neurons:
        """One expert."""
        whole = _expert_map(self.up, self.up_bias, number, turns=self.turns_up)
        up, gate = (whole, None) if self.half is None else halves(whole)[self.half]
        down = _expert_map(self.down, self.down_bias, number, turns=self.turns_down)
        return Neurons(up=up, gate=gate, gating=self.gating, down=down)


def _expert_map(table: Tensor, bias: Tensor | None, number: int, *, turns: bool) -> LinearMap:
    weight = table[number].T if turns else table[number]
    return LinearMap(weight=weight, bias=None if bias is None else bias[number])


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedExpert:
    """Neurons that every token goes through, beside the chosen experts."""

    neurons: Neurons
    gate: LinearMap | None
    """Its share is the logistic function of this; 1 without."""

    def share(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row 1"]:
        """How much of its output counts."""
        return torch.ones(len(x), 1) if self.gate is None else self.gate(x).sigmoid()


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """A layer of which every token uses a few experts."""

    router: Router
    tables: ExpertTables
    shared: SharedExpert | None = None

    @property
    def experts(self) -> int:
        """The shared expert is the last one."""
        return len(self.tables.up) + (self.shared is not None)

    @property
    def shared_number(self) -> int | None:
        """The shared expert's number; None where there is none."""
        return None if self.shared is None else len(self.tables.up)

    def expert(self, number: int) -> Neurons:
        """One expert, or the shared one."""
        if self.shared is not None and number == self.shared_number:
            return self.shared.neurons
        return self.tables.expert(number)

    def branches(self, x: Float[Tensor, "width"]) -> tuple[Branch, ...]:
        """The chosen experts, the largest share first, and the shared one."""
        routing = self.router(x[None])
        pairs = zip(routing.chosen[0].tolist(), routing.shares[0].tolist(), strict=True)
        branches = [Branch(expert=number, neurons=self.expert(number), share=share) for number, share in pairs]
        if self.shared is not None:
            share = float(self.shared.share(x[None]))
            branches.append(Branch(expert=len(self.tables.up), neurons=self.shared.neurons, share=share))
        return tuple(branches)

    def __call__(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        routing = self.router(x)
        written = run_experts(self.tables, x, routing.chosen, routing.shares)
        return written if self.shared is None else written + self.shared.share(x) * self.shared.neurons(x)


def run_experts(
    tables: ExpertTables, x: Float[Tensor, "row width"], chosen: Int[Tensor, "row k"], shares: Float[Tensor, "row k"]
) -> Float[Tensor, "row width"]:
    """Each row through its experts, times their shares."""
    written = torch.zeros_like(x)
    for number in sorted(set(chosen.flatten().tolist())):
        row, choice = torch.where(chosen == number)
        written[row] += shares[row, choice, None] * tables.expert(number)(x[row])
    return written


def find_mixture(rows: TokenRows, outputs: Sequence[ModuleOutput], experts: ModuleOutput) -> FeedForward:
    """The mixture that these experts belong to. Raises UserError where router or experts cannot be told."""
    x, dtype = experts.received, rows.dtype
    routed = None if x is None else find_routing(rows, outputs, experts)
    tables = None if routed is None or x is None else _tables(experts, x, routed.routing, dtype)
    if x is None or routed is None or tables is None:
        raise _refusal(rows) if routed is not None else unknown_routing(rows, experts)
    plain = Mixture(router=routed.router, tables=tables)
    for mixture, seen in ((plain, {}), *_with_shared(plain, outputs, x, dtype)):
        total = mixture(x)
        returned = [item.output for item in outputs if agrees(item.output, total, dtype)]
        is_all = mixture.shared is not None or not _has_shared(outputs, routed.router)
        if returned and is_all:
            return FeedForward(
                input=x,
                output=returned[-1],
                body=mixture,
                reader=experts.module,
                seen=seen,
                scores=routed.scores,
                shares=routed.shares,
            )
    raise _refusal(rows)


def _refusal(rows: TokenRows) -> UserError:
    return UserError(
        "The experts of the family {family} cannot be told: no known activation function gives what they return. "
        "Choose a model of another family.",
        family=rows.model.family,
    )


def _tables(experts: ModuleOutput, x: Tensor, routing: Routing, dtype: torch.dtype) -> ExpertTables | None:
    """The layout and activation with which the experts' matrices give what they returned."""
    found = [
        tables
        for tables in _layouts(experts, x.shape[1])
        if agrees(run_experts(tables, x, routing.chosen, routing.shares), experts.output, dtype)
    ]

    def error(activation: object) -> float:
        return min(
            float((run_experts(tables, x, routing.chosen, routing.shares) - experts.output).abs().max())
            for tables in found
            if tables.gating.activation is activation
        )

    best = closest([tables.gating.activation for tables in found], [experts.module], error)
    return next((tables for tables in found if tables.gating.activation is best), None)


def _layouts(experts: ModuleOutput, width: int) -> Iterator[ExpertTables]:
    """Every way to read the parameters: the first of three axes are up (and gate), the second down."""
    parameters = [parameter.detach() for parameter in experts.module.parameters(recurse=False)]
    up, down, *rest = [parameter for parameter in parameters if parameter.ndim == 3]
    biases = [parameter for parameter in parameters if parameter.ndim == 2]
    if rest:
        return
    for turns_up, turns_down in ((False, False), (False, True), (True, False), (True, True)):
        (rows, read), (written, hidden) = (
            table.shape[1:][::-1] if turns else table.shape[1:] for table, turns in ((up, turns_up), (down, turns_down))
        )
        if read != width or written != width or rows not in (hidden, 2 * hidden):
            continue
        up_bias = next((bias for bias in biases if bias.shape[1] == rows), None)
        down_bias = next((bias for bias in biases if bias is not up_bias and bias.shape[1] == width), None)
        gated = rows == 2 * hidden
        for half in range(4) if gated else (None,):
            for gating in gatings([experts.module], is_gated=gated):
                yield ExpertTables(
                    up=up,
                    up_bias=up_bias,
                    down=down,
                    down_bias=down_bias,
                    turns_up=turns_up,
                    turns_down=turns_down,
                    half=half,
                    gating=gating,
                )


def _has_shared(outputs: Sequence[ModuleOutput], router: Router) -> bool:
    return len(_shared_matrices(outputs, router.map)) > 1


def _shared_matrices(outputs: Sequence[ModuleOutput], router: LinearMap) -> list[ModuleOutput]:
    """The matrices that are neither the router nor a shared expert's gate."""
    matrices = [item for item in outputs if has_matrix(item.module) and item.received is not None]
    maps = [(item, linear_map(item.module)) for item in matrices]
    return [item for item, one in maps if one.weight.data_ptr() != router.weight.data_ptr() and len(one.weight) > 1]


def _with_shared(
    plain: Mixture, outputs: Sequence[ModuleOutput], x: Tensor, dtype: torch.dtype
) -> Iterator[tuple[Mixture, dict[int, Hidden]]]:
    """The mixture with the shared expert, whose output a gate of its own may multiply (Qwen 2), and what it showed."""
    matrices = _shared_matrices(outputs, plain.router.map)
    found = find_neurons(matrices, [item.module for item in outputs], dtype) if len(matrices) > 1 else None
    if found is None:
        return
    seen = {plain.experts: found.seen}
    yield replace(plain, shared=SharedExpert(neurons=found.neurons, gate=None)), seen
    for item in outputs:
        if has_matrix(item.module) and linear_map(item.module).weight.shape == (1, x.shape[1]):
            yield replace(plain, shared=SharedExpert(neurons=found.neurons, gate=linear_map(item.module))), seen
