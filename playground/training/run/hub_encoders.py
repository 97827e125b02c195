"""Encoders and encoder-decoders of ours as models of transformers, with equal logits.

Two families fit: EuroBERT (an encoder with RMS norm, rotary positions, SwiGLU) and Blenderbot (an encoder-decoder with
layer norm before each layer, added positions, GELU). A classifier of ours pools with tanh, as neither family does:
`hub_classifiers` puts it beside the encoder.
"""

from typing import Any

import torch

from playground.errors import UserError
from playground.training.run.hub_weights import (
    WeightAndBias,
    Weights,
    llama_settings,
    llama_weights,
    position_table,
    renamed_layer,
    scaled_embedding,
    ungrouped_query_key_value,
    ungrouped_weights,
    weight_and_bias,
)
from playground.transformer import Transformer, TransformerConfig


def check_other_family(config: TransformerConfig) -> None:
    """Raise UserError, with what to change, for an encoder or encoder-decoder that transformers has no family for."""
    lacking = _lacking(config)
    if lacking is not None:
        name, wanted = lacking
        raise UserError(
            "transformers has no {kind} with this {name}; train one with {wanted}.",
            kind=config.kind,
            name=name,
            wanted=wanted,
        )


def _lacking(config: TransformerConfig) -> tuple[str, str] | None:
    """The first field in which a shape differs from the family's, and what the family has."""
    if not config.residual:
        return "residual", "True"
    if config.embedding_norm:
        return "embedding_norm", "False"
    if config.norm_position != "pre":
        return "norm_position", "pre"
    if config.kind == "encoder":
        wanted: dict[str, tuple[str, ...]] = {
            "norm": ("rms",),
            "positions": ("rotary",),
            "feed_forward": ("swiglu",),
        }
    else:
        wanted = {
            "norm": ("layer",),
            "positions": ("learned", "sinusoidal", "none"),
            "feed_forward": ("gelu", "relu"),
        }
    for name, values in wanted.items():
        if getattr(config, name) not in values:
            return name, " or ".join(values)
    if config.kind == "encoder" and config.bias:
        return "bias", "False"
    return None


@torch.no_grad()
def other_module(model: Transformer, special: dict[str, int | None]) -> Any:
    """The model as transformers' class, every one of its weights taken from ours. Raises UserError for other shapes."""
    check_other_family(model.config)
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    is_encoder = model.config.kind == "encoder"
    settings = _eurobert_settings(model.config) if is_encoder else _blenderbot_settings(model.config, special)
    name, auto = ("eurobert", AutoModelForMaskedLM) if is_encoder else ("blenderbot", AutoModelForSeq2SeqLM)
    ids = {key: value for key, value in special.items() if value is not None}
    # A segment's or the scale's share goes into the embedding, which the head must not share then.
    values = {**ids, **settings, "vocab_size": model.config.vocabulary, "tie_word_embeddings": False}
    module = auto.from_config(AutoConfig.for_model(name, **values))
    weights = _eurobert_weights(model) if is_encoder else _blenderbot_weights(model)
    weights = {key: tensor.detach().float().clone() for key, tensor in weights.items()}
    module.load_state_dict(weights, strict=True)
    return module.float().eval()


# EuroBERT


def _eurobert_settings(config: TransformerConfig) -> dict[str, Any]:
    """Llama's, whose parts EuroBERT has; `check_other_family` has let no bias pass."""
    return {**llama_settings(config), "mlp_bias": False}


def _eurobert_weights(model: Transformer) -> Weights:
    """Of a model with segments the first one's vector is part of every token's embedding: texts without a pair."""
    part: Any = model
    weights = {**llama_weights(model), "lm_head.weight": part.head.weight}
    if model.config.segments:
        weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"] + part.segment.embedding.weight[0]
    return weights


# Blenderbot


def _blenderbot_settings(config: TransformerConfig, special: dict[str, int | None]) -> dict[str, Any]:
    stacks = {
        f"{stack}_{name}": value
        for stack in ("encoder", "decoder")
        for name, value in (
            ("layers", config.layers),
            ("attention_heads", config.n_heads),
            ("ffn_dim", config.hidden_width),
        )
    }
    return {
        **stacks,
        "d_model": config.width,
        "max_position_embeddings": config.context,
        "activation_function": config.feed_forward,
        "scale_embedding": False,
        "decoder_start_token_id": special.get("bos_token_id"),
        "forced_eos_token_id": None,
        "dropout": 0.0,
    }


def _blenderbot_weights(model: Transformer) -> Weights:
    part: Any = model
    embedding = scaled_embedding(model)
    weights: Weights = {"model.shared.weight": embedding, "lm_head.weight": part.head.weight}
    weights["final_logits_bias"] = torch.zeros(1, model.config.vocabulary)
    for stack, own in (("encoder", part.encoder), ("decoder", part)):
        weights[f"model.{stack}.embed_tokens.weight"] = embedding
        weights[f"model.{stack}.embed_positions.weight"] = position_table(own, model.config)
        weights |= renamed_layer(f"model.{stack}.layer_norm", own.norm)
        for index, block in enumerate(own.blocks):
            named = _blenderbot_block(block, model.config)
            weights |= {f"model.{stack}.layers.{index}.{name}": tensor for name, tensor in named.items()}
    return weights


def _blenderbot_block(block: Any, config: TransformerConfig) -> Weights:
    own = {
        **renamed_layer("self_attn_layer_norm", block.attention_norm),
        **renamed_layer("self_attn.out_proj", block.attention.output),
        **renamed_layer("final_layer_norm", block.feed_forward_norm),
        **renamed_layer("fc1", block.feed_forward.up),
        **renamed_layer("fc2", block.feed_forward.output),
        **_projections("self_attn", ungrouped_query_key_value(block.attention, config)),
    }
    if hasattr(block, "cross_attention"):
        own |= _projections("encoder_attn", _cross_projections(block.cross_attention, config))
        own |= renamed_layer("encoder_attn.out_proj", block.cross_attention.output)
        own |= renamed_layer("encoder_attn_layer_norm", block.cross_attention_norm)
    return own


def _cross_projections(cross: Any, config: TransformerConfig) -> list[WeightAndBias]:
    """Query, key and value of a cross-attention layer, whose query is a matrix of its own."""
    weight, bias = weight_and_bias(cross.key_value)
    pairs = zip(weight.chunk(2), bias.chunk(2), strict=True)
    return [weight_and_bias(cross.query), *(ungrouped_weights(pair, config) for pair in pairs)]


def _projections(name: str, pairs: list[WeightAndBias]) -> Weights:
    named: Weights = {}
    for letter, (weight, bias) in zip("qkv", pairs, strict=True):
        named |= {f"{name}.{letter}_proj.weight": weight, f"{name}.{letter}_proj.bias": bias}
    return named
