"""Layers are called by the numbers of their blocks in the model, and the other blocks are named."""

import json

import numpy as np
import pytest
import transformers
from torch import nn

from playground import attention
from playground.attention_export import SelectedMap, head_csv
from playground.errors import UserError
from playground.lens import trace
from playground.lens.capture.blocks import find_other_blocks
from playground.lens.inspect.attention_view import ViewOptions
from tests.helpers.families import as_loaded, small_model

SIZES = {"vocab_size": 99, "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}
SIZES |= {"num_key_value_heads": 2, "num_hidden_layers": 4, "pad_token_id": 0}
TEXT = "the cat sat on the mat"
LINEAR = {"linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
MIXED = {
    "lfm2": ("Lfm2", {"layer_types": ["conv", "full_attention", "conv", "full_attention"]}, [1, 3], "Lfm2ShortConv"),
    "qwen3_next": (
        "Qwen3Next",
        {"head_dim": 8, "layer_types": ["linear_attention", "linear_attention", "full_attention", "linear_attention"]}
        | {
            **LINEAR,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
        },
        [2],
        "Qwen3NextGatedDeltaNet",
    ),
    "recurrent_gemma": (
        "RecurrentGemma",
        {"block_types": ["recurrent", "recurrent", "attention"], "lru_width": 32, "head_dim": 8},
        [2],
        "RecurrentGemmaRecurrentBlock",
    ),
}


@pytest.fixture(scope="module", params=MIXED)
def mixed(request):
    name, settings, blocks, mixer = MIXED[request.param]
    attention.register_with_transformers()
    config = getattr(transformers, f"{name}Config")(**SIZES, **settings)
    module = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention.IMPLEMENTATION)
    model = as_loaded(module.eval().requires_grad_(False), "decoder", request.param)
    return trace(model, TEXT), blocks, mixer


def test_a_mixed_stack_is_called_by_its_blocks(mixed):
    traced, blocks, mixer = mixed
    assert traced.block_numbers() == blocks
    assert [site.layer for site in traced.sites] == blocks
    with pytest.raises(UserError, match="Block 0 does not attend"):
        traced.attention(0, 0)
    with pytest.raises(UserError, match=f"no decoder layer 9; choose 0 to {blocks[-1]}"):
        traced.attention(9, 0)
    site = traced.layers()[-1]
    np.testing.assert_array_equal(traced.attention(blocks[-1], 1), site.pattern(slice(1, 2), slice(None))[0])
    assert [row["layer"] for row in traced.head_scores().rows()] == [block for block in blocks for _head in range(4)]
    assert [other.number for other in traced.other_blocks] == sorted(set(range(4)) - set(blocks))
    assert {other.mixer for other in traced.other_blocks} == {mixer}
    exported = head_csv(traced, SelectedMap(options=ViewOptions(kind="decoder"), layer=blocks[0], head=1))
    assert f"head {blocks[0]}.1" in exported


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5", "bart", "modernbert"])
def test_a_stack_that_attends_everywhere_has_no_others(family):
    traced = trace(small_model(family), TEXT)
    assert traced.other_blocks == ()
    for kind in traced.kinds:
        assert traced.block_numbers(kind) == list(range(len(traced.layers(kind))))


def test_layers_that_share_a_module_keep_their_counts():
    traced = trace(small_model("albert"), TEXT)
    assert traced.block_numbers() == [0, 1]


def test_lists_of_other_things_are_no_stacks():
    stack = nn.ModuleDict(
        {"attention": nn.Linear(2, 2), "layers": nn.ModuleList([nn.Linear(2, 2), nn.Conv1d(1, 1, 1)])}
    )
    assert find_other_blocks(stack, ["attention"]) == ()
    assert json.dumps([other.mixer for other in find_other_blocks(stack, ["layers.0"])]) == '["Conv1d"]'
