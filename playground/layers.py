"""Parts of the transformer: positions, embeddings, segments, norms, feed-forward layers, the classifier."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from playground.errors import UserError
from playground.norms import EPSILON, RMSNorm
from playground.transformer_config import FeedForward, Norm, Positions, TransformerConfig


class Rotary(nn.Module):
    """Rotary position embedding: rotate pairs of components by an angle proportional to the position.

    The pairs are (i, i + width/2), as in Llama; the frequencies are 10000^(-2i/width). Su et al. 2021, section 3.
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

    def forward(self, x: Float[Tensor, "batch token head width"]) -> Float[Tensor, "batch token head width"]:
        # With x = [a, b] in halves: [a cos - b sin, b cos + a sin]; the table's first half of sines is negative.
        length, half = x.shape[1], x.shape[-1] // 2
        return torch.addcmul(x * self.cosine[:length, None], x.roll(half, -1), self.sine[:length, None])


def split_alone(
    heads: Float[Tensor, "batch token head width"], counts: list[int], rotate: nn.Module
) -> tuple[Tensor, ...]:
    """Queries, keys and values; nothing is rotated."""
    return heads.split_with_sizes(counts, dim=2)


def split_and_rotate(
    heads: Float[Tensor, "batch token head width"], counts: list[int], rotate: nn.Module
) -> tuple[Tensor, ...]:
    """Queries, keys and values, queries and keys rotated together: one operation instead of two."""
    query_key, value = heads.split_with_sizes([sum(counts[:2]), counts[2]], dim=2)
    return *rotate(query_key).split_with_sizes(counts[:2], dim=2), value


class LearnedPositions(nn.Module):
    """Add a learned vector for each position (GPT-2, BERT)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.context, config.width)

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        return x + self.embedding.weight[: x.shape[1]]


class SinusoidalPositions(nn.Module):
    """Add sines and cosines of decreasing frequency. Vaswani et al. 2017, section 3.5."""

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
    """Add a learned vector for the sentence that a token belongs to; without segments, the first everywhere."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.segments, config.width)

    def forward(
        self, x: Float[Tensor, "batch token width"], segments: Int[Tensor, "batch token"] | None
    ) -> Float[Tensor, "batch token width"]:
        added: Tensor = self.embedding.weight[0] if segments is None else self.embedding(segments)
        return x + added


class NoSegments(nn.Module):
    """Stands in for SegmentEmbedding in a model without segments."""

    def forward(self, x: Tensor, segments: Tensor | None) -> Tensor:
        return x


def embedding(config: TransformerConfig) -> nn.Embedding:
    """The token embedding, scaled if the configuration says so."""
    return EMBEDDINGS[config.scaled_embedding](config.vocabulary, config.width)


def segment_embedding(config: TransformerConfig) -> nn.Module:
    """The segment embedding, or a stand-in that adds nothing."""
    return SegmentEmbedding(config) if config.segments else NoSegments()


class SwiGLU(nn.Module):
    """Gated feed-forward layer: W_out (silu(W_gate x) * W_up x). Shazeer 2020, equation 6."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.hidden_width, bias=False)
        self.up = nn.Linear(config.width, config.hidden_width, bias=False)
        self.output = nn.Linear(config.hidden_width, config.width, bias=False)

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        written: Tensor = self.output(functional.silu(self.gate(x)) * self.up(x))
        return written


class FeedForwardLayer(nn.Module):
    """Two linear layers with an activation function between them. Vaswani et al. 2017, equation 2."""

    def __init__(self, config: TransformerConfig, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.up = nn.Linear(config.width, config.hidden_width, bias=True)
        self.output = nn.Linear(config.hidden_width, config.width, bias=True)
        self.activation = activation

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        written: Tensor = self.output(self.activation(self.up(x)))
        return written


class Classifier(nn.Module):
    """Pooler and classifier at the first token. Devlin et al. 2019."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.pool = nn.Linear(config.width, config.width, bias=True)
        self.output = nn.Linear(config.width, config.classes, bias=True)

    def forward(
        self, read: Float[Tensor, "batch token width"], mask: Bool[Tensor, "batch token"] | None = None
    ) -> Float[Tensor, "batch class"]:
        logits: Tensor = self.output(torch.tanh(self.pool(read[:, 0])))
        return logits


class LastTokenClassifier(nn.Module):
    """Classifier at the last token, which alone has seen all others in a decoder. Radford et al. 2018, section 3.2."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.output = nn.Linear(config.width, config.classes, bias=False)

    def forward(
        self, read: Float[Tensor, "batch token width"], mask: Bool[Tensor, "batch token"] | None = None
    ) -> Float[Tensor, "batch class"]:
        last = torch.full(read.shape[:1], read.shape[1] - 1) if mask is None else mask.sum(1) - 1
        logits: Tensor = self.output(read[torch.arange(len(read)), last])
        return logits


class NoClassifier(nn.Module):
    """Stands in for Classifier in a model without classes."""

    def forward(self, read: Tensor, mask: Tensor | None = None) -> Tensor:
        raise UserError("This model has no classes; make one with classes above 0.")


def classifier(config: TransformerConfig) -> nn.Module:
    """The classifier, or a stand-in that raises UserError."""
    if not config.classes:
        return NoClassifier()
    return LastTokenClassifier(config) if config.kind == "decoder" else Classifier(config)


def norm(config: TransformerConfig) -> nn.Module:
    """The norm that the configuration names."""
    return NORMS[config.norm](config.width)


def dropout(config: TransformerConfig) -> nn.Module:
    """Dropout for the embeddings and each layer's output. Vaswani et al. 2017, section 5.4."""
    return nn.Dropout(config.dropout) if config.dropout else nn.Identity()


NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "rms": lambda width: RMSNorm(width, eps=EPSILON),
    "layer": lambda width: nn.LayerNorm(width, eps=EPSILON),
    "none": lambda width: nn.Identity(),
}
HEAD_SPLITS: dict[bool, Callable[[Tensor, list[int], nn.Module], tuple[Tensor, ...]]] = {
    False: split_alone,
    True: split_and_rotate,
}
"""By whether positions are rotary."""
EMBEDDINGS: dict[bool, type[nn.Embedding]] = {False: nn.Embedding, True: ScaledEmbedding}
ADDED_POSITIONS: dict[Positions, Callable[[TransformerConfig], nn.Module]] = {
    "rotary": lambda config: nn.Identity(),
    "none": lambda config: nn.Identity(),
    "learned": LearnedPositions,
    "sinusoidal": SinusoidalPositions,
}
FEED_FORWARDS: dict[FeedForward, Callable[[TransformerConfig], nn.Module]] = {
    "swiglu": SwiGLU,
    "gelu": lambda config: FeedForwardLayer(config, functional.gelu),
    "relu": lambda config: FeedForwardLayer(config, functional.relu),
    "none": lambda config: nn.Identity(),
}


def initialise(module: nn.Module) -> None:
    """Normal weights with a standard deviation of 0.02, and zero biases (Radford et al. 2019)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def shrink_residual_writers(block: nn.Module, layers: int) -> None:
    """Scale the weights that write into the residual stream by 1/sqrt(number of them) (Radford et al. 2019)."""
    writers = [parameter for name, parameter in block.named_parameters() if name.endswith("output.weight")]
    for parameter in writers:
        nn.init.normal_(parameter, std=0.02 / math.sqrt(max(2, len(writers)) * layers))
