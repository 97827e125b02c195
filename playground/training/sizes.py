"""Sizes of a shape, by counting: parameters, floating-point operations, numbers kept for the backward pass.

Operations are two for each multiply and add. Attention is counted over the whole square of positions, masked ones
included, as in Hoffmann et al. 2022, appendix F; Kaplan et al. 2020, section 2.1, leave attention out, and count 6
operations for each parameter and token.
"""

from collections import Counter
from functools import lru_cache

import torch

from playground.transformer import Transformer, TransformerConfig

PARTS = ("cross_attention", "attention", "feed_forward", "position", "segment", "embedding", "head", "classifier")
MATRICES = {"swiglu": 3, "gelu": 2, "relu": 2, "none": 0}
"""How many matrices a feed-forward layer multiplies with."""
HIDDEN_KEPT = {"swiglu": 4, "gelu": 2, "relu": 2, "none": 0}
"""How many hidden layers' worth of numbers it keeps for the backward pass."""

SHAPES = 256
"""Whose parameters are remembered: a page asks several times for the one that is being edited."""


def parameters_by_part(shape: TransformerConfig) -> dict[str, int]:
    """The exact number of parameters of each part, shared ones once; counted without making them."""
    return dict(_counted(shape))


@lru_cache(maxsize=SHAPES)
def _counted(shape: TransformerConfig) -> Counter[str]:
    with torch.device("meta"):
        model = Transformer(shape)
    counts: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        counts[_part(name)] += parameter.numel()
    return counts


def _part(name: str) -> str:
    """The part that a parameter belongs to, by its name."""
    steps = name.split(".")
    if any(step.endswith("norm") for step in steps):
        return "norms"
    return next(part for part in PARTS if part in steps)


def product_flops(shape: TransformerConfig, length: int) -> dict[str, int]:
    """The operations of one forward pass over one row of `length` tokens, and a target as long, by part.

    The embedding is a lookup and multiplies nothing.
    """
    shared = shape.n_key_value_heads * shape.head_width
    projections = 2 * length * shape.width * (2 * shape.width + 2 * shared)
    scores_and_values = 2 * 2 * length * length * shape.width
    return {
        "projections": attentions(shape) * projections,
        "attention": attentions(shape) * scores_and_values,
        "feed_forward": layers(shape) * 2 * length * MATRICES[shape.feed_forward] * shape.width * shape.hidden_width,
        "head": 2 * length * shape.width * shape.vocabulary,
    }


def embedding_flops(shape: TransformerConfig, length: int) -> int:
    """Of the embedding as a product with one-hot rows, as Hoffmann et al. count it; no machine carries it out."""
    return stacks(shape) * 2 * length * shape.width * shape.vocabulary


def stacks(shape: TransformerConfig) -> int:
    """How many stacks of blocks there are."""
    return 2 if shape.kind == "encoder-decoder" else 1


def layers(shape: TransformerConfig) -> int:
    """The layers of all stacks."""
    return stacks(shape) * shape.layers


def attentions(shape: TransformerConfig) -> int:
    """The attention layers of all stacks, crossing ones included."""
    return layers(shape) + (shape.layers if shape.kind == "encoder-decoder" else 0)


def activations(shape: TransformerConfig, length: int) -> int:
    """How many numbers of one row the forward pass keeps for the backward pass."""
    per_token = attentions(shape) * _attention_kept(shape) + layers(shape) * _feed_forward_kept(shape)
    ends = (2 + stacks(shape)) * shape.width + 2 * shape.vocabulary
    return length * (per_token + ends)


def _attention_kept(shape: TransformerConfig) -> int:
    """Of one token: what the norm reads and gives, queries, keys and values, and the mixed values."""
    shared = shape.n_key_value_heads * shape.head_width
    turned = shape.width + shared if shape.positions == "rotary" else 0
    return 4 * shape.width + 2 * shared + turned + _dropped(shape)


def _feed_forward_kept(shape: TransformerConfig) -> int:
    """Of one token: what the norm reads and gives, and what stands between the matrices."""
    if shape.feed_forward == "none":
        return 0
    return 2 * shape.width + HIDDEN_KEPT[shape.feed_forward] * shape.hidden_width + _dropped(shape)


def _dropped(shape: TransformerConfig) -> int:
    return shape.width if shape.dropout else 0
