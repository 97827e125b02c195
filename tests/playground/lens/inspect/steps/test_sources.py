"""Where queries, keys and values come from, in families that do more to them than multiply by a matrix."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.lens.inspect.steps.projection import projected_vector
from playground.models.loading import load
from tests.helpers.shrunk_models import save_shrunk

CLIP = 0.5
CLIPPING = {
    "olmo": {"clip_qkv": CLIP},
    "olmoe": {"clip_qkv": CLIP},
    "dbrx": {"attn_config": {"rope_theta": 1e4, "clip_qkv": CLIP, "kv_n_heads": 2, "model_type": ""}},
}
TEXT = "the cat sat on the mat"


@pytest.mark.parametrize("family", CLIPPING)
def test_numbers_that_a_layer_cuts_are_not_told_as_sums_of_products(tmp_path, family):
    """By hand: no number of a value is larger than the clip, and those at the clip are no product with a matrix."""
    head = trace(load(str(save_shrunk(tmp_path, family, **CLIPPING[family]))), TEXT).inside(1).head(1, 4)
    assert max(head.differences.values()) < 1e-4
    assert np.abs(head.values.at_seam).max() == CLIP
    assert (head.values.clip, head.values.weight) == (CLIP, None)
    vector = projected_vector("v", head.values, 3, "3,")
    assert not vector.is_known
    assert "±0.5 after its matrix" in vector.note


@pytest.mark.parametrize("family", ["olmo", "olmoe"])
def test_numbers_below_the_clip_are_told_as_ever(tmp_path, family):
    head = trace(load(str(save_shrunk(tmp_path, family, clip_qkv=1e4))), TEXT).inside(1).head(1, 4)
    assert max(head.differences.values()) < 1e-4
    assert head.values.clip is None
    np.testing.assert_allclose(head.values.inputs @ head.values.weight.T, head.values.at_seam, atol=1e-4)


@pytest.mark.parametrize("clip", [0.05, 1e4])
def test_the_queries_keys_and_values_of_dbrx_are_those_that_its_own_layer_splits(tmp_path, clip):
    """By hand: one matrix, cut, then split. Values have no positions, and the first token's are not rotated."""
    settings = {"rope_theta": 1e4, "clip_qkv": clip, "kv_n_heads": 2, "model_type": ""}
    model = load(str(save_shrunk(tmp_path, "dbrx", attn_config=settings)))
    layer = model.module.transformer.blocks[1].norm_attn_norm.attn
    made = []
    with layer.Wqkv.register_forward_hook(lambda *passed: made.append(passed[-1])):
        traced = trace(model, TEXT)
        head = traced.inside(1).head(1, 0)
    widths = [layer.num_heads * layer.head_dim, *[layer.num_key_value_heads * layer.head_dim] * 2]
    query, key, value = (
        part.reshape(-1, part.shape[-1] // layer.head_dim, layer.head_dim).numpy()
        for part in made[-1][0].detach().clamp(-clip, clip).split(widths, dim=-1)
    )
    shared = 1 // layer.num_key_value_groups
    np.testing.assert_allclose(head.query.at_seam[0], query[0, 1], atol=1e-6)
    np.testing.assert_allclose(head.keys.at_seam[0], key[0, shared], atol=1e-6)
    np.testing.assert_allclose(head.values.at_seam, value[:, shared], atol=1e-6)
    assert head.values.clip == (clip if clip < 1 else None)


@pytest.mark.parametrize("clip", [None, 0.02])
def test_mpt_reports_its_own_weights_and_its_steps_are_refused(tmp_path, clip):
    """It attends in code of its own: what it cuts is in the weights that it reports, and nothing else is told."""
    model = load(str(save_shrunk(tmp_path, "mpt", attn_config={"clip_qkv": clip, "alibi": True})))
    traced = trace(model, TEXT)
    ids = torch.tensor([[token.id for token in traced.source]])
    reported = model.module(input_ids=ids, output_attentions=True, use_cache=False).attentions
    for layer, weights in enumerate(reported):
        np.testing.assert_allclose(traced.attention(layer, 1), weights[0, 1].detach().numpy(), atol=1e-6)
    with pytest.raises(UserError, match="does not go through the seam"):
        traced.inside(1)


@pytest.mark.parametrize("family", ["qwen4_exp_text", "qwen4_exp"])
def test_several_streams_side_by_side_are_refused_in_a_sentence(tmp_path, family):
    traced = trace(load(str(save_shrunk(tmp_path, family))), TEXT)
    with pytest.raises(UserError, match="keeps 4 residual streams side by side"):
        traced.inside(1)
