"""Our transformer, to be read in one sitting: embed, attend, feed forward, predict.

Sizes are written as in the papers: width is d_model, hidden is the feed-forward layer's inner width.
Vaswani et al. 2017 (the architecture), Su et al. 2021 (rotary positions), Shazeer 2020 (SwiGLU),
Zhang and Sennrich 2019 (RMS norm), Ainslie et al. 2023 (grouped queries).
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from playground.attention import attend
from playground.errors import UserError

Positions = Literal["rotary", "learned", "sinusoidal", "none"]
FeedForward = Literal["swiglu", "gelu", "relu", "none"]
Norm = Literal["rms", "layer"]
NormPlace = Literal["before", "after"]
ModelKind = Literal["decoder", "encoder", "encoder-decoder"]


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The shape of a transformer. `key_value_heads` below `heads` groups the queries; hidden None is 4 widths.

    layers are those of each stack. segments: how many segment embeddings an encoder adds (BERT: 2; 0: none).
    classes: the size of an encoder's classifier on its first token (0: none). dropout acts in training only.
    bias: whether the attention's projections have one.
    """

    vocabulary: int
    kind: ModelKind = "decoder"
    context: int = 256
    width: int = 128
    layers: int = 4
    heads: int = 4
    key_value_heads: int | None = None
    hidden: int | None = None
    feed_forward: FeedForward = "swiglu"
    norm: Norm = "rms"
    positions: Positions = "rotary"
    tied: bool = True
    norm_place: NormPlace = "before"
    bias: bool = False
    segments: int = 0
    classes: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("vocabulary", "context", "width", "layers", "heads"):
            check_count(name, getattr(self, name))
        for name in ("key_value_heads", "hidden"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        check_choice("feed_forward", self.feed_forward, get_args(FeedForward))
        check_choice("norm", self.norm, get_args(Norm))
        check_choice("positions", self.positions, get_args(Positions))
        if self.width % self.heads:
            raise UserError(f"A width of {self.width} does not divide into {self.heads} heads; change one of them.")
        if self.heads % self.groups_of:
            raise UserError(f"{self.heads} query heads cannot share {self.groups_of} key heads evenly.")
        if self.positions == "rotary" and self.head_width % 2:
            raise UserError(f"Rotary positions turn pairs of numbers; a head width of {self.head_width} is odd.")

    @property
    def groups_of(self) -> int:
        """The number of key and value heads."""
        return self.key_value_heads or self.heads

    @property
    def head_width(self) -> int:
        """The width of one head."""
        return self.width // self.heads

    @property
    def hidden_width(self) -> int:
        """The inner width of the feed-forward layer."""
        return self.hidden or 4 * self.width

    def to_dict(self) -> dict[str, Any]:
        """The configuration as it stands in a model folder's config.json."""
        return {"model_type": "playground", **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TransformerConfig":
        """Read back what `to_dict` wrote. Raises UserError for a field that this version does not know."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known - {"model_type"})
        if unknown:
            raise UserError(f"The configuration has unknown fields: {', '.join(unknown)}. Is it from a newer version?")
        if "vocabulary" not in values:
            raise UserError("The configuration lacks the model's vocabulary; write the number of its tokens.")
        return cls(**{name: value for name, value in values.items() if name in known})


def check_count(name: str, value: object, smallest: int = 1) -> None:
    """Raise UserError unless the value is a whole number that is large enough."""
    if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
        raise UserError(f"{name} is {value!r}; it must be a whole number of at least {smallest}.")


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise UserError unless the value is one of the choices."""
    if value not in choices:
        raise UserError(f"{name} is {value!r}; choose {', '.join(choices[:-1])} or {choices[-1]}.")


class Transformer(nn.Module):
    """A decoder: token ids to the logits of every next token."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.position = ADDED_POSITIONS[config.positions](config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = NORMS[config.norm](config.width)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        if config.tied:
            self.head.weight = self.embedding.weight
        self.apply(_initialise)
        for block in self.blocks:
            _shrink_residual_writers(block, config.layers)

    def forward(self, ids: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token vocabulary"]:
        """The logits of the token after each token."""
        logits: Tensor = self.head(self.read(ids))
        return logits

    def read(
        self,
        ids: Int[Tensor, "batch token"],
        target_ids: Int[Tensor, "batch position"] | None = None,
        *,
        segments: Int[Tensor, "batch token"] | None = None,
        mask: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch position width"]:
        """The last residual stream after its final norm: what the output head reads."""
        normed: Tensor = self.norm(self.residual(ids))
        return normed

    def residual(self, ids: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token width"]:
        """The residual stream after the last block, before the final norm."""
        residual: Tensor = self.position(self.embedding(ids))
        for block in self.blocks:
            residual = block(residual)
        return residual


class Block(nn.Module):
    """Read the residual stream, attend, add; read again, feed forward, add."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention_norm = NORMS[config.norm](config.width)
        self.attention = Attention(config)
        self.feed_forward_norm = NORMS[config.norm](config.width)
        self.feed_forward = FEED_FORWARDS[config.feed_forward](config)

    def forward(self, residual: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        residual = residual + self.attention(self.attention_norm(residual))
        written: Tensor = self.feed_forward(self.feed_forward_norm(residual))
        return residual + written


class Attention(nn.Module):
    """Causal multi-head self-attention; one projection makes query, key and value of all heads."""

    is_causal = True

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.head_width = config.head_width
        self.scaling = config.head_width**-0.5
        shared = config.groups_of * config.head_width
        self.sizes = [config.width, shared, shared]
        self.query_key_value = nn.Linear(config.width, sum(self.sizes), bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)
        self.rotate = Rotary(config) if config.positions == "rotary" else nn.Identity()

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        query, key, value = (self._heads(part) for part in self.query_key_value(x).split(self.sizes, dim=-1))
        z, _ = attend(self, self.rotate(query), self.rotate(key), value, None, scaling=self.scaling)
        written: Tensor = self.output(z.flatten(-2))
        return written

    def _heads(self, x: Tensor) -> Float[Tensor, "batch head token head_width"]:
        return x.view(*x.shape[:-1], -1, self.head_width).transpose(1, 2)


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
        self.register_buffer("cosine", angles.cos().repeat(1, 2), persistent=False)
        self.register_buffer("sine", angles.sin().repeat(1, 2), persistent=False)

    def forward(self, x: Float[Tensor, "batch head token width"]) -> Float[Tensor, "batch head token width"]:
        length = x.shape[-2]
        first, second = x.chunk(2, dim=-1)
        turned = torch.cat([-second, first], dim=-1)
        return x * self.cosine[:length] + turned * self.sine[:length]


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


class SwiGLU(nn.Module):
    """One half of the hidden layer gates the other. Shazeer 2020, equation 6."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.hidden_width, bias=False)
        self.up = nn.Linear(config.width, config.hidden_width, bias=False)
        self.output = nn.Linear(config.hidden_width, config.width, bias=False)

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        written: Tensor = self.output(functional.silu(self.gate(x)) * self.up(x))
        return written


class FeedForwardLayer(nn.Module):
    """Two layers with a bend between them. Vaswani et al. 2017, equation 2."""

    def __init__(self, config: TransformerConfig, bend: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.up = nn.Linear(config.width, config.hidden_width)
        self.output = nn.Linear(config.hidden_width, config.width)
        self.bend = bend

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        written: Tensor = self.output(self.bend(self.up(x)))
        return written


class NoFeedForward(nn.Module):
    """An attention-only transformer adds nothing here. Elhage et al. 2021."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "rms": lambda width: nn.RMSNorm(width, eps=1e-5),
    "layer": lambda width: nn.LayerNorm(width, eps=1e-5),
}
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
    "none": NoFeedForward,
}


def _initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02 and zero biases (Radford et al. 2019)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _shrink_residual_writers(block: nn.Module, layers: int) -> None:
    """Start the layers that write into the residual stream smaller, by 1/sqrt(2 layers) (Radford et al. 2019)."""
    for name, parameter in block.named_parameters():
        if name.endswith("output.weight"):
            nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers))
