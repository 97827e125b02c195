"""Small random models of transformers' families, as folders that `load` reads, and a cache of the test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TEXT = "the cat sat on the mat and the dog lay under the tree"
DECODER = {
    "vocab_size": 64,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**DECODER, "num_key_value_heads": 2, "head_dim": 4}
T5 = {"vocab_size": 64, "d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 2, "num_heads": 4}
BART = {
    "vocab_size": 64,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "gpt2": {"vocab_size": 64, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "gpt_neox": DECODER,
    "llama": GROUPED,
    "mistral": GROUPED,
    "qwen2": GROUPED,
    "qwen3": GROUPED,
    "gemma2": GROUPED,
    "gemma3_text": GROUPED,
    "phi3": GROUPED,
    "olmo2": GROUPED,
    "gpt_oss": {**GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2},
    "mixtral": {**GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen2_moe": {
        **GROUPED,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 24,
        "shared_expert_intermediate_size": 40,
    },
    "opt": {**DECODER, "ffn_dim": 32, "word_embed_proj_dim": 16},
    "bert": DECODER,
    "roberta": {**DECODER, "max_position_embeddings": 66},
    "distilbert": {"vocab_size": 64, "dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 4},
    "electra": {**DECODER, "embedding_size": 8},
    "albert": {**DECODER, "embedding_size": 8},
    "modernbert": {**DECODER, "cls_token_id": 1, "sep_token_id": 2, "global_attn_every_n_layers": 2},
    "t5": T5,
    "bart": BART,
    "marian": BART,
    "bloom": {"vocab_size": 64, "hidden_size": 16, "n_layer": 2, "n_head": 4},
    "falcon": {**DECODER, "new_decoder_architecture": False, "alibi": False},
    "deberta-v2": DECODER,
    "xlnet": {"vocab_size": 64, "d_model": 16, "n_layer": 2, "n_head": 4, "d_inner": 32},
    "longformer": {**DECODER, "attention_window": 8},
    "mamba": {"vocab_size": 64, "hidden_size": 16, "state_size": 4, "num_hidden_layers": 2},
    "reformer": {"vocab_size": 64, "is_decoder": True},
    "funnel": {"vocab_size": 64, "d_model": 16, "n_head": 4, "d_head": 4, "d_inner": 32, "block_sizes": [2, 2]},
}


def save_tokenizer(folder: Path) -> None:
    """A word tokenizer of the test's own words, as tokenizer.json and tokenizer_config.json."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<s>", "</s>", "<unk>", *sorted(set(TEXT.split()))]
    model = models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)


def build(family: str, **changes: Any) -> Any:
    """A random model of the family, with its output head if it has one."""
    import torch
    import transformers

    from playground.models.adapters.pretrained import choose_architecture

    torch.manual_seed(0)
    values = {**CONFIGURATIONS[family], **changes}
    config = transformers.AutoConfig.for_model(family, **values)
    return choose_architecture(config, family).model_class(config).eval()


SaveModel = Callable[..., Path]


@pytest.fixture
def save_model(tmp_path: Path) -> SaveModel:
    """save_model(family, **config changes) -> folder with model and tokenizer."""

    def save(family: str, **changes: Any) -> Path:
        folder = tmp_path / family
        build(family, **changes).save_pretrained(folder)
        save_tokenizer(folder)
        return folder

    return save


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test fetches into a folder of its own and finds the hub unreachable."""
    root = tmp_path / "cache"
    monkeypatch.setenv("PLAYGROUND_CACHE", str(root))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return root
