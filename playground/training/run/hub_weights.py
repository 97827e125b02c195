"""Weights of ours under the names of families of transformers: what the families share, and Llama's."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from playground.transformer import Transformer, TransformerConfig

Weights = dict[str, Tensor]
WeightAndBias = tuple[Tensor, Tensor]


def scaled_embedding(model: Transformer) -> Tensor:
    """The embedding with its scale, which no family has."""
    scale = math.sqrt(model.config.width) if model.config.scaled_embedding else 1.0
    return model.embedding.weight * scale


def weight_and_bias(layer: nn.Module) -> WeightAndBias:
    """Of a linear layer or norm; a missing bias is zeros."""
    weight: Any = layer.weight
    bias: Any = getattr(layer, "bias", None)
    return weight, torch.zeros(len(weight)) if bias is None else bias


def query_key_value(attention: Any) -> list[WeightAndBias]:
    """Weight and bias of query, key and value of a self-attention layer."""
    weight, bias = (torch.split(tensor, attention.sizes) for tensor in weight_and_bias(attention.query_key_value))
    return list(zip(weight, bias, strict=True))


def ungrouped_weights(pair: WeightAndBias, config: TransformerConfig) -> WeightAndBias:
    """Keys or values with as many heads as there are queries: each group's is repeated."""

    def repeat(tensor: Tensor) -> Tensor:
        heads = tensor.view(config.n_key_value_heads, config.head_width, *tensor.shape[1:])
        return heads.repeat_interleave(config.n_heads // config.n_key_value_heads, 0).flatten(0, 1)

    weight, bias = pair
    return repeat(weight), repeat(bias)


def ungrouped_query_key_value(attention: Any, config: TransformerConfig) -> list[WeightAndBias]:
    """Query, key and value of a self-attention layer with as many key heads as query heads."""
    query, *shared = query_key_value(attention)
    return [query, *(ungrouped_weights(pair, config) for pair in shared)]


def renamed_layer(name: str, layer: nn.Module) -> Weights:
    """Weight and bias of a linear layer or norm under a new name."""
    weight, bias = weight_and_bias(layer)
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def position_table(stack: Any, config: TransformerConfig) -> Tensor:
    """What is added at each position, a row for each."""
    if config.positions == "learned":
        learned: Tensor = stack.position.embedding.weight
        return learned
    if config.positions == "sinusoidal":
        table: Tensor = stack.position.table
        return table
    return torch.zeros(config.context, config.width)


def mlp_width(config: TransformerConfig) -> int:
    """Of an attention-only model the one hidden unit that writes zeros."""
    return 1 if config.feed_forward == "none" else config.hidden_width


def llama_settings(config: TransformerConfig) -> dict[str, Any]:
    """Of a model with RMS norm, rotary positions and SwiGLU."""
    return {
        "hidden_size": config.width,
        "intermediate_size": mlp_width(config),
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_key_value_heads,
        "head_dim": config.head_width,
        "max_position_embeddings": config.context,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "attention_bias": config.bias,
        "hidden_act": "silu",
    }


def llama_weights(model: Transformer) -> Weights:
    """Under the names of Llama, which EuroBERT took over; without the head's."""
    norm: Any = model.norm
    weights: Weights = {"model.embed_tokens.weight": scaled_embedding(model), "model.norm.weight": norm.weight}
    for index, block in enumerate(model.blocks):
        part: Any = block
        own = {"input_layernorm.weight": part.attention_norm.weight, **_llama_feed_forward(model.config, part)}
        names = ("q_proj", "k_proj", "v_proj")
        for name, (weight, bias) in zip(names, query_key_value(part.attention), strict=True):
            own |= {f"self_attn.{name}.weight": weight, f"self_attn.{name}.bias": bias}
        own |= renamed_layer("self_attn.o_proj", part.attention.output)
        kept = {name: tensor for name, tensor in own.items() if model.config.bias or not name.endswith(".bias")}
        weights |= {f"model.layers.{index}.{name}": tensor for name, tensor in kept.items()}
    return weights


def _llama_feed_forward(config: TransformerConfig, block: Any) -> Weights:
    """Gated MLP and its norm; of an attention-only model, one hidden unit that writes zeros."""
    names = ("post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
    if config.feed_forward == "none":
        width = config.width
        tensors = [torch.zeros(size) for size in ((width,), (1, width), (1, width), (width, 1))]
    else:
        layer = block.feed_forward
        tensors = [part.weight for part in (block.feed_forward_norm, layer.gate, layer.up, layer.output)]
    return {f"{name}.weight": tensor for name, tensor in zip(names, tensors, strict=True)}
