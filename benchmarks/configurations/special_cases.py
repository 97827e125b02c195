"""What single families need beyond their fields' names: values that must fit one another, and kinds of layer to mix."""

from typing import Any

CONV = {"layer_types": ["conv", "full_attention", "conv"]}
SPARSE_INDEX = {"indexer_n_heads": 2, "indexer_kv_heads": 1, "indexer_head_dim": 8, "indexer_budget": 64}
SPARSE_INDEX |= {"indexer_compress_ratio": 4}
DOTS = {"num_key_value_heads": 4, "head_dim": 16, "layer_types": ["full_attention"] * 3}
GIVEN: dict[str, dict[str, Any]] = {
    "bailing_hybrid": {"n_group": 1, "topk_group": 1, "layer_group_size": 2},
    "bamba": {"attn_layer_indices": [1], "mamba_n_heads": 8},
    "blenderbot": {"encoder_layers": 3},
    "blt": {"encoder_hash_byte_group_vocab": 50},
    "cohere_compass_text": {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}},
    "ctrl": {"dff": 48},
    "dbrx": {
        "attn_config": {"rope_theta": 1e4, "clip_qkv": 8, "kv_n_heads": 2, "model_type": ""},
        "ffn_config": {
            "ffn_hidden_size": 16,
            "moe_num_experts": 4,
            "moe_top_k": 2,
            "hidden_size": 32,
            "model_type": "",
        },
    },
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1},
    "dots3_note": {"text_config": DOTS, "adapter_in_dim": 32},
    "dots3_note_text": DOTS,
    "gemma3n_text": {"num_kv_shared_layers": 0},
    "gemma4_assistant": {"text_config": {"hidden_size_per_layer_input": 0, "num_kv_shared_layers": 0}},
    "gemma4_unified_assistant": {"text_config": {"num_kv_shared_layers": 0}},
    "granitemoehybrid": {"layer_types": ["mamba", "attention", "mamba"]},
    "esm": {"mask_token_id": 4},
    "esmc": {"num_key_value_heads": 4},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "mamba_dt_rank": 2},
    "lfm2": CONV,
    "lfm2_moe": CONV,
    "longcat_flash": {"qk_head_dim": 16},
    "mamba2": {"num_heads": 8},
    "mobilebert": {"embedding_size": 32, "intra_bottleneck_size": 32},
    "nemotron": {"num_key_value_heads": 2},
    "neomme": {"head_dim": 16},
    "perceiver": {"d_latents": 32, "num_latents": 4, "image_size": 8, "train_size": [8, 8]},
    "qwen4_exp": {"text_config": SPARSE_INDEX},
    "qwen4_exp_text": SPARSE_INDEX,
    "xmod": {"default_language": "en_XX", "languages": ["en_XX"]},
    "zamba": {"attention_hidden_size": 64, "attention_head_dim": 16, "num_key_value_heads": 4},
    "zamba2": {"attention_hidden_size": 64, "attention_head_dim": 16, "num_key_value_heads": 4}
    | {"mamba_headdim": 8, "kv_channels": 8},
    "reformer": {"axial_pos_embds_dim": [8, 24], "axial_pos_shape": [8, 8], "feed_forward_size": 48}
    | {"local_attn_chunk_length": 8, "lsh_attn_chunk_length": 8},
}
"""Fields by family; a nested configuration's are merged into its own."""

ASSISTS = "it is no model of its own: it reads the keys and values of the model whose tokens it guesses"
SOUND = "it reads sound, without which transformers does not run it"
CODES = "it writes codes of sound, not text"
OWN_FOLDER = "AutoModelForCausalLM lists it, but does not open what transformers saves of it"
NOT_ALONE: dict[str, str] = {
    "blt": "it cuts bytes into patches by a second model; its configuration states no number of layers",
    "emu3": OWN_FOLDER,
    "gemma3n": "its encoder of pictures needs the package timm; its text part is gemma3n_text",
    "gemma4_assistant": ASSISTS,
    "gemma4_unified_assistant": ASSISTS,
    "mllama": OWN_FOLDER,
    "musicgen": CODES,
    "musicgen_melody": CODES,
    "xlstm": "it has no attention, only cells that keep a matrix, whose small sizes transformers does not fit together",
    "vibevoice_asr": SOUND,
    "voxtral_realtime": SOUND,
}
"""Why a small model of these families cannot be compared, where building or running it fails."""
