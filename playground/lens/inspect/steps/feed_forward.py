"""A feed-forward layer's matrices and its activation function, found by which numbers give those it returned.

Vaswani et al. 2017, section 3.3 (two matrices), Shazeer 2020 (gated), Shazeer et al. 2017 (a mixture of experts).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    neurons, first = found
    assert first.received is not None
    return FeedForward(
        input=first.received, output=matrices[-1].output, body=Dense(neurons=neurons), reader=first.module
    )


def find_neurons(
    matrices: Sequence[ModuleOutput], modules: Sequence[nn.Module], dtype: torch.dtype
) -> tuple[Neurons, ModuleOutput] | None:
    """The neurons of which the last matrix is the output, and the first matrix; None where nothing fits."""
    last = matrices[-1]
    if last.received is None or len(matrices) < 2:
        return None
    for up, gate, first in _first_matrices(matrices[:-1], last.received.shape[1], dtype):
        x = first.received
        assert x is not None
        above = None if gate is None else gate(x)
        gating = find_gating(modules, up(x), above, last.received, dtype)
        if gating is not None:
            return Neurons(up=up, gate=gate, gating=gating, down=linear_map(last.module)), first
    return None


def _first_matrices(
    matrices: Sequence[ModuleOutput], hidden: int, dtype: torch.dtype
) -> Iterator[tuple[LinearMap, LinearMap | None, ModuleOutput]]:
    """Up, and gate: one matrix, the two halves of one (Phi 3, ModernBERT), or two that receive the same numbers."""
    for index, item in enumerate(matrices):
        whole = linear_map(item.module)
        if len(whole.weight) == hidden:
            yield whole, None, item
        if len(whole.weight) == 2 * hidden:
            for up, gate in halves(whole):
                yield up, gate, item
        for other in matrices[index + 1 :]:
            is_pair = len(whole.weight) == hidden == len(linear_map(other.module).weight)
            assert item.received is not None
            if is_pair and other.received is not None and agrees(other.received, item.received, dtype):
                yield linear_map(other.module), whole, item
                yield whole, linear_map(other.module), item


def halves(whole: LinearMap) -> list[tuple[LinearMap, LinearMap]]:
    """Up and gate in one matrix: gate first, up first, or their rows in turn (gpt-oss)."""
    half = len(whole.weight) // 2
    first, second = whole.rows(slice(0, half)), whole.rows(slice(half, None))
    even, odd = whole.rows(slice(0, None, 2)), whole.rows(slice(1, None, 2))
    return [(second, first), (first, second), (odd, even), (even, odd)]


def linear_map(module: nn.Module) -> LinearMap:
    """The matrix and bias of a module."""
    weight, bias = matrix_of(module)
    return LinearMap(weight=weight.detach(), bias=None if bias is None else bias.detach())
