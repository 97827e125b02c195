"""Every number inside a layer, compared with the modules' own weights and against each other."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from tests.helpers.families import DECODERS, ENCODER_DECODERS, ENCODERS, small_model
from tests.helpers.own_models import own_model

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
FAMILIES = [*DECODERS, *ENCODERS, *ENCODER_DECODERS]


def traced(model):
    return trace(model, TEXT, *(["a dog"] if model.kind == "encoder-decoder" else []))


@pytest.mark.parametrize("family", FAMILIES)
def test_all_numbers_agree_with_the_model(family):
    t = traced(small_model(family))
    for kind in t.kinds:
        layer = t.inside(1, kind)
        head = layer.head(3, 2)
        assert head.difference < 2e-4
        assert head.query.at_seam.shape == (1, head.keys.at_seam.shape[1])
        np.testing.assert_allclose(head.query.at_seam[0], head.attention.query)
        # gpt-oss's sinks take a share of each row.
        assert head.attention.weights.sum() == pytest.approx(1, abs=1e-5) or family == "gpt_oss"
        np.testing.assert_allclose(head.attention.weights, t.attention(1, 3, kind)[2], atol=1e-6)
        # Queries and keys before positions are shown, and what made them where a matrix did.
        for vectors in (head.query, head.keys, head.values):
            assert vectors.before_rotation is not None
            normed = family in NORMED and vectors is not head.values
            assert (vectors.weight is None) == normed
        assert head.values.rotates is False
        assert head.query.rotates == (family in ROTARY)
        assert head.keys.rotates == (family in ROTARY)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "albert", "t5", "bart", "gpt_neox"])
def test_the_heads_shares_sum_to_what_is_written(family):
    t = traced(small_model(family))
    for kind in t.kinds:
        layer = t.inside(0, kind)
        heads = [layer.head(head, 3) for head in range(4)]
        bias = 0 if heads[0].output_bias is None else heads[0].output_bias
        np.testing.assert_allclose(sum(head.head_output for head in heads) + bias, heads[0].attention_output, atol=1e-4)
        np.testing.assert_allclose(heads[0].residual + heads[0].added, heads[0].after, atol=1e-6)


def test_llama_by_its_own_weights():
    model = small_model("llama")
    t = trace(model, TEXT)
    head = t.inside(0).head(3, 4)
    block = model.module.model.layers[0]
    x = model.module.model.embed_tokens(torch.tensor(t.ids))
    np.testing.assert_allclose(head.embedded, x[4], atol=1e-6)
    np.testing.assert_allclose(head.residual, x[4], atol=1e-6)
    normed = block.input_layernorm(x)
    np.testing.assert_allclose(head.layer_input, normed[4], atol=1e-5)
    np.testing.assert_allclose(head.query.before_rotation[0], block.self_attn.q_proj(normed)[4, 24:32], atol=1e-4)
    np.testing.assert_allclose(head.keys.before_rotation, block.self_attn.k_proj(normed)[:, 8:16], atol=1e-4)
    np.testing.assert_allclose(head.values.before_rotation, block.self_attn.v_proj(normed)[:, 8:16], atol=1e-4)
    np.testing.assert_allclose(head.query.weight, block.self_attn.q_proj.weight[24:32])
    np.testing.assert_allclose(head.output_weight, block.self_attn.o_proj.weight[:, 24:32])
    assert head.shared_by == (2, 3)


def test_one_block_that_runs_several_times_is_told_for_each_time():
    """ALBERT: layer n reads the state that transformers reports after n runs, by the same weights."""
    model = small_model("albert")
    t = trace(model, TEXT)
    with torch.inference_mode():
        output = model.module(torch.tensor(t.ids)[None], output_hidden_states=True)
    attention = model.module.base_model.encoder.albert_layer_groups[0].albert_layers[0].attention
    for layer, state in enumerate(output.hidden_states[:-1]):
        head = t.inside(layer).head(2, 5)
        np.testing.assert_allclose(head.residual, state[0, 5], atol=1e-6)
        np.testing.assert_allclose(head.entered, output.hidden_states[0][0, 5], atol=1e-6)
        np.testing.assert_allclose(head.keys.at_seam, attention.key(state)[0, :, 16:24].detach(), atol=1e-5)
        np.testing.assert_allclose(head.attention.weights, t.attention(layer, 2)[5], atol=1e-6)


@pytest.mark.parametrize("family", ["llama", "gpt_neox", "qwen3"])
def test_angles_are_position_times_frequency(family):
    model = small_model(family)
    head = trace(model, TEXT).inside(1).head(2, 9)
    module = next(part for name, part in model.module.named_modules() if name.endswith("rotary_emb"))
    frequencies = module.inv_freq.numpy()
    angles = np.arange(len(TEXT))[:, None] * frequencies
    rotated = np.exp(1j * head.keys.rotation.angles)
    np.testing.assert_allclose(rotated, np.exp(1j * angles), atol=2e-3)
    np.testing.assert_allclose(np.exp(1j * head.query.rotation.angles[0]), np.exp(1j * angles[9]), atol=2e-3)
    assert {"query rotated", "keys rotated"} <= set(head.differences)
    assert ("query" in head.differences) == (family not in NORMED)


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
@pytest.mark.parametrize("norm_position", ["pre", "post"])
def test_our_own_kinds(kind, norm_position):
    model = own_model(kind)
    if norm_position == "post":
        from tests.helpers.own_models import random_model

        object.__setattr__(model, "module", random_model(kind=kind, norm_position=norm_position, positions="learned"))
    t = traced(model)
    for site in t.kinds:
        head = t.inside(1, site).head(2, 1)
        assert head.difference < 2e-4
        assert head.is_additive == (norm_position == "pre")
        assert head.query.weight is not None
        assert head.values.weight is not None
        assert head.query.rotates == (norm_position == "pre" and site != "cross")


def test_positions_enter_before_the_first_block():
    model = small_model("gpt2")
    t = trace(model, TEXT)
    head = t.inside(1).head(0, 5)
    position = model.module.transformer.wpe.weight[5]
    np.testing.assert_allclose(head.entered - head.embedded, position, atol=1e-5)


def test_factors_of_families_that_scale_queries():
    head = trace(small_model("opt"), TEXT).inside(0).head(1, 2)
    assert head.query.factor == pytest.approx(8**-0.5)
    assert head.keys.factor == 1


def test_a_text_of_one_token():
    head = trace(small_model("llama"), "a").inside(1).head(0, 0)
    assert head.attention.weights.tolist() == [1]
    assert head.difference < 1e-4


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
    head = traced(small_model(family)).inside(1).head(0, 2)
    assert head.norm is not None
    assert head.norm.kind == kind
    again = (head.residual - head.norm.mean) / head.norm.root * head.norm.weight
    again = again + (0 if head.norm.bias is None else head.norm.bias)
    np.testing.assert_allclose(again, head.layer_input, atol=1e-4)
