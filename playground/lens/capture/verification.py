"""How well what is shown of a pass reproduces the model's own numbers, step by step."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from playground.lens.capture.overview import cell_bounds, pooled_strips
from playground.lens.capture.site import Site
from playground.lens.tolerances import tolerance

StepName = Literal["heads", "rows", "thumbnails", "picture", "stream", "parts"]
THUMBNAIL_CELLS = 48
CHECKED_STRIPS = 4
"""Rows of thumbnail cells that are computed again from the exact weights, in each layer."""
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
    """Where the difference is largest, in a step that every layer has."""
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


def check_heads(sites: Sequence[Site], every: int, dtype: torch.dtype) -> CheckedStep:
    """Weights times values against the model's own z, at each `every`-th kept query."""
    differences = [site.recomputed_difference(slice(None), every) for site in sites]
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


def check_rows(sites: Sequence[Site], every: int) -> CheckedStep:
    """The sum of each row of weights against 1; a sink takes a share of it, a row without a key has none."""
    worst, layer = 0.0, None
    for site in sites:
        sums = site.pattern(slice(None), slice(None, None, every)).sum(-1)
        has_sink = site.call is not None and site.call.sinks is not None
        off = (sums - 1).clamp(min=0) if has_sink else torch.where(sums == 0, 0.0, (sums - 1).abs())
        if not float(off.max()) <= worst:
            worst, layer = float(off.max()), site.layer
    return CheckedStep(name="rows", difference=worst, allowed=tolerance("module", torch.float32), layer=layer)


def check_thumbnails(sites: Sequence[Site], dtype: torch.dtype, cells: int = THUMBNAIL_CELLS) -> CheckedStep:
    """Some rows of thumbnail cells, pooled without the maps, against the maxima of the exact weights."""
    worst, layer = 0.0, None
    for site in sites:
        rows = list(itertools.pairwise(cell_bounds(site.queries, min(cells, site.queries))))
        strips = rows[:: max(1, len(rows) // CHECKED_STRIPS)]
        columns = list(itertools.pairwise(cell_bounds(site.keys, min(cells, site.keys))))
        pooled = pooled_strips(site, strips, len(columns)).cpu()
        for index, (begin, end) in enumerate(strips):
            exact = site.pattern(slice(None), slice(begin, end)).amax(1)
            expected = torch.stack([exact[:, first:last].amax(-1) for first, last in columns], dim=-1)
            off = float((pooled[:, index] - expected).abs().max())
            if not off <= worst:
                worst, layer = off, site.layer
    allowed = max(THUMBNAIL_ERROR, tolerance("pattern", dtype))
    return CheckedStep(name="thumbnails", difference=worst, allowed=allowed, layer=layer)
