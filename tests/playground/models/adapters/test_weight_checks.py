"""Weights that do not fit their configuration are refused; what transformers drops on purpose may be left over."""

import json
import re
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.models.loading import load


def write_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


@pytest.mark.parametrize(
    ("family", "stored", "stated", "first"),
    [
        ("llama", {"num_hidden_layers": 3}, {"num_hidden_layers": 2}, "model.layers.2."),
        ("llama", {"attention_bias": True}, {"attention_bias": False}, "model.layers.0.self_attn.k_proj.bias"),
        ("qwen2", {}, {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "self_attn.k_proj.bias"),
        ("qwen3", {}, {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "self_attn.k_norm.weight"),
        ("bert", {"num_hidden_layers": 3}, {"num_hidden_layers": 1}, "bert.encoder.layer.1."),
        (
            "bert",
            {"num_hidden_layers": 3},
            {"num_hidden_layers": 1, "architectures": ["BertModel"]},
            "encoder.layer.1.",
        ),
        ("gpt2", {"n_layer": 3}, {"n_layer": 2}, "transformer.h.2."),
        ("t5", {"num_decoder_layers": 3}, {"num_decoder_layers": 2}, "decoder.block.2."),
        ("bart", {"encoder_layers": 3}, {"encoder_layers": 2}, "model.encoder.layers.2."),
        ("gpt_neox", {"attention_bias": True}, {"attention_bias": False}, "attention.dense.bias"),
    ],
)
def test_weights_that_the_model_has_no_place_for_are_refused(save_model, family, stored, stated, first):
    folder = save_model(family, **stored)
    write_config(folder, **stated)
    with pytest.raises(UserError, match=rf"hold \d+ tensors that its model has no place for \(.*{re.escape(first)}"):
        load(str(folder))


def add_tensors(folder: Path, **shapes: tuple[int, ...]) -> None:
    weights = load_file(folder / "model.safetensors")
    weights |= {name.replace("__", "."): torch.ones(shape) for name, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("family", "left"),
    [
        ("bert", {"bert__pooler__dense__weight": (16, 16), "cls__seq_relationship__weight": (2, 16)}),
        ("gpt2", {"transformer__h__0__attn__bias": (1, 1, 64, 64), "transformer__h__1__attn__masked_bias": ()}),
        ("llama", {"model__layers__0__self_attn__rotary_emb__inv_freq": (2,), "score__weight": (3, 16)}),
        ("roberta", {"roberta__embeddings__position_ids": (1, 66), "classifier__out_proj__weight": (2, 16)}),
        ("electra", {"discriminator_predictions__dense__weight": (16, 16)}),
        ("distilbert", {"qa_outputs__bias": (2,)}),
    ],
)
def test_other_heads_and_old_buffers_may_be_left_over(save_model, family, left):
    """transformers loads the same model of both files."""
    folder = save_model(family)
    before = load(str(folder)).module.state_dict()
    add_tensors(folder, **left)
    after = load(str(folder)).module.state_dict()
    assert before.keys() == after.keys()
    assert all(after[name].equal(tensor) for name, tensor in before.items())


@pytest.mark.parametrize(("whole", "base"), [("BertForPreTraining", "BertModel"), ("GPT2LMHeadModel", "GPT2Model")])
def test_a_base_model_drops_the_head_that_its_weights_hold(save_model, whole, base):
    folder = save_model("bert" if base.startswith("Bert") else "gpt2")
    config = transformers.AutoConfig.from_pretrained(folder)
    getattr(transformers, whole)(config).save_pretrained(folder)
    write_config(folder, architectures=[base])
    expected = getattr(transformers, base).from_pretrained(folder).state_dict()
    actual = load(str(folder)).module.state_dict()
    assert all(actual[name].equal(tensor) for name, tensor in expected.items())


def test_blocks_for_further_tokens_may_be_left_over(save_model):
    folder = save_model("qwen3")
    add_tensors(folder, model__layers__2__mlp__up_proj__weight=(32, 16), model__layers__2__eh_proj__weight=(16, 32))
    with pytest.raises(UserError, match="has no place for"):
        load(str(folder))
    write_config(folder, num_nextn_predict_layers=1)
    assert load(str(folder)).layers == 2
