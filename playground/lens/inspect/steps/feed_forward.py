"""A feed-forward layer's matrices and its activation function, found by which numbers give those it returned.

Vaswani et al. 2017, section 3.3 (two matrices), Shazeer 2020 (gated), Shazeer et al. 2017 (a mixture of experts).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.inspect.steps.activation import Gating, agrees, find_gating
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.sources import matrix_of
from playground.lens.inspect.steps.token_rows import TokenRows


class Hidden(NamedTuple):
    """The inner numbers of a feed-forward layer: activated = gating(up, gate)."""

    up: Float[Tensor, "row hidden"]
    gate: Float[Tensor, "row hidden"] | None
    activated: Float[Tensor, "row hidden"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Neurons:
    """Two or three matrices: down(gating(up(x), gate(x))). A dense layer is one, an expert of a mixture another."""

    up: LinearMap
    gate: LinearMap | None
    gating: Gating
    down: LinearMap

    @property
    def count(self) -> int:
        """How many neurons there are."""
        return len(self.up.weight)

    def hidden(self, x: Float[Tensor, "row width"]) -> Hidden:
        """What stands between the first matrices and the last."""
        up, gate = self.up(x), None if self.gate is None else self.gate(x)
        return Hidden(up=up, gate=gate, activated=self.gating(up, gate))

    def __call__(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        return self.down(self.hidden(x).activated)


@dataclass(frozen=True, kw_only=True, eq=False)
class Branch:
    """Neurons that one token's input goes through, and the share of their output that counts."""

    expert: int
    """0 in a dense layer; the number after the last expert's is the shared expert's."""
    neurons: Neurons
    share: float


