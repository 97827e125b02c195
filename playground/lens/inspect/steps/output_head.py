"""From the stream after the last block to the logits: final norm, a masked-word head's own layers, the output matrix.

Devlin et al. 2019 (BERT's head has a matrix, an activation and a norm of its own), Gemma Team 2024, section 2 (soft
cap), Raffel et al. 2020 (T5 divides by the root of the width).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.inspect.steps.activation import Activation, agrees, find_activation
from playground.lens.inspect.steps.feed_forward import has_matrix, linear_map
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap, find_norm_map
from playground.lens.inspect.steps.token_rows import TokenRows

StageKind = Literal["norm", "matrix", "activation", "factor"]
CAPS = ("final_logit_softcapping", "final_logit_softcap", "logits_soft_cap")
"""What configurations call the soft cap of the logits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OutputStage:
    """One step between the last block and the output matrix."""

    kind: StageKind
    map: NormMap | LinearMap | Activation | float
    before: Float[Tensor, "row width"]
    after: Float[Tensor, "row _"]
    """The model's own."""

    def __call__(self, rows: Float[Tensor, "row width"]) -> Float[Tensor, "row _"]:
        return rows * self.map if isinstance(self.map, float) else self.map(rows)

    def frozen(self, parts: Float[Tensor, "part width"], total: Float[Tensor, "width"]) -> Float[Tensor, "part _"]:
        """What becomes of parts of a sum: a norm's root and an activation's slope stay the sum's. Without biases."""
        if isinstance(self.map, NormMap):
            return self.map.frozen(parts, total)
        if isinstance(self.map, LinearMap):
            return parts @ self.map.matrix.T
        if isinstance(self.map, Activation):
            ratio = torch.where(total == 0, torch.zeros_like(total), self.map(total) / total)
            return parts * ratio
        return parts * self.map


