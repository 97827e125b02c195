"""How well what is shown of a pass reproduces the model's own numbers, step by step."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.lens.capture.overview import cell_bounds, pooled_strips
from playground.lens.capture.site import Site, stacked
from playground.lens.tolerances import tolerance

StepName = Literal["heads", "rows", "thumbnails", "picture", "stream", "parts"]
THUMBNAIL_CELLS = 48
THUMBNAIL_ERROR = 1e-3
"""Half a step of the eight bits that a thumbnail has is twice as much."""


@dataclass(frozen=True, kw_only=True)
class CheckedStep:
    """One step, computed again in another way or by the model itself."""

    name: StepName
    """heads: weights times values against z. rows: the sums of the weights. thumbnails, picture: their cells against
    the exact weights. stream: input plus what the layers wrote, against each block's output. parts: the sum of all
    contributions against the logit."""
    difference: float | None
    """The largest absolute difference; None where the step cannot be computed again."""
    allowed: float
    """What rounding may make of it."""
    layer: int | None = None
    """Where the difference is largest, in a step that every layer has; None where it was not looked for."""
    reason: str = ""
    """Why it cannot be computed again."""

    @property
    def passed(self) -> bool:
        """Whether it was computed again and agrees; a difference that is not a number does not."""
        return self.difference is not None and self.difference <= self.allowed


@dataclass(frozen=True, kw_only=True)
class Check:
    """How well the maps reproduce the model's own head outputs z, and every other step that was computed again."""

    difference: float | None
    """Largest absolute difference between pattern @ value and z; None where the model only reports its own maps."""
    largest: float
    """Largest magnitude in z."""
    rows: int
    """Checked queries of each head."""
    queries: int
    """All queries of each head."""
    dtype: str
    steps: tuple[CheckedStep, ...] = ()
    """Each step that was checked, the heads' outputs first."""

    @property
    def passed(self) -> bool:
        """Whether the maps reproduce z to the precision of the dtype, and no other step is off."""
        allowed = tolerance("pattern", getattr(torch, self.dtype))
        heads = self.difference is not None and self.difference <= allowed * max(1.0, self.largest)
        return heads and not self.failed

    @property
    def failed(self) -> tuple[CheckedStep, ...]:
        """The steps that are off."""
        return tuple(step for step in self.steps if step.difference is not None and not step.passed)


@torch.inference_mode()
def check_sites(sites: Sequence[Site], dtype: str, rows: int) -> Check:
    """The heads' outputs, the sums of the weights and the thumbnails again, at up to `rows` queries of every head."""
    together = stacked(sites)
    if len(together) == len(sites):
        return _check_each(sites, dtype, rows)
    check = _check_each(together, dtype, rows)
    # Stacked layers are not told apart: where something is off, each is checked alone to say which one it is.
    if check.failed:
        return _check_each(sites, dtype, rows)
    return replace(check, steps=tuple(replace(step, layer=None) for step in check.steps))


def _check_each(sites: Sequence[Site], dtype: str, rows: int) -> Check:
    longest = max(sites, key=lambda site: site.queries)
    every = max(1, -(-longest.queries // (rows * longest.z_step)))
    precision: torch.dtype = getattr(torch, dtype)
    heads, sums = check_maps(sites, every, precision)
    return Check(
        difference=heads.difference,
        largest=max(site.largest_z for site in sites),
        rows=-(-longest.queries // (every * longest.z_step)),
        queries=longest.queries,
        dtype=dtype,
        steps=(heads, sums, check_thumbnails(sites, precision, rows)),
    )


def check_maps(sites: Sequence[Site], every: int, dtype: torch.dtype) -> tuple[CheckedStep, CheckedStep]:
    """The heads' z and the sums of their rows from the same weights, at each `every`-th kept query."""
    differences, sums = [], []
    for site in sites:
        weights = site.pattern(slice(None), slice(None, None, site.z_step * every))
        differences.append(site.recomputed_difference(slice(None), every, weights))
        sums.append(_row_difference(site, weights))
    return _check_heads(sites, differences, dtype), _check_rows(sites, sums)


def _check_heads(sites: Sequence[Site], differences: list[float | None], dtype: torch.dtype) -> CheckedStep:
    """Weights times values against the model's own z."""
    largest = max((site.largest_z for site in sites), default=0.0)
    known = [difference for difference in differences if difference is not None]
    if len(known) < len(sites) or not known:
        return CheckedStep(name="heads", difference=None, allowed=0.0)
    worst = int(np.argmax(known))  # a NaN counts as the largest
    return CheckedStep(
        name="heads",
        difference=known[worst],
        allowed=tolerance("pattern", dtype) * max(1.0, largest),
        layer=sites[worst].layer,
    )


def _check_rows(sites: Sequence[Site], differences: list[float]) -> CheckedStep:
    """The sum of each row of weights against 1."""
    worst = int(np.argmax(differences))  # a NaN counts as the largest
    off = differences[worst]
    layer = sites[worst].layer if off != 0 else None
    return CheckedStep(name="rows", difference=off, allowed=tolerance("module", torch.float32), layer=layer)


def _row_difference(site: Site, weights: Float[Tensor, "head query key"]) -> float:
    """How far a site's rows are from summing to 1; a sink takes a share of a row, a row without a key has none."""
    sums = weights.sum(-1)
    has_sink = site.call is not None and site.call.sinks is not None
    off = (sums - 1).clamp(min=0) if has_sink else torch.where(sums == 0, 0.0, (sums - 1).abs())
    return float(off.max())


def checked_cells(bounds: Sequence[int], queries: int) -> range:
    """Rows of cells, evenly spaced, that stand for about so many queries; at least two, and all where it is all.

    bounds: the first query of each row of cells, and the end.
    """
    count = len(bounds) - 1
    wanted = max(2, queries * count // max(1, bounds[-1]))
    return range(0, count, max(1, count // wanted))


def exact_cells(
    maps: Float[Tensor, "head query key"], heights: Sequence[int], columns: Sequence[int]
) -> Float[Tensor, "head row column"]:
    """The largest weight in each cell. heights: of the rows of cells in the maps; columns: the bounds of theirs."""
    # Heights 2, 1 begin at the rows 0, 2 of the maps; each maximum is over what lies before the next beginning.
    begins = list(itertools.accumulate(heights[:-1], initial=0))
    rows = np.maximum.reduceat(maps.numpy(), begins, axis=1)
    return torch.from_numpy(np.maximum.reduceat(rows, columns[:-1], axis=2))


def check_thumbnails(
    sites: Sequence[Site], dtype: torch.dtype, queries: int, cells: int = THUMBNAIL_CELLS
) -> CheckedStep:
    """Rows of thumbnail cells for some queries, pooled without the maps, against the maxima of the exact weights."""
    worst, layer = 0.0, None
    for site in sites:
        bounds = cell_bounds(site.queries, min(cells, site.queries))
        strips = [(bounds[row], bounds[row + 1]) for row in checked_cells(bounds, queries)]
        columns = cell_bounds(site.keys, min(cells, site.keys))
        pooled = pooled_strips(site, strips, len(columns) - 1).cpu()
        maps = site.pattern(slice(None), [query for begin, end in strips for query in range(begin, end)])
        off = float((pooled - exact_cells(maps, [end - begin for begin, end in strips], columns)).abs().max())
        if not off <= worst:
            worst, layer = off, site.layer
    allowed = max(THUMBNAIL_ERROR, tolerance("pattern", dtype))
    return CheckedStep(name="thumbnails", difference=worst, allowed=allowed, layer=layer)
