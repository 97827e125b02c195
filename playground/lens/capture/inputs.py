"""What enters the first block: a token's row of the table, which vectors were added to it, and whether a norm followed.

Found by following the numbers back through the modules that run before the blocks; no family's names are needed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.norm_step import NormStep, norm_of
from playground.lens.tolerances import FACTOR, tolerance

MOST_STEPS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedOutput:
    """What a module outside the blocks received and returned, with the module's name."""

    name: str
    module: nn.Module
    received: Tensor | None
    output: Tensor


def outside(root: nn.Module, blocks: Iterable[nn.Module]) -> dict[str, nn.Module]:
    """The modules that are in no block, by name."""
    inside = {module for block in blocks for module in block.modules()}
    return {name: module for name, module in root.named_modules() if name and module not in inside}


def named_outputs(modules: Mapping[str, nn.Module], outputs: Sequence[ModuleOutput]) -> list[NamedOutput]:
    """The outputs of these modules, in the order in which they returned."""
    names = {module: name for name, module in modules.items()}
    return [
        NamedOutput(name=names[item.module], module=item.module, received=item.received, output=item.output)
        for item in outputs
        if item.module in names
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class TableMatrix:
    """A matrix between a table of a width of its own and the model's: returned = weight @ received + bias."""

    weight: Float[np.ndarray, "width embedding_width"]
    bias: Float[np.ndarray, "width"] | None
    received: Float[np.ndarray, "embedding_width"]
    returned: Float[np.ndarray, "width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entering:
    """What enters the first block: the sum of the vectors, normed and times a matrix where there are these."""

    names: tuple[str, ...]
    """Each vector's module; the embedding stands last."""
    vectors: Float[np.ndarray, "vector width"]
    scale: float
    """What the embedding is multiplied by, 1 in most families."""
    norm: NormStep | None
    before_sum: TableMatrix | None = None
    """What the embedding alone goes through (the smaller OPTs)."""
    after_norm: TableMatrix | None = None
    """What the normed sum goes through (ALBERT, ELECTRA)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddingRow:
    """A token's row of the embedding table."""

    id: int
    values: Float[np.ndarray, "width"]
    scale: float
    """What the embedding module multiplies the row by, 1 in most families (Gemma: the root of the width)."""


def find_table_row(looked_up: ModuleOutput, token: int) -> EmbeddingRow | None:
    """The row that an embedding module returned a multiple of; None where it returned something else."""
    weight = getattr(looked_up.module, "weight", None)
    if looked_up.received is None or looked_up.received.is_floating_point() or weight is None:
        return None
    id = int(looked_up.received.flatten()[token])
    row, output = weight[id].detach().float(), looked_up.output.reshape(-1, looked_up.output.shape[-1])[token]
    if row.shape != output.shape:
        return None
    scale = 1.0 if _same(row, output) else _multiple(row, output.float())
    if not _same(row * scale, output):
        return None
    return EmbeddingRow(id=id, values=row.cpu().numpy(), scale=scale)


def find_entering(
    outputs: Sequence[NamedOutput], token: int, embedded: Float[Tensor, "token _"], entered: Float[Tensor, "width"]
) -> Entering | None:
    """How a token's embedding became what enters the blocks; None where it cannot be determined.

    A table of a width of its own has a matrix behind it: of the embedding alone, or of all that was summed.
    """
    rows, embedding = _rows_of(outputs, token, len(embedded)), embedded[token]
    matrices = [row for row in rows if isinstance(row.module, nn.Linear)]
    for row in reversed(matrices):
        if row.received is not None and _same(row.output, entered):
            found = _find_sum(rows, embedding, row.received)
            return None if found is None else replace(found, after_norm=_matrix(row))
    found = _find_sum(rows, embedding, entered)
    for row in matrices if found is None else ():
        if row.received is not None and _same(row.received, embedding):
            found = _find_sum(rows, row.output, entered)
            return None if found is None else replace(found, before_sum=_matrix(row))
    return found


def _matrix(row: NamedOutput) -> TableMatrix:
    weight, bias, received = row.module.weight, row.module.bias, row.received
    assert isinstance(weight, Tensor)
    assert received is not None
    return TableMatrix(
        weight=weight.detach().float().cpu().numpy(),
        bias=bias.detach().float().cpu().numpy() if isinstance(bias, Tensor) else None,
        received=received.float().cpu().numpy(),
        returned=row.output.float().cpu().numpy(),
    )


def _find_sum(rows: Sequence[NamedOutput], embedding: Tensor, entered: Tensor) -> Entering | None:
    """How a token's embedding became these numbers, of the same width.

    Backwards from them: are they a sum of table rows and the embedding? If not, which module returned them? A norm is
    undone; what any other module added is one more vector; then the same of its input.
    """
    target, norm = entered, None
    names: list[str] = []
    vectors: list[Tensor] = []
    for _step in range(MOST_STEPS):
        summands = _summands(rows, embedding, target)
        if summands is not None:
            tables, scale = summands
            names += [table.name for table in tables]
            vectors += [table.output for table in tables]
            stacked = torch.stack([*vectors, embedding * scale]).float()
            return Entering(names=(*names, "embedding"), vectors=stacked.cpu().numpy(), scale=scale, norm=norm)
        maker = next((row for row in reversed(rows) if _returned(row, target)), None)
        if maker is None or maker.received is None:
            return None
        if not names and norm is None:
            norm = norm_of(maker.module, maker.received, target)
        if norm is None or target is not entered:
            names.append(maker.name)
            vectors.append(target - maker.received)
        target = maker.received
    return None


def _rows_of(outputs: Sequence[NamedOutput], token: int, tokens: int) -> list[NamedOutput]:
    """A token's row of every output that has rows for tokens."""
    rows = ((item, _row(item.received, token, tokens), _row(item.output, token, tokens)) for item in outputs)
    return [
        NamedOutput(name=item.name, module=item.module, received=received, output=output)
        for item, received, output in rows
        if output is not None
    ]


def _row(tensor: Tensor | None, token: int, tokens: int) -> Tensor | None:
    if tensor is None or not tensor.is_floating_point() or tensor.ndim < 2 or tensor.shape[-2] != tokens:
        return None
    return tensor.reshape(-1, tensor.shape[-1])[token]


def _returned(row: NamedOutput, target: Tensor) -> bool:
    """Whether a module made these numbers of others of the same width."""
    received = row.received
    return (
        received is not None
        and received.shape == target.shape
        and _same(row.output, target)
        and not _same(received, target)
    )


def _summands(
    rows: Sequence[NamedOutput], embedding: Tensor, target: Tensor
) -> tuple[tuple[NamedOutput, ...], float] | None:
    """The fewest table rows (positions, segments) that sum to the target with a multiple of the embedding."""
    if embedding.shape != target.shape:
        return None
    tables = [row for row in rows if isinstance(row.module, nn.Embedding) and row.output.shape == target.shape]
    tables = [table for table in tables if not _same(table.output, embedding)]
    for count in range(len(tables) + 1):
        for chosen in combinations(tables, count):
            rest = target.float() - sum(table.output.float() for table in chosen)
            scale = _multiple(embedding.float(), rest)
            if scale > 0 and _same(embedding.float() * scale, rest, like=target):
                return chosen, scale
    return None


def _multiple(row: Tensor, target: Tensor) -> float:
    """The multiple of the row that comes closest to the target: the target's projection on it."""
    scale = float(target @ row / row.square().sum().clamp(min=1e-20))
    return 1.0 if abs(scale - 1) < FACTOR else scale


def _same(left: Tensor, right: Tensor, like: Tensor | None = None) -> bool:
    allowed = tolerance("module", (right if like is None else like).dtype)
    largest = float(right.abs().max().clamp(min=1e-6))
    return left.shape == right.shape and float((left.float() - right.float()).abs().max()) <= allowed * largest
