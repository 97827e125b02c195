"""What a token's vector says besides the token: where it stands, and which sentence it is from."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from playground.transformer_config import TransformerConfig


class Rotary(nn.Module):
    """Turn each pair of numbers of a query or key by an angle that grows with its position.

    The pairs are (i, i + half), as in Llama; the frequencies are 10000^(-2i/width). Su et al. 2021, section 3.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        frequencies = 10000.0 ** (-torch.arange(0, config.head_width, 2) / config.head_width)
        angles = torch.arange(config.context)[:, None] * frequencies
        signs = torch.tensor([-1.0, 1.0]).repeat_interleave(config.head_width // 2)
        self.register_buffer("cosine", angles.cos().repeat(1, 2), persistent=False)
        self.register_buffer("sine", angles.sin().repeat(1, 2) * signs, persistent=False)

    def forward(self, x: Float[Tensor, "batch head token width"]) -> Float[Tensor, "batch head token width"]:
        length, half = x.shape[-2], x.shape[-1] // 2
        return torch.addcmul(x * self.cosine[:length], x.roll(half, -1), self.sine[:length])


class LearnedPositions(nn.Module):
    """Add a trained vector to each position (GPT-2, BERT)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.context, config.width)

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        return x + self.embedding.weight[: x.shape[1]]


class SinusoidalPositions(nn.Module):
    """Add sines and cosines of falling frequency. Vaswani et al. 2017, section 3.5."""

    table: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        half = (config.width + 1) // 2
        angles = torch.arange(config.context)[:, None] * 10000.0 ** (-torch.arange(half) / half)
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, : config.width]
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        return x + self.table[: x.shape[1]]


class ScaledEmbedding(nn.Embedding):
    """Token embeddings times the square root of the width. Vaswani et al. 2017, section 3.4."""

    def forward(self, ids: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token width"]:
        return super().forward(ids) * math.sqrt(self.embedding_dim)


class SegmentEmbedding(nn.Module):
    """Add a trained vector for the sentence that a token is from; segments None is the first everywhere."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.segments, config.width)

    def forward(
        self, x: Float[Tensor, "batch token width"], segments: Int[Tensor, "batch token"] | None
    ) -> Float[Tensor, "batch token width"]:
        added: Tensor = self.embedding.weight[0] if segments is None else self.embedding(segments)
        return x + added


class NoSegments(nn.Module):
    """A model that does not tell sentences apart."""

    def forward(self, x: Tensor, segments: Tensor | None) -> Tensor:
        return x
