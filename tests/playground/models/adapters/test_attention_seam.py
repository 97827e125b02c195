"""Attention that leaves keys out is seen as the model computes it, although the probe is a short text."""

import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.models.loading import load
from tests.helpers.shrunk_models import save_shrunk

TEXT = "the cat sat on the mat and ran away from a dog"


BLOCKS = ["minimax_m3_sparse"] * 3
INDEXED = {
    **{family: {"index_topk": 9} for family in ("deepseek_v32", "glm_moe_dsa", "axk2", "dots3_note_text", "hy_v4")},
    "minimax_m3_vl_text": {
        "index_block_size": 4,
        "index_topk_blocks": 3,
        "index_local_blocks": 1,
        "layer_types": BLOCKS,
    },
}


@pytest.mark.parametrize("family", INDEXED)
def test_only_the_keys_that_an_indexer_chooses_are_attended(tmp_path, family):
    model = load(str(save_shrunk(tmp_path, family, **INDEXED[family])))
    traced = trace(model, TEXT)
    theirs = type(model.module).from_pretrained(tmp_path, attn_implementation="eager")
    with torch.no_grad():
        expected = theirs(torch.tensor([traced.ids]), output_attentions=True)
    assert len(traced.ids) > 30
    for layer, maps in enumerate(expected.attentions):
        for head in range(maps.shape[1]):
            assert torch.tensor(traced.attention(layer, head)).allclose(maps[0, head], atol=1e-4)
    assert torch.as_tensor(traced.last_logits).allclose(expected.logits[0, -1], atol=1e-3)


def test_a_choice_that_the_seam_does_not_follow_is_seen_by_the_probe(tmp_path, monkeypatch):
    """As if transformers named the chosen keys otherwise: the family then reports its own maps, or is refused."""
    monkeypatch.setattr("playground.attention._chosen_only", lambda mask, indices, n_keys: mask)
    model = load(str(save_shrunk(tmp_path, "deepseek_v32")))
    assert model.attention == "eager"
    assert model.module.model.layers[0].self_attn.indexer.index_topk == model.module.config.index_topk


def test_blocks_of_keys_that_the_seam_does_not_follow_are_seen_whatever_their_size(tmp_path):
    model = load(str(save_shrunk(tmp_path, "minimax_m3_vl_text", index_block_size=128, layer_types=BLOCKS)))
    assert model.attention == "eager"
    indexers = [part for part in model.module.modules() if hasattr(part, "topk_blocks")]
    assert {part.block_size for part in indexers} == {128}


@pytest.mark.parametrize(
    ("family", "given", "counts"),
    [
        ("laguna", {"num_attention_heads_per_layer": [4, 8, 4]}, "4, 8"),
        ("laguna", {"num_attention_heads_per_layer": [8, 4, 2]}, "2, 4, 8"),
        ("inkling_text", {"swa_num_attention_heads": 8, "swa_num_key_value_heads": 4}, "4, 8"),
    ],
)
def test_layers_of_different_numbers_of_heads_are_refused(tmp_path, family, given, counts):
    """The picture of all heads ended in an error, and comparisons left out the heads that not all layers have."""
    with pytest.raises(UserError, match=rf"different numbers of heads \({counts}\)"):
        load(str(save_shrunk(tmp_path, family, **given)))


def test_an_encoder_and_a_decoder_may_have_different_numbers_of_heads(save_model):
    model = load(str(save_model("bart", encoder_attention_heads=2, decoder_attention_heads=4)))
    traced = trace(model, "the cat sat", "the dog lay")
    assert {kind: traced.overview(2, kind).shape[1] for kind in traced.kinds} == {
        "encoder": 2,
        "decoder": 4,
        "cross": 4,
    }
