"""The records of a model's architecture: boxes of weights, in the order and with the connections in which they run."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal

Role = Literal[
    "embedding",
    "position",
    "segment",
    "projection",
    "norm",
    "attention",
    "cross_attention",
    "mixer",
    "feed_forward",
    "head",
    "pooler",
    "other",
    "unused",
]
"""What a box does. projection: a matrix between an embedding and the stream, or before the output matrix; mixer: mixes
tokens without attention (LFM2, Jamba); unused: weights that a prediction does not run through."""
NormKind = Literal["LayerNorm", "RMSNorm"]
"""Without the mean, over the standard deviation (Ba et al. 2016); or over the root mean square (Zhang et al. 2019)."""
MATRIX_AXES = 2


@dataclass(frozen=True, kw_only=True)
class Weight:
    """One tensor of weights."""

    name: str
    """Its path in the model."""
    shape: tuple[int, ...]
    shared_with: str = ""
    """The path under which it was counted before: a tied matrix is one tensor under two names."""
    is_table: bool = False
    """Whether rows are looked up in it, and nothing is multiplied with it."""

    @property
    def parameters(self) -> int:
        """Its numbers; 0 where they were counted before."""
        return 0 if self.shared_with else self.numbers

    @property
    def numbers(self) -> int:
        """Its numbers, counted before or not."""
        return prod(self.shape)

    @property
    def is_matrix(self) -> bool:
        """Whether it is no vector: two axes, or three for a matrix of each expert."""
        return len(self.shape) >= MATRIX_AXES and not self.name.endswith("bias")


@dataclass(frozen=True, kw_only=True)
class Box:
    """One part of the drawing: a norm, an attention layer, a feed-forward layer, an embedding, …"""

    role: Role
    path: str
    """Of its module; of a group of layers the first one's."""
    weights: tuple[Weight, ...] = ()
    n_heads: int = 0
    """Query heads of an attention layer; 0 for everything else, and where they are not known."""
    n_key_value_heads: int = 0
    head_width: int = 0
    value_width: int = 0
    """Of one head's values."""
    experts: int = 0
    """Feed-forward layers of which a token goes through some; 0 where there is one for all."""
    experts_per_token: int = 0
    norm: NormKind | None = None
    """Which norm it is; None for everything else, and for one that cannot be told."""
    is_per_token: bool = True
    """Whether every token goes through it; a pooler reads one."""

    @property
    def parameters(self) -> int:
        """Its parameters, those counted in an earlier box left out."""
        return sum(weight.parameters for weight in self.weights)

    @property
    def shared_with(self) -> tuple[str, ...]:
        """The paths of weights that an earlier box counts."""
        return tuple(weight.shared_with for weight in self.weights if weight.shared_with)

    @property
    def multiplied(self) -> int:
        """The matrix entries that one token is multiplied with: of the experts only those that it goes through."""
        if self.role == "unused":
            return 0
        share = self.experts_per_token / self.experts if self.experts else 1.0
        counts = (
            weight.numbers * (share if len(weight.shape) > MATRIX_AXES else 1.0)
            for weight in self.weights
            if weight.is_matrix and not weight.is_table
        )
        return round(sum(counts))


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Boxes between two states of the residual stream: read from it, and added to it or put in its place."""

    shared: tuple[Box, ...] = ()
    """Boxes before the branches part: the one norm that GPT-J's attention and MLP both read."""
    branches: tuple[tuple[Box, ...], ...]
    """Side by side in parallel blocks; mostly one."""
    adds: bool | None
    """Whether a residual connection leads around it; None where the numbers do not tell."""
    factor: float = 1.0
    """What the branches' outputs are multiplied by before they are added (Granite)."""

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All of its boxes."""
        return (*self.shared, *(box for branch in self.branches for box in branch))


@dataclass(frozen=True, kw_only=True)
class LayerGroup:
    """Layers that follow each other and are built alike."""

    first: int
    count: int
    stages: tuple[Stage, ...]
    """Of the first layer."""
    shares_weights: bool = False
    """Whether all of them are one layer that runs `count` times (ALBERT)."""

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes of one layer."""
        return tuple(box for stage in self.stages for box in stage.boxes)

    @property
    def parameters(self) -> int:
        """Of all its layers."""
        return sum(box.parameters for box in self.boxes) * (1 if self.shares_weights else self.count)


@dataclass(frozen=True, kw_only=True)
class ModelStack:
    """An encoder or a decoder: what stands before its layers, the layers, and what stands after them."""

    kind: Literal["encoder", "decoder"]
    before: tuple[Box, ...]
    groups: tuple[LayerGroup, ...]
    after: tuple[Box, ...]

    @property
    def n_layers(self) -> int:
        """Its layers."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True, kw_only=True)
class PlacedBox:
    """A box with its place: how often it stands there, and in which layers."""

    box: Box
    stack: Literal["encoder", "decoder", ""]
    """Empty for weights that are not run."""
    first_layer: int | None = None
    """None outside the layers."""
    runs: int = 1
    """How often a token goes through it."""
    copies: int = 1
    """How many there are, each with weights of its own."""

    @property
    def parameters(self) -> int:
        """Of all copies."""
        return self.copies * self.box.parameters


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Everything that the drawing shows. The parameters of its boxes sum to the model's."""

    name: str
    width: int
    """Of the residual stream."""
    stacks: tuple[ModelStack, ...]
    """In the order in which they run: an encoder before its decoder."""
    unused: tuple[Box, ...] = ()

    def placed(self) -> Iterator[PlacedBox]:
        """Every box in its order, a group of layers once."""
        for stack in self.stacks:
            yield from (PlacedBox(box=box, stack=stack.kind) for box in stack.before)
            for group in stack.groups:
                copies = 1 if group.shares_weights else group.count
                for box in group.boxes:
                    yield PlacedBox(box=box, stack=stack.kind, first_layer=group.first, runs=group.count, copies=copies)
            yield from (PlacedBox(box=box, stack=stack.kind) for box in stack.after)
        yield from (PlacedBox(box=box, stack="", runs=0) for box in self.unused)

    @property
    def parameters(self) -> int:
        """The sum over all boxes: the model's parameters, shared ones once."""
        return sum(placed.parameters for placed in self.placed())
