"""Export a model of ours as a folder that transformers loads, with equal logits; `hub_encoders` has other kinds.

Three families fit a decoder: Llama (RMS norm, rotary positions, SwiGLU), GPT-NeoX (layer norm, rotary positions) and
GPT-2 (layer norm, added positions). GPT-NeoX and GPT-2 have no grouped keys and values, so those are repeated; a
missing MLP becomes one that writes zeros.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from playground.errors import UserError
from playground.special_tokens import END, MASK, PAD, START, UNKNOWN
from playground.training.run.hub_classifiers import decoder_classifier, write_encoder_classifier
from playground.training.run.hub_encoders import other_module
from playground.training.run.hub_weights import (
    Weights,
    llama_settings,
    llama_weights,
    mlp_width,
    position_table,
    renamed_layer,
    scaled_embedding,
    ungrouped_query_key_value,
)
from playground.transformer import Transformer, TransformerConfig

SPECIAL = {"bos_token": START, "eos_token": END, "pad_token": PAD, "mask_token": MASK, "unk_token": UNKNOWN}
"""transformers' names of the special tokens, and ours."""


@dataclass(frozen=True, kw_only=True)
class HubFamily:
    """A family of models in transformers."""

    name: str
    """Its model_type."""
    settings: Callable[[TransformerConfig], dict[str, Any]]
    """Our configuration as its configuration."""
    weights: Callable[[Transformer], Weights]
    """Our weights under its names."""


def export_for_transformers(
    model: Transformer | Path | str, tokenizer: Tokenizer | None, out: Path, *, labels: Sequence[str] = ()
) -> Path:
    """Write config.json, model.safetensors (float32) and the tokenizer's files, and return the folder.

    model: one of ours, or a folder or name that `load` reads; then tokenizer None is the one beside its weights.
    labels: of its classifier, which is exported with them: a decoder's within the model, an encoder's beside it
    (`hub_classifiers`).
    Raises UserError for a shape that no family of transformers has, and where the folder cannot be written.
    """
    if not isinstance(model, Transformer):
        model, own_tokenizer = _load_own(str(model))
        tokenizer = tokenizer or own_tokenizer
    if tokenizer is None:
        raise UserError("The model has no tokenizer; pass one.")
    special = _special_token_ids(tokenizer)
    is_decoder = model.config.kind == "decoder"
    if is_decoder:
        module = _rebuild(model, family_of(model.config), special)
        module = decoder_classifier(module, model, labels) if labels else module
    else:
        module = other_module(model, special)
    try:
        out.mkdir(parents=True, exist_ok=True)
        module.save_pretrained(out)
        if labels and not is_decoder:
            write_encoder_classifier(out, model, labels)
        _wrap(tokenizer, model.config).save_pretrained(out)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError("{out} cannot be written ({reason}); choose another folder.", out=out, reason=reason) from error
    return out


def family_of(config: TransformerConfig) -> HubFamily:
    """The family that can hold a decoder. Raises UserError, with the reason, where none can."""
    if not config.residual:
        raise UserError("transformers has no decoder without residual connections; train one with them.")
    if config.norm_position == "post":
        raise UserError("transformers has no such decoder with its norms after the layers; train with them before.")
    if config.embedding_norm:
        raise UserError("transformers has no such decoder that norms its embeddings; train without embedding_norm.")
    positions = "rotary" if config.positions == "rotary" else "added"
    family = _FAMILIES.get((config.norm, positions))
    if family is None or config.feed_forward not in _FEED_FORWARDS[family.name]:
        raise UserError(
            "No family of transformers has {norm} norms, {positions} positions and a {feed_forward} "
            "feed-forward layer; train with rms, rotary and swiglu, or with layer and gelu.",
            norm=config.norm,
            positions=config.positions,
            feed_forward=config.feed_forward,
        )
    return family


def _load_own(name: str) -> tuple[Transformer, Tokenizer]:
    """One of our models from its folder or by its name."""
    from playground.models import load

    loaded = load(name, device="cpu", dtype="float32")
    if not isinstance(loaded.module, Transformer):
        raise UserError("{name} is in transformers' format already; copy its folder as it is.", name=name)
    return loaded.module, loaded.tokenizer


@torch.no_grad()
def _rebuild(model: Transformer, family: HubFamily, special: dict[str, int | None]) -> Any:
    """The model as transformers' class, every one of its weights taken from ours."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = model.config
    # The scale goes into the embedding, which the head must not share then.
    tied = config.tied and not config.scaled_embedding
    settings = {**family.settings(config), **special, "vocab_size": config.vocabulary, "tie_word_embeddings": tied}
    module = AutoModelForCausalLM.from_config(AutoConfig.for_model(family.name, **settings))
    weights = {name: tensor.detach().float().clone() for name, tensor in family.weights(model).items()}
    weights["lm_head.weight"] = model.head.weight.detach().float().clone()
    module.load_state_dict(weights, strict=True)
    return module.float().eval()


def _wrap(tokenizer: Tokenizer, config: TransformerConfig) -> Any:
    """The tokenizer as transformers', with our special tokens under its names for them."""
    from transformers import PreTrainedTokenizerFast

    present = {name: token for name, token in SPECIAL.items() if tokenizer.token_to_id(token) is not None}
    options = {"model_max_length": config.context, "clean_up_tokenization_spaces": False}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **options, **present)


