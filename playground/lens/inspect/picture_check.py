"""Whether the cells of the picture, as they were coded for the browser, are the exact weights."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from playground.lens.capture.overview import cell_bounds
from playground.lens.capture.site import Site
from playground.lens.capture.verification import CheckedStep, checked_cells, exact_cells
from playground.lens.inspect.attention_view import Axis, CodedMaps, ViewOptions, visible_maps


def check_picture(
    sites: Sequence[Site], shown: tuple[Axis, Axis], options: ViewOptions, coded: CodedMaps, queries: int
) -> CheckedStep:
    """Decode the cells of some queries in every head and compare them with the maxima of the exact weights in each.

    sites: of the kind on show. shown: the visible queries and keys.
    A code stands for a square root, so that half a step of it is at most 1/255 (8 bits) or 1/65,535 of a weight.
    """
    bounds, columns = cell_bounds(len(shown[0].tokens), coded.rows), cell_bounds(len(shown[1].tokens), coded.columns)
    rows = checked_cells(bounds, queries)
    strips = [range(bounds[row], bounds[row + 1]) for row in rows]
    worst, layer = 0.0, None
    with torch.inference_mode():
        for index, site in enumerate(sites):
            maps = visible_maps(site, options, shown, slice(None), list(itertools.chain(*strips)))
            painted = torch.from_numpy(np.stack([_decoded(coded, index, row) for row in rows], axis=1))
            off = float((painted - exact_cells(maps, [len(strip) for strip in strips], columns)).abs().max())
            if not off <= worst:
                worst, layer = off, site.layer
    return CheckedStep(name="picture", difference=worst, allowed=1.01 / np.iinfo(coded.maps.dtype).max, layer=layer)


def _decoded(coded: CodedMaps, layer: int, row: int) -> Float[np.ndarray, "head cell"]:
    """One row of cells of every head of a layer, as the browser decodes it."""
    codes = np.zeros((coded.maps.shape[1], coded.columns), dtype=np.float32)
    if coded.packing == "lower":
        # Row 2 of a triangle follows the 1 + 2 entries of the rows before it.
        begin = row * (row + 1) // 2
        codes[:, : row + 1] = coded.maps[layer, :, begin : begin + row + 1]
    else:
        codes[:] = coded.maps[layer, :, row * coded.columns : (row + 1) * coded.columns]
    weights: np.ndarray = np.square(codes / np.iinfo(coded.maps.dtype).max)
    return weights
