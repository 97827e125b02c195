"""Shrink any configuration of transformers to a model of a few thousand weights, by the names of its fields."""

import re
from collections.abc import Iterator
from typing import Any

WIDTH, HEADS, KEY_HEADS, HEAD_WIDTH = 32, 4, 2, 8
VOCABULARY, CONTEXT = 120, 64
FIELDS: tuple[tuple[str, int], ...] = (
    (r"(max_)?(position_embeddings|n_positions|n_ctx|max_seq_len|max_sequence_length|seq_length)$", CONTEXT),
    (r"max_position_embeddings|max_(source|target)_positions", CONTEXT + 2),
    (r"type_vocab_size|num_languages", 2),
    (r"vocab_size_per_layer_input|.*vocab_size|vocab_sizes?|num_embeddings|vocabulary_size", VOCABULARY),
    (r"rotary_dim", 4),
    (r"image_size", 16),
    (r"patch_size", 8),
    (
        r"(num_)?(decoder_|encoder_|self_|cross_)?(attention_)?(kv_heads|n_head_kv)|num_key_value_heads|swa_num_key_value_heads",
        2,
    ),
    (r"(global_)?num_(global_)?key_value_heads|num_kv_heads|n_kv_heads|.*num_key_value_heads", KEY_HEADS),
    (r"n_?heads?|num_heads|.*attention_heads|num_attn_heads|encoder_num_heads", HEADS),
    (r"(mamba|linear|ssm|lightning)_.*n(um)?_?(key_|value_|v_|k_)?heads|mamba_num_heads|mamba_n_heads", HEADS * 2),
    (r"linear_num_(key|value)_heads", HEADS),
    (r"(mamba|ssm|linear).*(d_head|head_dim)|mamba_head_dim|state_size|.*d_state|ssm_state_size", HEAD_WIDTH),
    (r"(swa_|global_|decoder_|attention_|index_|kv_)?head_(dim|size)|d_kv|d_head|kv_channels|head_dim.*", HEAD_WIDTH),
    (r"qk_(nope|rope)_head_dim|v_head_dim|attention_v_head_dim|.*_head_dim", HEAD_WIDTH),
    (r"(o|q|kv)_lora_rank|.*lora_(rank|dim).*|.*_rank", HEAD_WIDTH),
    (r"(moe_|shared_expert_|.*expert.*)intermediate_size|moe_ffn_hidden_size|moe_.*ffn.*", 16),
    (
        r".*intermediate_size|.*ffn_dim|d_ff|n_inner|dim_ff|hidden_dim|inner_dim|.*ffn_(hidden_)?size|feedforward.*|d_inner|.*mlp_dim",
        48,
    ),
    (
        r"(.*hidden_size|d_model|n_embd|emb_dim|embed_dim|dim|width|d_embed|embedding_size|word_embed_proj_dim|lru_width|hidden_dim)",
        WIDTH,
    ),
    (r"mamba_expand|expand", 2),
    (r"mamba_n_groups|n_groups|mamba_ngroups", 1),
    (r".*chunk_size", 8),
    (r"(num|n)_(local_|routed_)?experts?|moe_num_experts|num_local_experts|n_routed_experts|moe_n_experts", 4),
    (r"n_shared_experts|num_shared_experts?|moe_num_shared_experts", 1),
    (r"(num_experts_per_tok(en)?|experts_per_tok.*|moe_(top_?k|k)|num_selected_experts|top_k_experts|moe_topk)", 2),
    (r"n_group|topk_group", 1),
    (
        r"sliding_window(_size)?|attention_window(_size)?|local_attention|attention_chunk_size|window_size|local_window.*",
        4,
    ),
    (
        r"(num_)?(hidden_|encoder_|decoder_|n_?)?layers?|n_layers?|num_(hidden|encoder|decoder)_layers|n_layer|num_blocks|depth",
        3,
    ),
)
"""What an integer field becomes, by its whole name; the first row that fits counts."""
LAYERS = 3
UNSTATED = {"head_dim": HEAD_WIDTH, "vocab_size": VOCABULARY, "n_routed_experts": 4, "num_experts_per_tok": 2}
"""Fields without a default that a model needs."""


def shrunk(config_class: Any, **given: Any) -> Any:
    """The family's configuration, small; `given` stands above what its fields' names say."""
    return config_class(**_merged(_small_fields(config_class), given))


def _merged(fields: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`given` over `fields`, nested configurations entry by entry."""
    merged = dict(fields)
    for name, value in given.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _small_fields(config_class: Any) -> dict[str, Any]:
    default = config_class()
    nested = set(getattr(config_class, "sub_configs", {}))
    fields: dict[str, Any] = dict(_tokens(default))
    for name, value in vars(default).items():
        if name in nested:
            if value is not None:
                fields[name] = _small_fields(type(value)) | {"model_type": value.model_type}
        elif isinstance(value, bool) or name.startswith("_"):
            continue
        elif value is None and name in UNSTATED:
            fields[name] = UNSTATED[name]
        elif isinstance(value, int) and (small := _small(name, value)) is not None:
            fields[name] = small
    # Where keys have as many heads as queries by default (multi-head latent attention), they keep them.
    # By their own fields: where layers differ in them, transformers raises an error for the global ones (dots3).
    own = vars(default)
    if own.get("num_key_value_heads") == own.get("num_attention_heads", 0):
        fields["num_key_value_heads"] = HEADS
    return fields | dict(_lists(default, fields))


def _small(name: str, value: int) -> int | None:
    rows = (number for pattern, number in FIELDS if re.fullmatch(pattern, name))
    number = next(rows, None)
    # A field that is switched off or smaller already stays: 0 heads, 1 layer.
    return number if number is not None and value > number else None


def _tokens(default: Any) -> Iterator[tuple[str, Any]]:
    """Ids of special tokens: the usual ones in front, those that stand for pictures and sounds at the end."""
    front = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1, "sep_token_id": 2}
    last = VOCABULARY - 1
    for name, value in vars(default).items():
        if name in front:
            if value is not None or name != "decoder_start_token_id" or default.is_encoder_decoder:
                yield name, front[name]
        elif name.startswith("forced_") and isinstance(value, int):
            yield name, front["eos_token_id" if "eos" in name else "bos_token_id"]
        elif re.search(r"token_(id|index)$", name) and isinstance(value, int):
            yield name, last
            last -= 1


def _lists(default: Any, fields: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """A list with an entry for each layer: every kind of layer once, and the last kind for the rest."""
    counts = {value for name, value in vars(default).items() if "layer" in name and type(value) is int}
    for name, value in vars(default).items():
        is_per_layer = isinstance(value, list) and len(value) in counts and len(value) > LAYERS
        if is_per_layer and name not in fields and all(isinstance(entry, str | int) for entry in value):
            kinds = list(dict.fromkeys(value))[:LAYERS]
            yield name, [*kinds, *[kinds[-1]] * (LAYERS - len(kinds))]
