"""The parts of every family, found without its names, and the families that are refused."""

import pytest
import torch

from playground.errors import UserError
from playground.lens.capture.activations import capture, encode_text
from playground.lens.capture.anatomy import find_parts
from playground.lens.intervene.interventions import can_resume
from playground.models.loading import load
from tests.helpers.own_models import random_model
from tests.helpers.own_models import save_model as save_own
from tests.helpers.pretrained_folders import TEXT

# family: output projection, feed-forward writer of the last block, is its stream a sum, are logits read straight off
FAMILIES = {
    "gpt2": ("attn.c_proj", "mlp.c_proj", True, True),
    "gpt_neox": ("attention.dense", "mlp.dense_4h_to_h", True, True),
    "llama": ("self_attn.o_proj", "mlp.down_proj", True, True),
    "qwen3": ("self_attn.o_proj", "mlp.down_proj", True, True),
    "gemma2": ("self_attn.o_proj", "post_feedforward_layernorm", True, True),
    "gpt_oss": ("self_attn.o_proj", "mlp.experts", True, True),
    "opt": ("self_attn.out_proj", "fc2", True, True),
    "bert": ("attention.output.dense", "output.dense", False, False),
    "distilbert": ("attention.out_lin", "ffn.lin2", False, False),
    "modernbert": ("attn.Wo", "mlp.Wo", True, False),
    "t5": ("layer.0.SelfAttention.o", "layer.2.DenseReluDense.wo", True, False),
    "bart": ("self_attn.out_proj", "fc2", False, True),
}


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_parts_of_a_family(save_model, family):
    model = load(str(save_model(family)))
    parts = find_parts(model)
    names = {module: name for name, module in model.module.named_modules()}
    block = parts.stack[-1]
    prefix = names[block.module] + "."
    assert len(parts.stack) == 2
    found = (names[block.attention.projection], names[block.feed_forward])
    assert tuple(name.removeprefix(prefix) for name in found) == FAMILIES[family][:2]
    assert (block.is_additive, parts.reads_out) == FAMILIES[family][2:]
    assert (block.cross is not None) == (model.kind == "encoder-decoder")
    assert find_parts(model) is parts


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox", "llama", "gemma2", "opt", "bart"])
def test_running_the_blocks_alone_gives_the_models_logits(save_model, family):
    model = load(str(save_model(family)))
    clean = capture(model, encode_text(model, TEXT, TEXT if family == "bart" else None))
    assert can_resume(model, clean)


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "opt", "modernbert", "t5"])
def test_the_stream_is_the_sum_of_what_was_written(save_model, family):
    model = load(str(save_model(family)))
    clean = capture(model, encode_text(model, TEXT, TEXT if family == "t5" else None))
    for block in clean.parts.stack:
        place = (block.kind, block.layer)
        written = clean.middle(*place) + clean.feed_forward[place]
        torch.testing.assert_close(written, clean.after[place], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("family", "reason"), [("albert", "several times in a pass"), ("bloom", "through the seam")])
def test_a_family_whose_parts_cannot_be_changed_is_refused(save_model, family, reason):
    with pytest.raises(UserError, match=reason):
        find_parts(load(str(save_model(family))))


@pytest.mark.parametrize(
    ("changes", "feed_forward", "additive"),
    [
        ({}, "feed_forward.output", True),
        ({"feed_forward": "none"}, None, True),
        ({"norm_position": "post", "kind": "encoder"}, "feed_forward.output", False),
        ({"kind": "encoder-decoder"}, "feed_forward.output", True),
    ],
)
def test_parts_of_our_own(tmp_path, changes, feed_forward, additive):
    model = load(str(save_own(random_model(**changes), tmp_path)))
    parts = find_parts(model)
    block = parts.stack[1]
    names = {module: name for name, module in block.module.named_modules()}
    assert names[block.attention.projection] == "attention.output"
    assert (None if block.feed_forward is None else names[block.feed_forward]) == feed_forward
    assert (block.is_additive, parts.reads_out) == (additive, True)
    assert [part.kind for part in parts.blocks] == {
        "encoder": ["encoder"] * 2,
        "encoder-decoder": ["encoder"] * 2 + ["decoder"] * 2,
    }.get(model.kind, ["decoder"] * 2)
    assert (block.cross is not None and names[block.cross.projection] == "cross_attention.output") == (
        model.kind == "encoder-decoder"
    )


def test_a_place_that_is_not_there_is_refused(tmp_path):
    parts = find_parts(load(str(save_own(random_model(), tmp_path))))
    with pytest.raises(UserError, match="no decoder layer 2"):
        parts.block("decoder", 2)
    with pytest.raises(UserError, match="no encoder"):
        parts.block("encoder", 0)
    with pytest.raises(UserError, match="no cross-attention"):
        parts.attention("cross", 0)
