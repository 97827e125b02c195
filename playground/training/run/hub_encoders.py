"""Encoders and encoder-decoders of ours as models of transformers, with equal logits.

Two families fit: EuroBERT (an encoder with RMS norm, rotary positions, SwiGLU) and Blenderbot (an encoder-decoder with
layer norm before each layer, added positions, GELU). A classifier of ours pools with tanh, as neither family does:
its encoder and its output head are exported, the classifier is not.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.transformer import Transformer, TransformerConfig

Weights = dict[str, Tensor]


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


def _parts(attention: Any) -> list[tuple[Tensor, Tensor | None]]:
    """Weight and bias of query, key and value of a self-attention layer."""
    fused = attention.query_key_value
    biases = [None] * 3 if fused.bias is None else fused.bias.split(attention.sizes)
    return list(zip(fused.weight.split(attention.sizes), biases, strict=True))


# EuroBERT


def _eurobert_settings(config: TransformerConfig) -> dict[str, Any]:
    return {
        "hidden_size": config.width,
        "intermediate_size": config.hidden_width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_key_value_heads,
        "head_dim": config.head_width,
        "max_position_embeddings": config.context,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "attention_bias": False,
        "mlp_bias": False,
        "hidden_act": "silu",
    }


def _eurobert_weights(model: Transformer) -> Weights:
    """Of a model with segments the first one's vector is part of every token's embedding: texts without a pair."""
    part: Any = model
    embedding = model.embedding.weight * (math.sqrt(model.config.width) if model.config.scaled_embedding else 1.0)
    if model.config.segments:
        embedding = embedding + part.segment.embedding.weight[0]
    weights: Weights = {"model.embed_tokens.weight": embedding, "model.norm.weight": part.norm.weight}
    for index, each in enumerate(model.blocks):
        block: Any = each
        own = {
            "input_layernorm.weight": block.attention_norm.weight,
            "post_attention_layernorm.weight": block.feed_forward_norm.weight,
            "self_attn.o_proj.weight": block.attention.output.weight,
            "mlp.gate_proj.weight": block.feed_forward.gate.weight,
            "mlp.up_proj.weight": block.feed_forward.up.weight,
            "mlp.down_proj.weight": block.feed_forward.output.weight,
        }
        for name, (weight, _bias) in zip("qkv", _parts(block.attention), strict=True):
            own[f"self_attn.{name}_proj.weight"] = weight
        weights |= {f"model.layers.{index}.{name}": tensor for name, tensor in own.items()}
    return weights | {"lm_head.weight": part.head.weight}


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
    embedding = model.embedding.weight * (math.sqrt(model.config.width) if model.config.scaled_embedding else 1.0)
    weights: Weights = {"model.shared.weight": embedding, "lm_head.weight": part.head.weight}
    weights["final_logits_bias"] = torch.zeros(1, model.config.vocabulary)
    for stack, own in (("encoder", part.encoder), ("decoder", part)):
        weights[f"model.{stack}.embed_tokens.weight"] = embedding
        weights[f"model.{stack}.embed_positions.weight"] = _positions(own, model.config)
        weights |= _pair(f"model.{stack}.layer_norm", own.norm)
        for index, block in enumerate(own.blocks):
            named = _blenderbot_block(block, repeats=model.config.n_heads // model.config.n_key_value_heads)
            weights |= {f"model.{stack}.layers.{index}.{name}": tensor for name, tensor in named.items()}
    return weights


def _blenderbot_block(block: Any, *, repeats: int) -> Weights:
    query, *shared = _parts(block.attention)
    projections = [query, *(_ungrouped(pair, block.attention.head_width, repeats) for pair in shared)]
    own = {
        **_pair("self_attn_layer_norm", block.attention_norm),
        **_pair("self_attn.out_proj", block.attention.output),
        **_pair("final_layer_norm", block.feed_forward_norm),
        **_pair("fc1", block.feed_forward.up),
        **_pair("fc2", block.feed_forward.output),
    }
    own |= _projections("self_attn", projections)
    if hasattr(block, "cross_attention"):
        cross = block.cross_attention
        weights, bias = cross.key_value.weight.chunk(2), cross.key_value.bias
        biases = (None, None) if bias is None else bias.chunk(2)
        pairs = [_ungrouped(pair, cross.head_width, repeats) for pair in zip(weights, biases, strict=True)]
        own |= _projections("encoder_attn", [(cross.query.weight, cross.query.bias), *pairs])
        own |= _pair("encoder_attn.out_proj", cross.output) | _pair(
            "encoder_attn_layer_norm", block.cross_attention_norm
        )
    return own


def _ungrouped(pair: tuple[Tensor, Tensor | None], head_width: int, repeats: int) -> tuple[Tensor, Tensor | None]:
    """Keys or values with as many heads as there are queries: each group's is repeated."""

    def repeat(tensor: Tensor) -> Tensor:
        return tensor.view(-1, head_width, *tensor.shape[1:]).repeat_interleave(repeats, 0).flatten(0, 1)

    weight, bias = pair
    return repeat(weight), None if bias is None else repeat(bias)


def _projections(name: str, pairs: list[tuple[Tensor, Tensor | None]]) -> Weights:
    named: Weights = {}
    for letter, (weight, bias) in zip("qkv", pairs, strict=True):
        named[f"{name}.{letter}_proj.weight"] = weight
        named[f"{name}.{letter}_proj.bias"] = torch.zeros(len(weight)) if bias is None else bias
    return named


def _pair(name: str, layer: nn.Module) -> Weights:
    weight: Any = layer.weight
    bias: Any = getattr(layer, "bias", None)
    return {f"{name}.weight": weight, f"{name}.bias": torch.zeros(len(weight)) if bias is None else bias}


def _positions(stack: Any, config: TransformerConfig) -> Tensor:
    """One row for each position."""
    if config.positions == "learned":
        learned: Tensor = stack.position.embedding.weight
        return learned
    if config.positions == "sinusoidal":
        table: Tensor = stack.position.table
        return table
    return torch.zeros(config.context, config.width)
