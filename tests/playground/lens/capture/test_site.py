"""A site recomputes the exact weights of any heads and queries from what it captured."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModel

from playground.attention import handling, hides_later_keys
from playground.lens.capture import site as site_module
from playground.lens.capture.forward import run_pass
from playground.lens.capture.overview import overview
from playground.lens.capture.recorder import Recorder, recorder_for
from playground.lens.capture.site import of_each, select, stacked
from tests.helpers.families import small_model
from tests.helpers.own_models import own_model
from tests.playground.test_attention import call_of

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


SMALL = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
BOTH_WAYS = {
    "gemma3_text": {"use_bidirectional_attention": True, "head_dim": 8, "sliding_window": 512},
    "llama": {"is_causal": False},
}


@pytest.mark.parametrize("family", BOTH_WAYS)
def test_a_decoder_that_looks_both_ways_is_drawn_whole(family):
    """Which way a layer looks is read from its mask: embedders are decoders by name."""
    config = AutoConfig.for_model(family, **SMALL, **BOTH_WAYS[family])
    torch.manual_seed(0)
    module = AutoModel.from_config(config, attn_implementation="playground").eval()
    ids = torch.arange(3, 12)[None]
    recorder = recorder_for(module, "decoder", None)
    with torch.inference_mode(), handling(recorder):
        module(ids)
    maps = [site.pattern(WHOLE, WHOLE) for site in recorder.sites]
    assert not any(site.is_causal for site in recorder.sites)
    assert all(float(weights.triu(1).max()) > 0 for weights in maps)


@given(length=st.integers(2, 9), width=st.integers(1, 9), later=st.booleans())
def test_the_way_a_site_looks_is_that_of_its_mask(length, width, later):
    """Sliding windows to the left are causal; one visible key to the right is not."""
    rows, columns = torch.meshgrid(torch.arange(length), torch.arange(length), indexing="ij")
    mask = (rows >= columns) & (rows - columns < width)
    if later:
        mask[0, -1] = True
    for given_mask in (mask[None, None], torch.zeros(length, length).masked_fill(~mask, -3e38)):
        call = call_of(*(torch.zeros(1, 1, length, 4) for _ in range(3)), mask=given_mask)
        assert hides_later_keys(call) is not later


def test_scores_in_the_tens_of_thousands_keep_their_weights():
    """In float32 score - logsumexp is then off by 0.002 and exp of it above 1."""
    query = torch.full((1, 1, 6, 4), 126.0)
    query[..., 1:] = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    recorder = Recorder(names={}, whole_model_kind="decoder")
    recorder(call_of(query, query, query, is_causal=True, scaling=2.0))
    (site,) = recorder.sites
    weights = site.pattern(WHOLE, WHOLE)
    assert torch.equal(overview([site], 6)[0], weights)
    assert float(weights.max()) == 1.0


@pytest.mark.parametrize(("family", "calls"), [("gpt2", 1), ("llama", 1), ("bert", 1), ("gpt_oss", 2), ("t5", 2)])
def test_short_layers_together_are_what_each_is_alone(family, calls):
    """Grouped keys (llama); sinks (gpt_oss) and relative positions (t5) keep a layer alone."""
    layers = [site for site in sites(family) if site.kind != "cross"][:2]
    assert len(stacked(layers)) == calls
    whole = of_each(layers, lambda site: site.pattern(WHOLE, WHOLE))
    assert whole.shape == (2, layers[0].n_heads, layers[0].queries, layers[0].keys)
    torch.testing.assert_close(whole, torch.stack([site.pattern(WHOLE, WHOLE) for site in layers]))
    differences = [site.recomputed_difference(WHOLE) for site in layers]
    assert max(site.recomputed_difference(WHOLE) for site in stacked(layers)) == pytest.approx(
        max(differences), abs=1e-6
    )


def test_long_layers_and_those_of_two_kinds_stay_alone(monkeypatch):
    """Of a longer text the copies would be large, and each layer is enough work for a call."""
    first, second = sites("gpt2")
    other = dataclasses.replace(second, kind="encoder")
    assert stacked([first, other]) == [first, other]
    (together,) = stacked([first, second])
    assert (together.n_heads, together.queries) == (2 * first.n_heads, first.queries)
    monkeypatch.setattr(site_module, "STACKED_TOKENS", first.queries - 1)
    assert stacked([first, second]) == [first, second]