@dataclass(frozen=True, kw_only=True, eq=False)
class OutputHead:
    """logits = cap · tanh((factor · (matrix @ state) + bias) / cap), without the cap in most families."""

    stages: tuple[OutputStage, ...]
    """What stands before the matrix: in most families one norm, or nothing."""
    state: Float[Tensor, "row width"]
    """What the matrix reads."""
    matrix: LinearMap
    factor: float = 1.0
    bias: Float[Tensor, "vocabulary"] | None = None
    """One that is added besides the matrix's own (Marian)."""
    cap: float | None = None

    def __call__(self, stream: Float[Tensor, "row width"]) -> Float[Tensor, "row vocabulary"]:
        """The logits of a stream after the last block."""
        for stage in self.stages:
            stream = stage(stream)
        return self.logits(stream)

    def logits(self, state: Float[Tensor, "row width"]) -> Float[Tensor, "row vocabulary"]:
        """The logits of what the matrix reads."""
        return self.capped(self.uncapped(state))

    def uncapped(self, state: Float[Tensor, "row width"]) -> Float[Tensor, "row vocabulary"]:
        """The logits before the soft cap."""
        logits = self.factor * self.matrix(state)
        return logits if self.bias is None else logits + self.bias

    def capped(self, logits: Float[Tensor, "row vocabulary"]) -> Float[Tensor, "row vocabulary"]:
        """The logits behind the soft cap."""
        return logits if self.cap is None else self.cap * torch.tanh(logits / self.cap)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but norms and factors stands before the matrix."""
        return all(stage.kind in ("norm", "factor") for stage in self.stages)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ending:
    """What stands after the last block: the final norm, and the head where there is one."""

    norm: OutputStage | None
    """What norms the stream after the last block; None where nothing does."""
    head: OutputHead | None


def find_ending(rows: TokenRows, outputs: Sequence[ModuleOutput], last: Float[Tensor, "row width"]) -> Ending:
    """Follow the stream after the last block to the logits. Raises UserError where it cannot be followed."""
    stages = _stages(rows, outputs, last)
    norm = stages[0] if stages and stages[0].kind == "norm" else None
    matrix = rows.model.adapter.output_head() if rows.logits is not None else None
    if rows.logits is None or matrix is None:
        return Ending(norm=norm, head=None)
    item = next((one for one in reversed(outputs) if one.module is matrix), None)
    state = stages[-1].after if stages else last
    if item is None or item.received is None or not agrees(state, item.received, rows.dtype):
        raise UserError(
            "What the family {family} does between its last block and its output matrix cannot be told. Choose a model "
            "of another family.",
            family=rows.model.family,
        )
    return Ending(norm=norm, head=_with_logits(rows, tuple(stages), state, matrix))


def _stages(rows: TokenRows, outputs: Sequence[ModuleOutput], stream: Tensor) -> list[OutputStage]:
    """Module after module, each receiving what the one before returned, up to the output matrix."""
    stages: list[OutputStage] = []
    matrix, begin = rows.model.adapter.output_head(), 0
    while True:
        found = _next_stage(rows, outputs[begin:], stream, matrix)
        if found is None:
            return stages
        offset, added = found
        stages += added
        begin, stream = begin + offset + 1, stages[-1].after


def _next_stage(
    rows: TokenRows, outputs: Sequence[ModuleOutput], stream: Tensor, matrix: nn.Module | None
) -> tuple[int, list[OutputStage]] | None:
    """The next norm, matrix or activation, with an activation or a factor that no module computes before it."""
    for offset, item in enumerate(outputs):
        received = item.received
        if received is None or received.shape != stream.shape:
            continue
        before = _before(rows, outputs, stream, received)
        if before is None:
            continue
        if item.module is matrix:
            return (offset, before) if before else None
        stage = _stage(rows, item, received)
        if stage is not None:
            return offset, [*before, stage]
    return None


def _before(
    rows: TokenRows, outputs: Sequence[ModuleOutput], stream: Tensor, received: Tensor
) -> list[OutputStage] | None:
    """What no module shows between the stream and what one receives: nothing, a factor, an activation function."""
    if agrees(stream, received, rows.dtype):
        return []
    square = float(stream.double().square().sum())
    factor = float((stream.double() * received.double()).sum()) / square if square else 0.0
    if factor and agrees(factor * stream, received, rows.dtype):
        return [OutputStage(kind="factor", map=factor, before=stream, after=received)]
    activation = find_activation([item.module for item in outputs], stream, received, rows.dtype)
    return (
        None if activation is None else [OutputStage(kind="activation", map=activation, before=stream, after=received)]
    )


def _stage(rows: TokenRows, item: ModuleOutput, received: Tensor) -> OutputStage | None:
    """What a module does, where it is a norm, a matrix or an activation function."""
    norm = find_norm_map(item.module, received, item.output, rows.dtype)
    if norm is not None:
        return OutputStage(kind="norm", map=norm, before=received, after=item.output)
    if has_matrix(item.module):
        return OutputStage(kind="matrix", map=linear_map(item.module), before=received, after=item.output)
    if list(item.module.parameters()) or agrees(received, item.output, rows.dtype):
        return None
    activation = find_activation([item.module], received, item.output, rows.dtype)
    if activation is None:
        return None
    return OutputStage(kind="activation", map=activation, before=received, after=item.output)


def _with_logits(rows: TokenRows, stages: tuple[OutputStage, ...], state: Tensor, matrix: nn.Module) -> OutputHead:
    """The head with the factor, bias and cap that give the model's logits. Raises UserError where none do."""
    assert rows.logits is not None
    head = OutputHead(stages=stages, state=state, matrix=linear_map(matrix))
    product, logits, dtype = head.matrix(state), rows.logits, rows.dtype
    if agrees(product, logits, dtype):
        return head
    config = getattr(rows.model.module, "config", None)
    cap = next((float(value) for name in CAPS if (value := getattr(config, name, None))), None)
    if cap is not None and agrees(cap * torch.tanh(product / cap), logits, dtype):
        return OutputHead(stages=stages, state=state, matrix=head.matrix, cap=cap)
    for bias in _added_rows(rows.model.module, logits.shape[1]):
        if agrees(product + bias, logits, dtype):
            return OutputHead(stages=stages, state=state, matrix=head.matrix, bias=bias)
    factor = float((product.double() * logits.double()).sum() / product.double().square().sum().clamp(min=1e-20))
    if agrees(factor * product, logits, dtype):
        return OutputHead(stages=stages, state=state, matrix=head.matrix, factor=factor)
    raise UserError(
        "How the family {family} makes its logits of the output matrix's products cannot be told. Choose a model of "
        "another family.",
        family=rows.model.family,
    )


def _added_rows(root: nn.Module, vocabulary: int) -> list[Tensor]:
    """Buffers and parameters with one number for each token of the vocabulary."""
    tensors = [*root.buffers(), *root.parameters()]
    return [
        tensor.detach().float().cpu().flatten()
        for tensor in tensors
        if tensor.numel() == vocabulary and tensor.is_floating_point()
    ]
