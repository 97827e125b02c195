"""Every number inside a layer, held against the modules' own weights and against each other."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from tests.helpers.families import DECODERS, ENCODER_DECODERS, ENCODERS, small_model
from tests.playground.lens.generate.test_generation import own_model

TEXT = "the cat sat on the mat"
ROTARY = {
    "gpt_neox",
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma2",
    "gemma3",
    "phi3",
    "olmo2",
    "gpt_oss",
    "modernbert",
}
NORMED = {"qwen3", "gemma3", "olmo2"}
"""Families whose queries and keys are normed after their matrix."""
SHARED = {"albert"}
FAMILIES = [family for family in [*DECODERS, *ENCODERS, *ENCODER_DECODERS] if family not in SHARED]


def traced(model):
    return trace(model, TEXT, *(["a dog"] if model.kind == "encoder-decoder" else []))


@pytest.mark.parametrize("family", FAMILIES)
def test_all_numbers_agree_with_the_model(family):
    t = traced(small_model(family))
    for kind in t.kinds:
        layer = t.inside(1, kind)
        found = layer.head(3, 2)
        assert found.difference < 2e-4
        assert found.query.met.shape == (1, found.keys.met.shape[1])
        np.testing.assert_allclose(found.query.met[0], found.steps.query)
        # gpt-oss's sinks take a share of each row.
        assert found.steps.weights.sum() == pytest.approx(1, abs=1e-5) or family == "gpt_oss"
        np.testing.assert_allclose(found.steps.weights, t.attention(1, 3, kind)[2], atol=1e-6)
        # Queries and keys before positions are shown, and what made them where a matrix did.
        for made in (found.query, found.keys, found.values):
            assert made.before is not None
            normed = family in NORMED and made is not found.values
            assert (made.weight is None) == normed
        assert found.values.rotates is False
        assert found.query.rotates == (family in ROTARY)
        assert found.keys.rotates == (family in ROTARY)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5", "bart", "gpt_neox"])
def test_the_heads_shares_sum_to_what_is_written(family):
    t = traced(small_model(family))
    for kind in t.kinds:
        layer = t.inside(0, kind)
        heads = [layer.head(head, 3) for head in range(4)]
        bias = 0 if heads[0].output_bias is None else heads[0].output_bias
        np.testing.assert_allclose(sum(head.share for head in heads) + bias, heads[0].written, atol=1e-4)
        np.testing.assert_allclose(heads[0].residual + heads[0].added, heads[0].after, atol=1e-6)


def test_llama_by_its_own_weights():
    model = small_model("llama")
    t = trace(model, TEXT)
    found = t.inside(0).head(3, 4)
    block = model.module.model.layers[0]
    x = model.module.model.embed_tokens(torch.tensor(t.ids))
    np.testing.assert_allclose(found.embedded, x[4], atol=1e-6)
    np.testing.assert_allclose(found.residual, x[4], atol=1e-6)
    given = block.input_layernorm(x)
    np.testing.assert_allclose(found.given, given[4], atol=1e-5)
    np.testing.assert_allclose(found.query.before[0], block.self_attn.q_proj(given)[4, 24:32], atol=1e-4)
    np.testing.assert_allclose(found.keys.before, block.self_attn.k_proj(given)[:, 8:16], atol=1e-4)
    np.testing.assert_allclose(found.values.before, block.self_attn.v_proj(given)[:, 8:16], atol=1e-4)
    np.testing.assert_allclose(found.query.weight, block.self_attn.q_proj.weight[24:32])
    np.testing.assert_allclose(found.output_weight, block.self_attn.o_proj.weight[:, 24:32])
    assert found.shared_by == (2, 3)


@pytest.mark.parametrize("family", ["llama", "gpt_neox", "qwen3"])
def test_angles_are_position_times_frequency(family):
    model = small_model(family)
    found = trace(model, TEXT).inside(1).head(2, 9)
    module = next(part for name, part in model.module.named_modules() if name.endswith("rotary_emb"))
    frequencies = module.inv_freq.numpy()
    angles = np.arange(len(TEXT))[:, None] * frequencies
    turned = np.exp(1j * found.keys.rotation.angles)
    np.testing.assert_allclose(turned, np.exp(1j * angles), atol=2e-3)
    np.testing.assert_allclose(np.exp(1j * found.query.rotation.angles[0]), np.exp(1j * angles[9]), atol=2e-3)
    assert {"query turned", "keys turned"} <= set(found.differences)
    assert ("query" in found.differences) == (family not in NORMED)


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_our_own_kinds(kind, place):
    model = own_model(kind)
    if place == "after":
        from tests.helpers.own_models import random_model

        object.__setattr__(model, "module", random_model(kind=kind, norm_place=place, positions="learned"))
    t = traced(model)
    for site in t.kinds:
        found = t.inside(1, site).head(2, 1)
        assert found.difference < 2e-4
        assert found.is_additive == (place == "before")
        assert found.query.weight is not None
        assert found.values.weight is not None
        assert found.query.rotates == (place == "before" and site != "cross")


def test_positions_enter_before_the_first_block():
    model = small_model("gpt2")
    t = trace(model, TEXT)
    found = t.inside(1).head(0, 5)
    position = model.module.transformer.wpe.weight[5]
    np.testing.assert_allclose(found.entered - found.embedded, position, atol=1e-5)


def test_factors_of_families_that_scale_queries():
    found = trace(small_model("opt"), TEXT).inside(0).head(1, 2)
    assert found.query.factor == pytest.approx(8**-0.5)
    assert found.keys.factor == 1


def test_a_text_of_one_token():
    found = trace(small_model("llama"), "a").inside(1).head(0, 0)
    assert found.steps.weights.tolist() == [1]
    assert found.difference < 1e-4


def test_leaves_no_hook_behind():
    model = small_model("llama")
    trace(model, TEXT).inside(0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.module.modules())


def test_refusals():
    model = small_model("llama")
    t = trace(model, TEXT)
    with pytest.raises(UserError, match="no decoder layer 2"):
        t.inside(2)
    with pytest.raises(UserError, match="head from 0 to 3"):
        t.inside(0).head(4, 0)
    with pytest.raises(UserError, match="query from 0"):
        t.inside(0).head(0, 99)
    model.module.model.embed_tokens.weight[t.ids[0]] = float("nan")
    with pytest.raises(UserError, match="not a number"):
        t.inside(0)


@pytest.mark.parametrize(
    ("family", "kind"), [("gpt2", "layer"), ("llama", "root mean square"), ("gemma2", "root mean square")]
)
def test_the_norm_before_a_layer_is_found(family, kind):
    found = traced(small_model(family)).inside(1).head(0, 2)
    assert found.norm is not None
    assert found.norm.kind == kind
    again = (found.residual - found.norm.mean) / found.norm.root * found.norm.weight
    again = again + (0 if found.norm.bias is None else found.norm.bias)
    np.testing.assert_allclose(again, found.given, atol=1e-4)
