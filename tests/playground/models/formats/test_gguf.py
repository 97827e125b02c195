"""GGUF to safetensors: the same numbers, rows in transformers' order, a tokenizer that reads like the original's."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from gguf.quants import dequantize, quantize
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.models.download_progress import (
    CancelledError,
    DownloadProgress,
    Meter,
    never_cancelled,
    no_download_progress,
)
from playground.models.formats.gguf import convert, ungroup_rotary_pairs
from playground.models.loading import load

HEADS, KEY_HEADS, WIDTH = 4, 2, 32
BACK = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abcdefgh0123456789", "Ġ", "Ċ", "ab", "Ġab"]
MERGES = ["a b", "Ġ ab"]


def _group_rotary_pairs(matrix: np.ndarray, heads: int) -> np.ndarray:
    """What the writers of GGUF do: per head, row i and row i + half become neighbours. One row at a time."""
    size = matrix.shape[0] // heads
    order = [head * size + half * size // 2 + i for head in range(heads) for i in range(size // 2) for half in (0, 1)]
    return matrix[order]


def _gguf_name(name: str) -> str:
    short = name.removesuffix(".weight")
    if short.startswith("model.layers."):
        _, _, layer, rest = short.split(".", 3)
        return f"blk.{layer}.{BACK[rest]}.weight"
    return f"{BACK[short]}.weight"


def _write(path: Path, model: torch.nn.Module, *, pre: str = "smollm", quantised: bool = False) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(64)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(5000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(TOKENS)
    writer.add_token_types([TokenType.CONTROL] * 3 + [TokenType.NORMAL] * (len(TOKENS) - 3))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages }}")
    for name, value in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        numbers = value.numpy()
        if "q_proj" in name or "k_proj" in name:
            numbers = _group_rotary_pairs(numbers, HEADS if "q_proj" in name else KEY_HEADS)
        if quantised and numbers.ndim == 2:
            kind = GGMLQuantizationType.Q4_1
            writer.add_tensor(_gguf_name(name), quantize(numbers, kind), raw_dtype=kind)
        else:
            writer.add_tensor(_gguf_name(name), numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def model() -> torch.nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(TOKENS),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        max_position_embeddings=64,
        rms_norm_eps=1e-5,
        rope_theta=5000.0,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def _meter() -> Meter:
    return Meter(on_report=no_download_progress, is_cancelled=never_cancelled)


def test_the_converted_model_is_the_same_model(tmp_path: Path, model: torch.nn.Module):
    _write(tmp_path / "x.gguf", model)
    convert(tmp_path / "x.gguf", tmp_path / "out", _meter())
    loaded = load(str(tmp_path / "out"))
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.module.state_dict()[name], value), name
    ids = torch.tensor([[3, 4, 5, 6, 7, 8]])
    with torch.inference_mode():
        assert (loaded.module(ids).logits - model(ids).logits).abs().max() < 1e-5
    assert loaded.context == 64


def test_quantised_numbers_are_kept_exactly(tmp_path: Path, model: torch.nn.Module):
    _write(tmp_path / "x.gguf", model, quantised=True)
    convert(tmp_path / "x.gguf", tmp_path / "out", _meter())
    stored = load(str(tmp_path / "out")).module.state_dict()["model.layers.1.mlp.up_proj.weight"].numpy()
    original = model.state_dict()["model.layers.1.mlp.up_proj.weight"].numpy()
    kind = GGMLQuantizationType.Q4_1
    assert np.array_equal(stored, dequantize(quantize(original, kind), kind))
    assert not np.array_equal(stored, stored.astype(np.float16).astype(np.float32))


def test_rows_by_hand():
    grouped = np.array([["a0"], ["b0"], ["a1"], ["b1"], ["c0"], ["d0"], ["c1"], ["d1"]])
    assert ungroup_rotary_pairs(grouped, 2)[:, 0].tolist() == ["a0", "a1", "b0", "b1", "c0", "c1", "d0", "d1"]


def test_tokenizer_splits_digits_and_keeps_special_tokens(tmp_path: Path, model: torch.nn.Module):
    _write(tmp_path / "x.gguf", model)
    convert(tmp_path / "x.gguf", tmp_path / "out", _meter())
    tokenizer = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    assert tokenizer.encode("<|im_start|>ab ab12").tokens == ["<|im_start|>", "ab", "Ġab", "1", "2"]
    assert tokenizer.decode(tokenizer.encode("ab ab12\nc").ids) == "ab ab12\nc"
    config = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert (config["bos_token"], config["eos_token"], config["pad_token"]) == (
        "<|im_start|>",
        "<|im_end|>",
        "<|im_end|>",
    )
    assert config["chat_template"] == "{{ messages }}"


def test_another_kind_is_refused(tmp_path: Path, model: torch.nn.Module):
    _write(tmp_path / "x.gguf", model, pre="qwen2")
    with pytest.raises(UserError, match="not of SmolLM2's kind"):
        convert(tmp_path / "x.gguf", tmp_path / "out", _meter())
    assert not (tmp_path / "out").exists()


def test_conversion_can_be_cancelled(tmp_path: Path, model: torch.nn.Module):
    _write(tmp_path / "x.gguf", model)
    reports: list[DownloadProgress] = []
    meter = Meter(on_report=reports.append, is_cancelled=lambda: len(reports) >= 1)
    with pytest.raises(CancelledError):
        convert(tmp_path / "x.gguf", tmp_path / "out", meter)
