"""The transformer, in one file: embed, attend, feed forward, predict.

A decoder or an encoder is one stack of blocks; an encoder-decoder is two, and the decoder's blocks also attend to the
encoder's output. Width is d_model; hidden is the inner width of the feed-forward layer. Vaswani et al. 2017 (the
architecture), Devlin et al. 2019 (segments, classifier), Shazeer 2020 (SwiGLU), Zhang and Sennrich 2019 (RMS norm),
Ainslie et al. 2023 (grouped-query attention), Xiong et al. 2020 (pre-norm and post-norm), Elhage et al. 2021
(attention-only models).
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from playground import layers
from playground.attention import attend
from playground.errors import UserError
from playground.layers import FeedForwardLayer, Rotary, SinusoidalPositions, SwiGLU
from playground.transformer_config import ModelKind, NormPosition, TransformerConfig, check_choice, check_count

__all__ = [
    "FeedForwardLayer",
    "ModelKind",
    "Rotary",
    "SinusoidalPositions",
    "SwiGLU",
    "Transformer",
    "TransformerConfig",
    "check_choice",
    "check_count",
]


class Stack(nn.Module):
    """Embedding, blocks and final norm."""

    def __init__(self, config: TransformerConfig, kind: ModelKind, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding = embedding
        self.segment = layers.segment_embedding(config)
        self.position = layers.ADDED_POSITIONS[config.positions](config)
        self.embedding_norm = layers.norm(config) if config.embedding_norm else nn.Identity()
        self.dropout = layers.dropout(config)
        self.blocks = nn.ModuleList(BLOCKS[kind](config) for _ in range(config.layers))
        self.norm = layers.norm(config) if config.norm_position == "pre" else nn.Identity()
        self.mask = MASKS[kind]

    def residual(
        self,
        ids: Int[Tensor, "batch token"],
        *source: Tensor | None,
        segments: Int[Tensor, "batch token"] | None = None,
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch token width"]:
        """The residual stream after the last block, before the final norm.

        source, for cross-attention: the encoder's output, and the mask of its tokens.
        """
        embedded = self.position(self.segment(self.embedding(ids), segments))
        residual: Tensor = self.dropout(self.embedding_norm(embedded))
        seen = None if mask is None else self.mask(mask)
        for block in self.blocks:
            residual = block(residual, seen, *source)
        return residual


class Transformer(Stack):
    """Token ids to logits. In an encoder-decoder this stack is the decoder, and `encoder` is the other one.

    mask is True at real tokens; None if no row is padded.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config, config.kind, layers.embedding(config))
        self.config = config
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        if config.tied:
            self.head.weight = self.embedding.weight
        self.classifier = layers.classifier(config)
        # One vocabulary, one embedding: section 3.4 of Vaswani et al. 2017.
        self.encoder = Stack(config, "encoder", self.embedding) if config.kind == "encoder-decoder" else None
        self.apply(layers.initialise)
        added = [*self.blocks, *(self.encoder.blocks if self.encoder else ())] if config.residual else []
        for block in added:
            layers.shrink_residual_writers(block, config.layers)

    def forward(
        self,
        ids: Int[Tensor, "batch token"],
        target_ids: Int[Tensor, "batch position"] | None = None,
        *,
        segments: Int[Tensor, "batch token"] | None = None,
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch _ vocabulary"]:
        """Logits at each token: of the next token (decoder), or of the token itself (encoder)."""
        logits: Tensor = self.head(self.read(ids, target_ids, segments=segments, mask=mask))
        return logits

    def read(
        self,
        ids: Int[Tensor, "batch token"],
        target_ids: Int[Tensor, "batch position"] | None = None,
        *,
        segments: Int[Tensor, "batch token"] | None = None,
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch _ width"]:
        """The residual stream after the final norm, which the output head reads.

        Raises UserError for an encoder-decoder without a target.
        """
        encoded = self.encode(ids, segments, mask)
        if self.encoder is None:
            return encoded
        if target_ids is None:
            raise UserError("An encoder-decoder reads a source and a target; give it both.")
        return self.decode(target_ids, encoded, mask)

    def encode(
        self,
        ids: Int[Tensor, "batch token"],
        segments: Int[Tensor, "batch token"] | None = None,
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch token width"]:
        """Run the encoder, or the only stack there is, and its final norm."""
        stack = self.encoder or self
        encoded: Tensor = stack.norm(stack.residual(ids, segments=segments, mask=mask))
        return encoded

    def decode(
        self,
        target_ids: Int[Tensor, "batch position"],
        encoded: Float[Tensor, "batch token width"],
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch position width"]:
        """Run an encoder-decoder's decoder on a target, given the encoded source and the source's mask."""
        decoded: Tensor = self.norm(self.residual(target_ids, encoded, None if mask is None else all_real(mask)))
        return decoded

    def classify(self, read: Float[Tensor, "batch token width"], mask: Tensor | None = None) -> Tensor:
        """Class logits [batch, class], from an encoder's first token or a decoder's last; UserError without classes."""
        logits: Tensor = self.classifier(read, mask)
        return logits


class Block(nn.Module):
    """Self-attention and a feed-forward layer, each with its norm and residual connection."""

    def __init__(self, config: TransformerConfig, *, is_causal: bool) -> None:
        super().__init__()
        self.attention_norm = layers.norm(config)
        self.attention = Attention(config, is_causal=is_causal)
        self.feed_forward_norm = layers.norm(config) if config.feed_forward != "none" else nn.Identity()
        self.feed_forward = layers.FEED_FORWARDS[config.feed_forward](config)
        self.dropout = layers.dropout(config)
        self.add = RESIDUALS[config.norm_position, config.residual]
        self.add_feed_forward = identity if config.feed_forward == "none" else self.add

    def forward(
        self, residual: Float[Tensor, "batch token width"], seen: Bool[Tensor, "batch 1 _ token"] | None = None
    ) -> Float[Tensor, "batch token width"]:
        residual = self.add(residual, self.attention_norm, self.dropout, self.attention, seen)
        return self.add_feed_forward(residual, self.feed_forward_norm, self.dropout, self.feed_forward)


class CrossBlock(Block):
    """A decoder's block with cross-attention to the encoded source between self-attention and feed-forward layer."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config, is_causal=True)
        self.cross_attention_norm = layers.norm(config)
        self.cross_attention = CrossAttention(config)

    def forward(
        self,
        residual: Float[Tensor, "batch position width"],
        seen: Bool[Tensor, "batch 1 _ position"] | None = None,
        *source: Tensor | None,
    ) -> Float[Tensor, "batch position width"]:
        residual = self.add(residual, self.attention_norm, self.dropout, self.attention, seen)
        residual = self.add(residual, self.cross_attention_norm, self.dropout, self.cross_attention, *source)
        return self.add_feed_forward(residual, self.feed_forward_norm, self.dropout, self.feed_forward)


def pre_norm(residual: Tensor, norm: nn.Module, drop: nn.Module, layer: nn.Module, *seen: Tensor | None) -> Tensor:
    """Norm the layer's input; the residual stream itself is never normed. Xiong et al. 2020."""
    added: Tensor = residual + drop(layer(norm(residual), *seen))
    return added


def post_norm(residual: Tensor, norm: nn.Module, drop: nn.Module, layer: nn.Module, *seen: Tensor | None) -> Tensor:
    """Norm the sum of the residual stream and the layer's output. Vaswani et al. 2017, sections 3.1 and 5.4."""
    normed: Tensor = norm(residual + drop(layer(residual, *seen)))
    return normed


def pre_norm_alone(
    residual: Tensor, norm: nn.Module, drop: nn.Module, layer: nn.Module, *seen: Tensor | None
) -> Tensor:
    """Norm the layer's input, and let its output take the stream's place: no residual connection."""
    written: Tensor = drop(layer(norm(residual), *seen))
    return written


def post_norm_alone(
    residual: Tensor, norm: nn.Module, drop: nn.Module, layer: nn.Module, *seen: Tensor | None
) -> Tensor:
    """Norm the layer's output, which takes the stream's place: no residual connection."""
    written: Tensor = norm(drop(layer(residual, *seen)))
    return written


def identity(residual: Tensor, *_: Any) -> Tensor:
    """The unchanged residual stream, for a layer that the model does not have."""
    return residual


class Attention(nn.Module):
    """Multi-head self-attention; one projection computes the queries, keys and values of all heads."""

    def __init__(self, config: TransformerConfig, *, is_causal: bool) -> None:
        super().__init__()
        self.is_causal = is_causal
        self.head_width = config.head_width
        self.scaling = config.head_width**-0.5
        self.counts = [config.n_heads, config.n_key_value_heads, config.n_key_value_heads]
        self.sizes = [count * config.head_width for count in self.counts]
        self.query_key_value = nn.Linear(config.width, sum(self.sizes), bias=config.bias)
        self.output = nn.Linear(config.width, config.width, bias=config.bias)
        self.rotate = Rotary(config) if config.positions == "rotary" else nn.Identity()
        self.split = layers.HEAD_SPLITS[config.positions == "rotary"]

    def forward(
        self, x: Float[Tensor, "batch token width"], seen: Bool[Tensor, "batch 1 _ token"] | None = None
    ) -> Float[Tensor, "batch token width"]:
        heads = self.query_key_value(x).unflatten(-1, (-1, self.head_width))
        # Split before the transpose: the gradients are then contiguous, and no copy is needed.
        query, key, value = self.split(heads, self.counts, self.rotate)
        query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
        z, _ = attend(self, query, key, value, seen, scaling=self.scaling)
        written: Tensor = self.output(z.flatten(-2))
        return written


class CrossAttention(nn.Module):
    """Queries from the target, keys and values from the encoded source. Vaswani et al. 2017, section 3.2.3."""

    is_causal = False

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.head_width = config.head_width
        self.scaling = config.head_width**-0.5
        self.query = nn.Linear(config.width, config.width, bias=config.bias)
        self.key_value = nn.Linear(config.width, 2 * config.n_key_value_heads * config.head_width, bias=config.bias)
        self.output = nn.Linear(config.width, config.width, bias=config.bias)

    def forward(
        self,
        x: Float[Tensor, "batch position width"],
        encoded: Float[Tensor, "batch token width"],
        seen: Bool[Tensor, "batch 1 1 token"] | None = None,
    ) -> Float[Tensor, "batch position width"]:
        query = split_heads(self.query(x), self.head_width)
        key, value = split_heads(self.key_value(encoded), self.head_width).chunk(2, dim=1)
        z, _ = attend(self, query, key, value, seen, scaling=self.scaling)
        written: Tensor = self.output(z.flatten(-2))
        return written


def split_heads(x: Float[Tensor, "batch token _"], head_width: int) -> Float[Tensor, "batch head token {head_width}"]:
    """A projection's output, cut into heads: [2, 5, 32] becomes [2, 4, 5, 8] for a head width of 8."""
    return x.view(x.shape[0], x.shape[1], -1, head_width).transpose(1, 2)


def all_real(mask: Bool[Tensor, "batch token"]) -> Bool[Tensor, "batch 1 1 token"]:
    """Mask of an encoder or of cross-attention: every query sees every real token."""
    return mask[:, None, None]


def earlier_real(mask: Bool[Tensor, "batch token"]) -> Bool[Tensor, "batch 1 token token"]:
    """Mask of a decoder: a query sees the real tokens up to its own. Padding sees itself, so that no row is empty."""
    length = mask.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    return (mask[:, None] & earlier | torch.eye(length, dtype=torch.bool, device=mask.device))[:, None]


RESIDUALS: dict[tuple[NormPosition, bool], Callable[..., Tensor]] = {
    ("pre", True): pre_norm,
    ("post", True): post_norm,
    ("pre", False): pre_norm_alone,
    ("post", False): post_norm_alone,
}
"""By the norms' position, and whether there are residual connections."""
BLOCKS: dict[ModelKind, Callable[[TransformerConfig], nn.Module]] = {
    "decoder": lambda config: Block(config, is_causal=True),
    "encoder": lambda config: Block(config, is_causal=False),
    "encoder-decoder": CrossBlock,
}
MASKS: dict[ModelKind, Callable[[Tensor], Tensor]] = {
    "decoder": earlier_real,
    "encoder": all_real,
    "encoder-decoder": earlier_real,
}
