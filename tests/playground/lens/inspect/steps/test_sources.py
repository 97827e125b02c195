"""Where queries, keys and values come from, in families that do more to them than multiply by a matrix."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("family", ["qwen4_exp_text", "qwen4_exp"])
def test_several_streams_side_by_side_are_refused_in_a_sentence(tmp_path, family):
    traced = trace(load(str(save_shrunk(tmp_path, family))), TEXT)
    with pytest.raises(UserError, match="keeps 4 residual streams side by side"):
        traced.inside(1)
