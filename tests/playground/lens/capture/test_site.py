"""A site recomputes the exact weights of any heads and queries from what it captured."""

import pytest
import torch

from playground.lens.capture.forward import run_pass
from playground.lens.capture.site import select
from tests.helpers.families import small_model
from tests.helpers.own_models import own_model

TEXT, WHOLE = "abc abc a", slice(None)


def sites(family: str):
    return run_pass(small_model(family), TEXT, None, pair=None, truncate=False, on_layer=None).sites


@pytest.mark.parametrize("family", ["gpt2", "llama", "gpt_oss", "gemma2", "bert"])
def test_some_heads_and_queries_are_a_part_of_the_whole_map(family):
    """Grouped keys (llama), sinks (gpt_oss), soft caps and a sliding window (gemma2), no causality (bert)."""
    for site in sites(family):
        whole = site.pattern(WHOLE, WHOLE)
        assert whole.shape == (site.n_heads, site.queries, site.keys)
        torch.testing.assert_close(site.pattern(slice(1, 3), slice(2, 5)), whole[1:3, 2:5])
        torch.testing.assert_close(site.pattern(slice(3, None), slice(None, None, 3)), whole[3:, ::3])


def test_a_causal_part_sees_no_later_key():
    (site, _second) = sites("gpt2")
    part = select(site.call, WHOLE, slice(4, 6))
    assert not part.is_causal
    assert part.mask.int().tolist() == [[int(key <= query) for key in range(site.keys)] for query in (4, 5)]


def test_weights_times_values_are_the_model_s_own_z():
    for site in run_pass(own_model("decoder"), TEXT, None, pair=None, truncate=False, on_layer=None).sites:
        assert site.recomputed_difference(WHOLE) < 1e-5 * max(1.0, site.largest_z)
        # Query 0 sees only itself, so its z is its own value.
        assert site.z_step == 1
        torch.testing.assert_close(site.model_z(2, 0), site.call.value[0, 2, 0])


def test_a_site_of_maps_gives_them_back_and_recomputes_nothing():
    (site, _second) = sites("gpt2")
    maps = site.pattern(WHOLE, WHOLE)
    finished = type(site)(kind="decoder", layer=0, n_heads=4, queries=site.queries, keys=site.keys, maps=maps)
    assert torch.equal(finished.pattern(slice(1, 2), slice(3, 4)), maps[1:2, 3:4])
    assert finished.recomputed_difference(WHOLE) is None
    assert finished.model_z(0, 0) is None
    assert (finished.largest_z, finished.bytes) == (0.0, maps.nbytes)


@pytest.mark.parametrize(("kind", "causal"), [("decoder", True), ("encoder", False)])
def test_only_a_decoder_s_own_attention_is_causal(kind, causal):
    assert {
        site.is_causal for site in run_pass(own_model(kind), TEXT, None, pair=None, truncate=False, on_layer=None).sites
    } == {causal}