class Body(Protocol):
    """What a feed-forward layer consists of."""

    @property
    def experts(self) -> int:
        """How many sets of neurons there are."""

    def expert(self, number: int) -> Neurons:
        """One of them."""

    def branches(self, x: Float[Tensor, "width"]) -> tuple[Branch, ...]:
        """The neurons that this input goes through."""

    def __call__(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        """The layer's output."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense:
    """A layer of which every token uses all neurons."""

    neurons: Neurons
    experts: int = 1

    def expert(self, number: int) -> Neurons:
        """All neurons."""
        return self.neurons

    def branches(self, x: Float[Tensor, "width"]) -> tuple[Branch, ...]:
        """All neurons."""
        return (Branch(expert=0, neurons=self.neurons, share=1.0),)

    def __call__(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        return self.neurons(x)


@dataclass(frozen=True, kw_only=True, eq=False)
class FeedForward:
    """A feed-forward layer at some tokens."""

    input: Float[Tensor, "row width"]
    """What its first matrices received."""
    output: Float[Tensor, "row width"]
    """What it returned."""
    body: Body
    reader: nn.Module
    """The module that receives the input, at all tokens."""
    seen: Mapping[int, Hidden] = field(default_factory=dict)
    """By expert, the inner numbers as the pass had them; none of experts that share one table."""
    scores: Float[Tensor, "row expert"] | None = None
    """As a router's module returned them; None where none does."""
    shares: Float[Tensor, "row expert"] | None = None
    """Of each chosen expert, as the experts received them."""

    def branches(self, row: int = 0) -> tuple[Branch, ...]:
        """The neurons that a token goes through, with the shares of the pass."""
        found = self.body.branches(self.input[row])
        if self.shares is None:
            return found
        shares = dict(enumerate(self.shares[row].tolist()))
        return tuple(replace(one, share=shares.get(one.expert, one.share)) for one in found)

    def hidden(self, branch: Branch, row: int = 0) -> Hidden:
        """A token's inner numbers in a branch: those of the pass, or recomputed where no module shows them."""
        part, seen = slice(row, row + 1), self.seen.get(branch.expert)
        if seen is None:
            return branch.neurons.hidden(self.input[part])
        gate = None if seen.gate is None else seen.gate[part]
        return Hidden(up=seen.up[part], gate=gate, activated=seen.activated[part])


def has_matrix(module: nn.Module) -> bool:
    """Whether a module multiplies by a matrix."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim == 2 and not isinstance(module, nn.Embedding)


def find_feed_forward(rows: TokenRows, outputs: Sequence[ModuleOutput]) -> FeedForward | None:
    """The feed-forward layer among a block's modules; None where it has none. Raises UserError where it is unknown."""
    from playground.lens.inspect.steps.mixture import find_mixture

    experts = next((item for item in outputs if item.module in rows.choices), None)
    if experts is not None:
        return find_mixture(rows, outputs, experts)
    matrices = [item for item in outputs if has_matrix(item.module) and item.received is not None]
    if not matrices:
        return None
    found = find_neurons(matrices, [item.module for item in outputs], rows.dtype)
    if found is None:
        raise UserError(
            "The feed-forward layers of the family {family} cannot be told: no known activation function gives what "
            "their last matrix receives. Choose a model of another family.",
            family=rows.model.family,
        )
    first = found.first
    assert first.received is not None
    return FeedForward(
        input=first.received,
        output=matrices[-1].output,
        body=Dense(neurons=found.neurons),
        reader=first.module,
        seen={0: found.seen},
    )


class FoundNeurons(NamedTuple):
    """Neurons among some modules, with the inner numbers as these had them."""

    neurons: Neurons
    seen: Hidden
    first: ModuleOutput
    """The first matrix."""


def find_neurons(
    matrices: Sequence[ModuleOutput], modules: Sequence[nn.Module], dtype: torch.dtype
) -> FoundNeurons | None:
    """The neurons of which the last matrix is the output; None where nothing fits."""
    last = matrices[-1]
    if last.received is None or len(matrices) < 2:
        return None
    for up, gate, item in _first_matrices(matrices[:-1], last.received.shape[1], dtype):
        x = item.received
        assert x is not None
        above = None if gate is None else gate.map(x)
        gating = find_gating(modules, up.map(x), above, last.received, dtype)
        if gating is not None:
            neurons = Neurons(
                up=up.map, gate=None if gate is None else gate.map, gating=gating, down=linear_map(last.module)
            )
            seen = Hidden(up=up.output, gate=None if gate is None else gate.output, activated=last.received)
            return FoundNeurons(neurons=neurons, seen=seen, first=item)
    return None


class _Read(NamedTuple):
    """A matrix, or a part of one, with what it returned."""

    map: LinearMap
    output: Float[Tensor, "row hidden"]


def _first_matrices(
    matrices: Sequence[ModuleOutput], hidden: int, dtype: torch.dtype
) -> Iterator[tuple[_Read, _Read | None, ModuleOutput]]:
    """Up, and gate: one matrix, the two halves of one (Phi 3, ModernBERT), or two that receive the same numbers."""
    for index, item in enumerate(matrices):
        whole = _Read(linear_map(item.module), item.output)
        if len(whole.map.weight) == hidden:
            yield whole, None, item
        if len(whole.map.weight) == 2 * hidden:
            for up, gate in _half_parts(hidden):
                first, second = (_Read(whole.map.rows(part), whole.output[:, part]) for part in (up, gate))
                yield first, second, item
        for other in matrices[index + 1 :]:
            is_pair = len(whole.map.weight) == hidden == len(linear_map(other.module).weight)
            assert item.received is not None
            if is_pair and other.received is not None and agrees(other.received, item.received, dtype):
                second = _Read(linear_map(other.module), other.output)
                yield second, whole, item
                yield whole, second, item


def halves(whole: LinearMap) -> list[tuple[LinearMap, LinearMap]]:
    """Up and gate in one matrix: gate first, up first, or their rows in turn (gpt-oss)."""
    return [(whole.rows(up), whole.rows(gate)) for up, gate in _half_parts(len(whole.weight) // 2)]


def _half_parts(half: int) -> list[tuple[slice, slice]]:
    first, second = slice(0, half), slice(half, None)
    even, odd = slice(0, None, 2), slice(1, None, 2)
    return [(second, first), (first, second), (odd, even), (even, odd)]


def linear_map(module: nn.Module) -> LinearMap:
    """The matrix and bias of a module."""
    weight, bias = matrix_of(module)
    return LinearMap(weight=weight.detach(), bias=None if bias is None else bias.detach())
