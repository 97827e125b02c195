"""Count what a model of a shape needs: parameters, FLOPs, activations kept for the backward pass.

A multiply-add is two FLOPs. Attention is counted over the whole square of positions, masked ones included, as in
Hoffmann et al. 2022, appendix F. Kaplan et al. 2020, section 2.1, leave attention out: 6 FLOPs per parameter and token.
"""

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import torch

from playground.transformer import Transformer, TransformerConfig

PARTS = ("cross_attention", "attention", "feed_forward", "position", "segment", "embedding", "head", "classifier")
MATRICES = {"swiglu": 3, "gelu": 2, "relu": 2, "none": 0}
"""Matrices in an MLP."""
HIDDEN_KEPT = {"swiglu": 4, "gelu": 2, "relu": 2, "none": 0}
"""Activations of the hidden width that an MLP keeps for the backward pass."""

SHAPES = 256
"""Size of the cache of parameter counts: a page asks several times for the shape that is being edited."""


def parameters_by_part(shape: TransformerConfig) -> dict[str, int]:
    """The exact number of parameters of each part, shared ones once; counted without allocating them.

    All blocks of a stack are alike: two models of one and two blocks say what any number of them has.
    """
    one, two = _counted(replace(shape, layers=1)), _counted(replace(shape, layers=2))
    return {part: one[part] + (shape.layers - 1) * (two[part] - one[part]) for part in one}


@lru_cache(maxsize=SHAPES)
def _counted(shape: TransformerConfig) -> Counter[str]:
    with torch.device("meta"):
        model = Transformer(shape)
    counts: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        counts[_part(name)] += parameter.numel()
    return counts


def _part(name: str) -> str:
    """The part of the model that owns a parameter."""
    steps = name.split(".")
    if any(step.endswith("norm") for step in steps):
        return "norms"
    return next(part for part in PARTS if part in steps)


def product_flops(shape: TransformerConfig, length: int) -> dict[str, int]:
    """FLOPs by part of one forward pass over one row of `length` tokens, and a target as long.

    The embedding is a lookup and costs none.
    """
    shared = shape.n_key_value_heads * shape.head_width
    projections = 2 * length * shape.width * (2 * shape.width + 2 * shared)
    mlp = 2 * length * MATRICES[shape.feed_forward] * shape.width * shape.hidden_width
    scores_and_values = 2 * 2 * length * length * shape.width
    return {
        "projections": total_attention_layers(shape) * projections,
        "attention": total_attention_layers(shape) * scores_and_values,
        "feed_forward": total_layers(shape) * mlp,
        "head": 2 * length * shape.width * shape.vocabulary,
    }


def embedding_flops(shape: TransformerConfig, length: int) -> int:
    """FLOPs of the embedding as a product with one-hot rows, which Hoffmann et al. count and no machine computes."""
    return n_stacks(shape) * 2 * length * shape.width * shape.vocabulary


def n_stacks(shape: TransformerConfig) -> int:
    """Stacks of blocks: an encoder-decoder has two."""
    return 2 if shape.kind == "encoder-decoder" else 1


def total_layers(shape: TransformerConfig) -> int:
    """Layers of all stacks."""
    return n_stacks(shape) * shape.layers


def total_attention_layers(shape: TransformerConfig) -> int:
    """Attention layers of all stacks, cross-attention included."""
    return total_layers(shape) + (shape.layers if shape.kind == "encoder-decoder" else 0)


def activations(shape: TransformerConfig, length: int) -> int:
    """Activations of one row that the forward pass keeps for the backward pass."""
    per_token = total_attention_layers(shape) * _attention_kept(shape) + total_layers(shape) * _feed_forward_kept(shape)
    ends = (2 + n_stacks(shape)) * shape.width + 2 * shape.vocabulary
    return length * (per_token + ends)


def _attention_kept(shape: TransformerConfig) -> int:
    """Per token: the norm's input and output, queries, keys, values, and the weighted sum of the values."""
    shared = shape.n_key_value_heads * shape.head_width
    rotated = shape.width + shared if shape.positions == "rotary" else 0
    return 3 * shape.width + _normed(shape) + 2 * shared + rotated + _dropped(shape)


def _feed_forward_kept(shape: TransformerConfig) -> int:
    """Per token: the norm's input and output, and the hidden activations."""
    if shape.feed_forward == "none":
        return 0
    return shape.width + _normed(shape) + HIDDEN_KEPT[shape.feed_forward] * shape.hidden_width + _dropped(shape)


def _normed(shape: TransformerConfig) -> int:
    """A norm's output; without norms the layer reads what stands there already."""
    return 0 if shape.norm == "none" else shape.width


def _dropped(shape: TransformerConfig) -> int:
    return shape.width if shape.dropout else 0