def _special_token_ids(tokenizer: Tokenizer) -> dict[str, int | None]:
    """The ids that generation begins, ends and pads with; None for a token that the vocabulary lacks."""
    return {f"{name}_id": tokenizer.token_to_id(SPECIAL[name]) for name in ("bos_token", "eos_token", "pad_token")}


# Parts that the families share


def _norm_and_mlp(config: TransformerConfig, block: nn.Module, norm: str, up: str, down: str) -> Weights:
    """Norm and two-layer MLP; of an attention-only model, one hidden unit that writes zeros."""
    part: Any = block
    if config.feed_forward != "none":
        layers = {norm: part.feed_forward_norm, up: part.feed_forward.up, down: part.feed_forward.output}
        return {key: tensor for name, layer in layers.items() for key, tensor in renamed_layer(name, layer).items()}
    width = config.width
    sizes = {norm: (width,), up: (1, width), down: (width, 1)}
    weights = {f"{name}.weight": torch.zeros(size) for name, size in sizes.items()}
    return weights | {f"{name}.bias": torch.zeros(size[0]) for name, size in sizes.items()}


def _activation(config: TransformerConfig) -> str:
    return "relu" if config.feed_forward == "relu" else "gelu"


# GPT-NeoX


def _gpt_neox_settings(config: TransformerConfig) -> dict[str, Any]:
    return {
        "hidden_size": config.width,
        "intermediate_size": mlp_width(config),
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.n_heads,
        "max_position_embeddings": config.context,
        "layer_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0},
        "use_parallel_residual": False,
        "hidden_act": _activation(config),
        "attention_bias": True,
    }


def _gpt_neox_weights(model: Transformer) -> Weights:
    weights = {
        "gpt_neox.embed_in.weight": scaled_embedding(model),
        **renamed_layer("gpt_neox.final_layer_norm", model.norm),
    }
    for index, block in enumerate(model.blocks):
        part: Any = block
        # GPT-NeoX interleaves by head: query, key, value of head 0, then of head 1, …
        heads = [
            [t.view(model.config.n_heads, -1, *t.shape[1:]) for t in pair]
            for pair in ungrouped_query_key_value(part.attention, model.config)
        ]
        weight, bias = (torch.cat(tensors, dim=1).flatten(0, 1) for tensors in zip(*heads, strict=True))
        own = {
            **renamed_layer("input_layernorm", part.attention_norm),
            "attention.query_key_value.weight": weight,
            "attention.query_key_value.bias": bias,
            **renamed_layer("attention.dense", part.attention.output),
            **_norm_and_mlp(model.config, part, "post_attention_layernorm", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"),
        }
        weights |= {f"gpt_neox.layers.{index}.{name}": tensor for name, tensor in own.items()}
    return weights


# GPT-2


def _gpt2_settings(config: TransformerConfig) -> dict[str, Any]:
    return {
        "n_embd": config.width,
        "n_inner": mlp_width(config),
        "n_layer": config.layers,
        "n_head": config.n_heads,
        "n_positions": config.context,
        "layer_norm_epsilon": 1e-5,
        "activation_function": _activation(config),
    }


def _gpt2_weights(model: Transformer) -> Weights:
    weights: Weights = {
        "transformer.wte.weight": scaled_embedding(model),
        "transformer.wpe.weight": position_table(model, model.config),
        **renamed_layer("transformer.ln_f", model.norm),
    }
    for index, block in enumerate(model.blocks):
        part: Any = block
        weight, bias = (
            torch.cat(tensors) for tensors in zip(*ungrouped_query_key_value(part.attention, model.config), strict=True)
        )
        own = {
            **renamed_layer("ln_1", part.attention_norm),
            "attn.c_attn.weight": weight,
            "attn.c_attn.bias": bias,
            **renamed_layer("attn.c_proj", part.attention.output),
            **_norm_and_mlp(model.config, part, "ln_2", "mlp.c_fc", "mlp.c_proj"),
        }
        # GPT-2 stores its matrices transposed (Conv1D).
        transposed = {name: tensor.T if tensor.ndim == 2 else tensor for name, tensor in own.items()}
        weights |= {f"transformer.h.{index}.{name}": tensor for name, tensor in transposed.items()}
    return weights


_FAMILIES = {
    ("rms", "rotary"): HubFamily(name="llama", settings=llama_settings, weights=llama_weights),
    ("layer", "rotary"): HubFamily(name="gpt_neox", settings=_gpt_neox_settings, weights=_gpt_neox_weights),
    ("layer", "added"): HubFamily(name="gpt2", settings=_gpt2_settings, weights=_gpt2_weights),
}
_FEED_FORWARDS = {"llama": ("swiglu", "none"), "gpt_neox": ("gelu", "relu", "none"), "gpt2": ("gelu", "relu", "none")}
