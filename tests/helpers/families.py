"""Small random models of many families, as LoadedModel, for tests that hold the seam against eager attention."""

import copy
from pathlib import Path

import torch
import transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from playground import attention
from playground.models.loading import LoadedModel

VOCABULARY = 99
SIZES = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
FEED = {"intermediate_size": 48}
GROUPED = {"num_key_value_heads": 2, "max_position_embeddings": 64}
HEAD = {"head_dim": 8}
POSITIONS = {"max_position_embeddings": 64}
TOKENS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
SEQ2SEQ = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}

DECODERS = {
    "gpt2": ("GPT2Config", {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}),
    "gpt_neox": ("GPTNeoXConfig", {**SIZES, **FEED, **POSITIONS}),
    "llama": ("LlamaConfig", {**SIZES, **FEED, **GROUPED}),
    "mistral": ("MistralConfig", {**SIZES, **FEED, **GROUPED, "sliding_window": 4}),
    "qwen2": ("Qwen2Config", {**SIZES, **FEED, **GROUPED}),
    "qwen3": ("Qwen3Config", {**SIZES, **FEED, **GROUPED, **HEAD}),
    "gemma2": (
        "Gemma2Config",
        {**SIZES, **FEED, **GROUPED, **HEAD, "sliding_window": 4, "attn_logit_softcapping": 2.0},
    ),
    "gemma3": ("Gemma3TextConfig", {**SIZES, **FEED, **GROUPED, **HEAD, "sliding_window": 4}),
    "phi3": ("Phi3Config", {**SIZES, **FEED, **GROUPED, "pad_token_id": 0}),
    "olmo2": ("Olmo2Config", {**SIZES, **FEED, **GROUPED}),
    "gpt_oss": (
        "GptOssConfig",
        {**SIZES, **FEED, **GROUPED, **HEAD, "num_local_experts": 2, "num_experts_per_tok": 1, "sliding_window": 4},
    ),
    "opt": ("OPTConfig", {**SIZES, "ffn_dim": 48, "max_position_embeddings": 64, "word_embed_proj_dim": 32}),
}
ENCODERS = {
    "bert": ("BertConfig", {**SIZES, **FEED, **POSITIONS}),
    "roberta": ("RobertaConfig", {**SIZES, **FEED, "max_position_embeddings": 66}),
    "distilbert": (
        "DistilBertConfig",
        {"vocab_size": VOCABULARY, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, **POSITIONS},
    ),
    "electra": ("ElectraConfig", {**SIZES, **FEED, **POSITIONS, "embedding_size": 16}),
    "albert": ("AlbertConfig", {**SIZES, **FEED, **POSITIONS, "embedding_size": 16}),
    "modernbert": ("ModernBertConfig", {**SIZES, **FEED, **POSITIONS, **TOKENS, "local_attention": 4}),
}
ENCODER_DECODERS = {
    "t5": (
        "T5Config",
        {"vocab_size": VOCABULARY, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
        | {"decoder_start_token_id": 0},
    ),
    "bart": ("BartConfig", SEQ2SEQ),
    "marian": ("MarianConfig", {**SEQ2SEQ, "pad_token_id": 0}),
}
FURTHER_DECODERS = {
    "phi": ("PhiConfig", {**SIZES, **FEED, **POSITIONS}),
    "olmo": ("OlmoConfig", {**SIZES, **FEED, **GROUPED, **TOKENS}),
    "mixtral": ("MixtralConfig", {**SIZES, **FEED, **GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "qwen2_moe": (
        "Qwen2MoeConfig",
        {**SIZES, **FEED, **GROUPED, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
        | {"shared_expert_intermediate_size": 40},
    ),
    "granite": (
        "GraniteConfig",
        {**SIZES, **FEED, **GROUPED, "residual_multiplier": 0.3, "embedding_multiplier": 5.0, "logits_scaling": 3.0},
    ),
    "cohere": ("CohereConfig", {**SIZES, **FEED, **GROUPED, **TOKENS}),
}
"""Families whose attention is one of those above: what they do otherwise after it is theirs."""
AUTO = {"decoder": AutoModelForCausalLM, "encoder": AutoModelForMaskedLM, "encoder-decoder": AutoModelForSeq2SeqLM}


def task_kind_of(family: str) -> str:
    """The kind of a family in the tables above."""
    return (
        "decoder" if family in DECODERS | FURTHER_DECODERS else "encoder" if family in ENCODERS else "encoder-decoder"
    )


def word_tokenizer() -> Tokenizer:
    """A vocabulary of letters, enough to make ids of any text."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,!?='0123456789"
    vocabulary = {token: index for index, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", *letters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>", "<unk>"])
    return tokenizer


def small_model(family: str, *, seed: int = 0) -> LoadedModel:
    """A random model of the family, loaded with our attention."""
    attention.register_with_transformers()
    kind = task_kind_of(family)
    name, sizes = (DECODERS | FURTHER_DECODERS | ENCODERS | ENCODER_DECODERS)[family]
    config = getattr(transformers, name)(**sizes)
    torch.manual_seed(seed)
    module = AUTO[kind].from_config(config, attn_implementation=attention.IMPLEMENTATION)
    for parameter in module.parameters():
        # Larger than the usual start, so that the patterns are far from even and a mistake would show.
        torch.nn.init.normal_(parameter, std=0.3) if parameter.ndim > 1 else None
    return as_loaded(module.eval().requires_grad_(False), kind, family)


def as_loaded(module: torch.nn.Module, kind: str, family: str, context: int = 64) -> LoadedModel:
    """Wrap a module of the test's own as a LoadedModel."""
    return LoadedModel(
        name=f"small-{family}",
        kind=kind,
        family=family,
        module=module,
        tokenizer=word_tokenizer(),
        context=context,
        device="cpu",
        dtype="float32",
        revision=None,
        source="test",
        note="",
        folder=Path(),
        parameters=sum(p.numel() for p in module.parameters()),
        bytes=sum(p.nbytes for p in module.parameters()),
        layers=2,
        n_heads=4,
        has_output_head=True,
        attention="interface",
    )


def eager_twin(model: LoadedModel) -> torch.nn.Module:
    """The same weights with transformers' own eager attention."""
    config = copy.deepcopy(model.module.config)
    auto = AUTO[model.kind] if hasattr(model.module, "lm_head") or model.kind != "encoder" else AutoModelForMaskedLM
    twin = (auto or AutoModel).from_config(config, attn_implementation="eager")
    twin.load_state_dict(model.module.state_dict())
    return twin.eval()
