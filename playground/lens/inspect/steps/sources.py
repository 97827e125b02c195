"""Where a head's queries, keys and values come from: which module made them, and with which piece of its matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.norm_step import NormStep, norm_of

TOLERANCE = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1e-2}
NARROWEST = 4
"""Vectors with fewer numbers than this are too easily the multiple of another to be told by their direction."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Noted:
    """What a module was given and what it made, in one pass."""

    module: nn.Module
    given: Tensor | None
    made: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """What met at the seam before positions turned it, times factor; weight None where no matrix made it.

    Where a norm made it (Qwen 3): raw is what the norm was given, norm how it normed the first token's, whose own
    mean and root it holds, and raw_place where in a normed vector the piece begins.
    """

    made: Float[Tensor, "token head_width"]
    factor: float
    given: Float[Tensor, "token width"] | None
    weight: Float[Tensor, "head_width width"] | None
    bias: Float[Tensor, "head_width"] | None
    raw: Float[Tensor, "token unit"] | None = None
    raw_place: int = 0
    norm: NormStep | None = None


def find_source(noted: Sequence[Noted], met: Float[Tensor, "token head_width"]) -> Source | None:
    """The first module that made these vectors, up to what rotary positions do; None where no module shows them.

    Positions turn vectors and leave the first token's; some families also scale what they turn (OPT, gpt-oss).
    """
    for scaled in (False, True) if met.shape[1] >= NARROWEST else (False,):
        for one in noted:
            found = _piece(one, met, scaled=scaled)
            if found is not None:
                return found
    return None


def matrix_of(module: nn.Module) -> tuple[Float[Tensor, "out given"], Tensor | None]:
    """A linear layer's matrix and bias; GPT-2's convolution of width 1 stores it the other way round."""
    weight, bias = module.weight, getattr(module, "bias", None)
    assert isinstance(weight, Tensor)
    return (weight.T if type(module).__name__ == "Conv1D" else weight), bias if isinstance(bias, Tensor) else None


def _piece(noted: Noted, met: Float[Tensor, "token head_width"], *, scaled: bool) -> Source | None:
    """The piece of what a module made that these vectors are, if one is."""
    tokens, width = met.shape
    layouts = [rows for rows in _layouts(noted.made, tokens) if rows.shape[1] >= width]
    pieces = (_piece_of(noted, rows, met, scaled=scaled) for rows in layouts)
    return next((piece for piece in pieces if piece is not None), None)


def _layouts(made: Tensor, tokens: int) -> list[Float[Tensor, "token _"]]:
    """What a module made as one row for each token; heads may already stand before tokens (Gemma 3's norm)."""
    if made.numel() % tokens or not made.is_floating_point():
        return []
    as_it_is = made.reshape(tokens, -1)
    swaps = made.ndim == 4 and made.shape[2] == tokens
    return [as_it_is, made.transpose(1, 2).reshape(tokens, -1)] if swaps else [as_it_is]


def _piece_of(
    noted: Noted, rows: Float[Tensor, "token _"], met: Float[Tensor, "token head_width"], *, scaled: bool
) -> Source | None:
    """The piece of some rows, which may be anywhere in the first of them."""
    width = met.shape[1]
    first, pieces = met[0].float(), rows[0].float().unfold(0, width, 1)
    factors = (pieces @ first) / pieces.square().sum(-1).clamp(min=1e-20) if scaled else torch.ones_like(pieces[:, 0])
    apart = (pieces * factors[:, None] - first).abs().amax(-1)
    place = int(apart.argmin())
    made, factor = rows[:, place : place + width], float(factors[place])
    is_first = float(apart[place]) <= TOLERANCE.get(met.dtype, 1e-5) * float(first.abs().max().clamp(min=1e-6))
    if not is_first or factor <= 0 or not _same_lengths(made.float() * factor, met.float(), met.dtype):
        return None
    return _with_matrix(noted, made, place, factor)


def _same_lengths(made: Tensor, met: Tensor, dtype: torch.dtype) -> bool:
    """Whether all vectors have the lengths that turning leaves."""
    lengths = met.norm(dim=-1)
    tolerance = 10 * TOLERANCE.get(dtype, 1e-5) * lengths.max().clamp(min=1e-6)
    return bool((made.norm(dim=-1) - lengths).abs().max() <= tolerance)


def _with_matrix(noted: Noted, made: Tensor, place: int, factor: float) -> Source:
    """The source with the rows of the module's matrix that made it, where it has one."""
    weight = getattr(noted.module, "weight", None)
    plain = isinstance(weight, Tensor) and weight.ndim == 2 and noted.given is not None
    if not plain or matrix_of(noted.module)[0].shape[0] != noted.made.shape[-1]:
        return _with_norm(noted, made, place, factor)
    assert noted.given is not None
    matrix, bias = matrix_of(noted.module)
    rows = slice(place, place + made.shape[1])
    return Source(
        made=made,
        factor=factor,
        given=noted.given.reshape(len(made), -1),
        weight=matrix[rows],
        bias=None if bias is None else bias[rows],
    )


def _with_norm(noted: Noted, made: Tensor, place: int, factor: float) -> Source:
    """The source with what a norm made it of, where one did."""
    bare = Source(made=made, factor=factor, given=None, weight=None, bias=None)
    tokens, unit = len(made), noted.made.shape[-1]
    if noted.given is None or noted.given.shape != noted.made.shape or made.shape[1] > unit:
        return bare
    begin = place // unit * unit
    # The rows of the layout in which the piece was found: heads before tokens, or after them.
    for given, normed in zip(_layouts(noted.given, tokens), _layouts(noted.made, tokens), strict=True):
        if torch.equal(normed[:, place : place + made.shape[1]], made):
            raw = given[:, begin : begin + unit].float()
            norm = norm_of(noted.module, raw[0], normed[0, begin : begin + unit].float())
            return bare if norm is None else replace(bare, raw=raw, raw_place=place - begin, norm=norm)
    return bare
