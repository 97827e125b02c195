"""Where a head's queries, keys and values come from: which module made them, and with which piece of its matrix.

A module that makes queries, keys and values at once returns [token, 3 · 32]; key head 1 of 8 numbers is the piece from
column 40 on. The piece is found by the first token, which rotary positions leave as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.norm_step import NormStep, norm_of
from playground.lens.tolerances import tolerance

NARROWEST = 4
"""Vectors with fewer numbers than this are too easily a multiple of another for their direction to identify them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorSource:
    """Where the vectors at the seam come from: vectors · factor, before positions rotate them."""

    vectors: Float[Tensor, "token head_width"]
    factor: float
    inputs: Float[Tensor, "token width"] | None = None
    """What the matrix received; None, as weight and bias, where no matrix made the vectors."""
    weight: Float[Tensor, "head_width width"] | None = None
    bias: Float[Tensor, "head_width"] | None = None
    before_norm: Float[Tensor, "token unit"] | None = None
    """What the norm received that made the vectors (Qwen 3)."""
    norm_offset: int = 0
    """Where in a normed vector the piece begins."""
    norm: NormStep | None = None
    """How it normed the first token's, whose own mean and root it holds."""


def find_source(outputs: Sequence[ModuleOutput], at_seam: Float[Tensor, "token head_width"]) -> VectorSource | None:
    """The first module that made these vectors, up to what rotary positions do; None where no module shows them.

    Positions rotate vectors and leave the first token's; some families also scale what they rotate (OPT, gpt-oss).
    """
    for scaled in (False, True) if at_seam.shape[1] >= NARROWEST else (False,):
        for output in outputs:
            source = _find_in(output, at_seam, scaled=scaled)
            if source is not None:
                return source
    return None


def stated_clip(module: nn.Module) -> float | None:
    """The largest number that an attention layer lets through of queries, keys and values (OLMo, MPT, DBRX)."""
    stated = getattr(module, "clip_qkv", None) or getattr(getattr(module, "config", None), "clip_qkv", None)
    return float(stated) if isinstance(stated, int | float) and stated else None


def find_clipped(
    outputs: Sequence[ModuleOutput], at_seam: Float[Tensor, "token head_width"], clip: float | None
) -> tuple[VectorSource | None, bool]:
    """As `find_source`, of vectors that the layer may clip behind its modules, and whether it has cut any number.

    Then no matrix and no norm made the vectors: a sum of products is another number than the one it was cut to.
    """
    if clip is None:
        return find_source(outputs, at_seam), False
    floats = [item for item in outputs if item.output.is_floating_point()]
    source = find_source([replace(item, output=item.output.clamp(-clip, clip)) for item in floats], at_seam)
    if source is None or float(source.vectors.abs().max()) < clip:
        return source, source is None
    return VectorSource(vectors=source.vectors, factor=source.factor), True


def matrix_of(module: nn.Module) -> tuple[Float[Tensor, "out input"], Tensor | None]:
    """A linear layer's matrix and bias; GPT-2's convolution of width 1 stores it the other way round."""
    weight, bias = module.weight, getattr(module, "bias", None)
    assert isinstance(weight, Tensor)
    return (weight.T if type(module).__name__ == "Conv1D" else weight), bias if isinstance(bias, Tensor) else None


def _find_in(output: ModuleOutput, at_seam: Float[Tensor, "token head_width"], *, scaled: bool) -> VectorSource | None:
    """The piece of a module's output that these vectors are, if one is."""
    tokens, width = at_seam.shape
    layouts = [rows for rows in _layouts(output.output, tokens) if rows.shape[1] >= width]
    sources = (_piece(output, rows, at_seam, scaled=scaled) for rows in layouts)
    return next((source for source in sources if source is not None), None)


def _layouts(tensor: Tensor, tokens: int) -> list[Float[Tensor, "token _"]]:
    """A module's output as one row for each token; heads may already stand before tokens (Gemma 3's norm)."""
    if tensor.numel() % tokens or not tensor.is_floating_point():
        return []
    as_it_is = tensor.reshape(tokens, -1)
    swaps = tensor.ndim == 4 and tensor.shape[2] == tokens
    return [as_it_is, tensor.transpose(1, 2).reshape(tokens, -1)] if swaps else [as_it_is]


def _piece(
    output: ModuleOutput, rows: Float[Tensor, "token _"], at_seam: Float[Tensor, "token head_width"], *, scaled: bool
) -> VectorSource | None:
    """The piece of some rows, which may begin at any column."""
    width = at_seam.shape[1]
    # Every window of the first row: of 96 numbers and a width of 8, pieces [89, 8].
    first, pieces = at_seam[0].float(), rows[0].float().unfold(0, width, 1)
    # The multiple of each window that comes closest is its projection on the vector.
    factors = (pieces @ first) / pieces.square().sum(-1).clamp(min=1e-20) if scaled else torch.ones_like(pieces[:, 0])
    distances = (pieces * factors[:, None] - first).abs().amax(-1)
    column = int(distances.argmin())
    vectors, factor = rows[:, column : column + width], float(factors[column])
    is_first = float(distances[column]) <= tolerance("vector", at_seam.dtype) * float(first.abs().max().clamp(min=1e-6))
    if not is_first or factor <= 0 or not _same_lengths(vectors.float() * factor, at_seam.float(), at_seam.dtype):
        return None
    return _with_matrix(output, vectors, column, factor)


def _same_lengths(vectors: Tensor, at_seam: Tensor, dtype: torch.dtype) -> bool:
    """Whether all vectors have the lengths that rotation leaves."""
    lengths = at_seam.norm(dim=-1)
    allowed = 10 * tolerance("vector", dtype) * lengths.max().clamp(min=1e-6)
    return bool((vectors.norm(dim=-1) - lengths).abs().max() <= allowed)


def _with_matrix(output: ModuleOutput, vectors: Tensor, column: int, factor: float) -> VectorSource:
    """The source with the rows of the module's matrix that made it, where it has one."""
    weight = getattr(output.module, "weight", None)
    is_linear = isinstance(weight, Tensor) and weight.ndim == 2 and output.received is not None
    if not is_linear or matrix_of(output.module)[0].shape[0] != output.output.shape[-1]:
        return _with_norm(output, vectors, column, factor)
    assert output.received is not None
    matrix, bias = matrix_of(output.module)
    rows = slice(column, column + vectors.shape[1])
    return VectorSource(
        vectors=vectors,
        factor=factor,
        inputs=output.received.reshape(len(vectors), -1),
        weight=matrix[rows],
        bias=None if bias is None else bias[rows],
    )


def _with_norm(output: ModuleOutput, vectors: Tensor, column: int, factor: float) -> VectorSource:
    """The source with what a norm made it of, where one did."""
    bare = VectorSource(vectors=vectors, factor=factor)
    tokens, unit = len(vectors), output.output.shape[-1]
    if output.received is None or output.received.shape != output.output.shape or vectors.shape[1] > unit:
        return bare
    # A norm of unit 8 over [token, 4 heads of 8] norms each head by itself: column 17 lies in the unit from 16 on.
    begin = column // unit * unit
    # The rows of the layout in which the piece was found: heads before tokens, or after them.
    for received, normed in zip(_layouts(output.received, tokens), _layouts(output.output, tokens), strict=True):
        if torch.equal(normed[:, column : column + vectors.shape[1]], vectors):
            before = received[:, begin : begin + unit].float()
            norm = norm_of(output.module, before[0], normed[0, begin : begin + unit].float())
            return bare if norm is None else replace(bare, before_norm=before, norm_offset=column - begin, norm=norm)
    return bare
