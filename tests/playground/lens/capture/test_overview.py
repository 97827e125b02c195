"""Thumbnails of all heads: the largest weight of each block, without forming the maps."""

from itertools import pairwise

import pytest
import torch

from playground.lens.capture import overview as capture_overview
from playground.lens.capture.forward import run_pass
from playground.lens.capture.overview import (
    cell_bounds,
    has_logsumexp,
    overview,
    pool_columns,
    pooled_site,
    pooled_strips,
)
from tests.helpers.families import small_model

TEXT = "abc abc abc a"


def sites(family: str, text: str = TEXT):
    return run_pass(small_model(family), text, None, pair=None, truncate=False, on_layer=None).sites


def pooled_by_hand(weights, cells: int):
    """The maximum of every block of the whole map."""
    rows, columns = (list(pairwise(cell_bounds(length, min(cells, length)))) for length in weights.shape[1:])
    blocks = [[weights[:, a:b, c:d].amax((1, 2)) for c, d in columns] for a, b in rows]
    return torch.stack([torch.stack(row, dim=-1) for row in blocks], dim=1)


@pytest.mark.parametrize("family", ["gpt2", "llama", "gpt_oss", "gemma2", "bert"])
@pytest.mark.parametrize("cells", [1, 4, 5, 99])
def test_a_cell_is_the_largest_weight_of_its_block(family, cells):
    for site in sites(family):
        whole = site.pattern(slice(None), slice(None))
        torch.testing.assert_close(pooled_site(site, cells).cpu(), pooled_by_hand(whole, cells), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("together", [1, 8, 30, 64])
@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_strips_that_are_computed_together_keep_their_maxima(family, together, monkeypatch):
    """However many queries a block of them spans; a gap between two strips has no row of its own."""
    monkeypatch.setattr(capture_overview, "BLOCK_QUERIES", together)
    site = sites(family, "ab " * 20)[0]
    ends = [0, 1, 5, 30, 31, 33, 40, 41, site.queries - 2, site.queries]
    strips = list(pairwise(ends))[::2]
    whole = site.pattern(slice(None), slice(None))
    keys = list(pairwise(cell_bounds(site.keys, 7)))
    by_hand = [[whole[:, begin:end, a:b].amax((1, 2)) for a, b in keys] for begin, end in strips]
    expected = torch.stack([torch.stack(row, dim=-1) for row in by_hand], dim=1)
    torch.testing.assert_close(pooled_strips(site, strips, 7).cpu(), expected, rtol=1e-4, atol=1e-6)


def test_as_many_cells_as_tokens_are_the_map_itself():
    (first, second) = sites("gpt2")
    expected = torch.stack([site.pattern(slice(None), slice(None)) for site in (first, second)])
    torch.testing.assert_close(overview([first, second], 99).cpu(), expected, rtol=1e-4, atol=1e-6)


def test_both_ways_to_pool_agree():
    """With the softmax's denominators from the kernel, and without."""
    site = next(site for site in sites("gpt2") if has_logsumexp(site))
    exact = type(site)(**{**vars(site), "logsumexp": None})
    assert not has_logsumexp(exact)
    torch.testing.assert_close(pooled_site(site, 4), pooled_site(exact, 4), rtol=1e-4, atol=1e-6)


def test_columns_of_unequal_cells_keep_their_maxima():
    strips = torch.tensor([[[1.0, 9.0, 2.0, 3.0, 8.0, 4.0, 5.0]]])
    assert cell_bounds(7, 3) == [0, 2, 4, 7]
    assert pool_columns(strips, 3).tolist() == [[[9.0, 3.0, 8.0]]]
