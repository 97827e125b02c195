"""The shape of a transformer, in one frozen record that refuses what cannot be built."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

from playground.errors import UserError
from playground.legacy_names import MODEL_CONFIG, modernise

Positions = Literal["rotary", "learned", "sinusoidal", "none"]
FeedForward = Literal["swiglu", "gelu", "relu", "none"]
Norm = Literal["rms", "layer", "none"]
NormPosition = Literal["pre", "post"]
ModelKind = Literal["decoder", "encoder", "encoder-decoder"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "kind": get_args(ModelKind),
    "feed_forward": get_args(FeedForward),
    "norm": get_args(Norm),
    "norm_position": get_args(NormPosition),
    "positions": get_args(Positions),
}

LARGEST = {
    **{"vocabulary": 1_000_000, "context": 1_000_000, "width": 65_536, "layers": 1_000, "n_heads": 1_024},
    **{"key_value_heads": 1_024, "hidden": 1_000_000, "segments": 1_000, "classes": 100_000},
}
"""Beyond any model that was ever trained: whoever asks for more has mistyped, or means harm."""


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The shape of a transformer. Raises UserError for one that cannot be built."""

    vocabulary: int
    """Number of tokens that the model knows."""
    kind: ModelKind = "decoder"
    context: int = 256
    """Longest text in tokens."""
    width: int = 128
    """d_model: size of the residual stream."""
    layers: int = 4
    """Blocks in each stack: an encoder-decoder has twice as many."""
    n_heads: int = 4
    """Query heads in each attention layer."""
    key_value_heads: int | None = None
    """Key and value heads in each attention layer, fewer than n_heads for grouped queries; None: as many."""
    hidden: int | None = None
    """d_ff: inner width of the feed-forward layer; None: 4 widths."""
    feed_forward: FeedForward = "swiglu"
    norm: Norm = "rms"
    """"none" leaves all norms out."""
    positions: Positions = "rotary"
    tied: bool = True
    """Whether the output head is the transposed embedding."""
    norm_position: NormPosition = "pre"
    """"pre" norms what a layer reads, "post" the stream after it has written; then no norm stands at the end."""
    residual: bool = True
    """Whether what a layer writes is added to the stream; without, it takes the stream's place."""
    bias: bool = False
    """Whether the attention's projections have biases."""
    segments: int = 0
    """Segment embeddings that an encoder adds (BERT: 2; 0: none)."""
    classes: int = 0
    """Classes that a classifier tells apart at an encoder's first token, or a decoder's last one (0: no classifier)."""
    dropout: float = 0.0
    """Share of activations zeroed in training."""
    scaled_embedding: bool = False
    """Whether token embeddings are multiplied by the square root of the width (Vaswani et al. 2017, section 3.4)."""
    embedding_norm: bool = False
    """Whether the sum of embeddings is normed before the first block (BERT)."""

    def __post_init__(self) -> None:
        for name in ("vocabulary", "context", "width", "layers", "n_heads"):
            check_count(name, getattr(self, name), largest=LARGEST[name])
        for name in ("key_value_heads", "hidden"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), largest=LARGEST[name])
        for name in ("segments", "classes"):
            check_count(name, getattr(self, name), smallest=0, largest=LARGEST[name])
        for name, choices in _CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        for name in ("tied", "residual", "bias", "scaled_embedding", "embedding_norm"):
            check_truth(name, getattr(self, name))
        check_share("dropout", self.dropout)
        self._check_heads()
        self._check_encoder_parts()

    def _check_heads(self) -> None:
        if self.width % self.n_heads:
            raise UserError(
                "A width of {width} does not divide into {n_heads} heads; change one of them.",
                width=self.width,
                n_heads=self.n_heads,
            )
        if self.n_heads % self.n_key_value_heads:
            raise UserError(
                "{n_heads} query heads cannot share {n_key_value_heads} key heads evenly.",
                n_heads=self.n_heads,
                n_key_value_heads=self.n_key_value_heads,
            )
        if self.positions == "rotary" and self.head_width % 2:
            raise UserError(
                "Rotary positions turn pairs of numbers; a head width of {head_width} is odd.",
                head_width=self.head_width,
            )

    def _check_encoder_parts(self) -> None:
        if self.kind != "encoder" and self.segments:
            raise UserError("Segments are for encoders; set segments to 0 for the kind {kind}.", kind=self.kind)
        if self.kind == "encoder-decoder" and self.classes:
            raise UserError("A classifier reads one stack; set classes to 0 for the kind {kind}.", kind=self.kind)

    @property
    def n_key_value_heads(self) -> int:
        """Key and value heads in each attention layer."""
        return self.key_value_heads or self.n_heads

    @property
    def head_width(self) -> int:
        """The width of one head."""
        return self.width // self.n_heads

    @property
    def hidden_width(self) -> int:
        """The inner width of the feed-forward layer."""
        return self.hidden or 4 * self.width

    def to_dict(self) -> dict[str, Any]:
        """The configuration as it stands in a model folder's config.json."""
        return {"model_type": "playground", **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TransformerConfig":
        """Read back what `to_dict` wrote, old spellings included. Raises UserError for an unknown field."""
        values = modernise(values, MODEL_CONFIG)
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known - {"model_type"})
        if unknown:
            raise UserError(
                "The configuration has unknown fields: {unknown}. Is it from a newer version?",
                unknown=", ".join(unknown),
            )
        if "vocabulary" not in values:
            raise UserError("The configuration lacks the model's vocabulary; write the number of its tokens.")
        return cls(**{name: value for name, value in values.items() if name in known})


def check_count(name: str, value: object, smallest: int = 1, largest: int | None = None) -> None:
    """Raise UserError unless the value is a whole number that is large enough, and not too large."""
    if isinstance(value, int) and largest is not None and value > largest:
        raise UserError("{name} can be at most {largest:,}; choose a smaller number.", name=name, largest=largest)
    if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
        raise UserError(
            "{name} is {value!r}; it must be a whole number of at least {smallest}.",
            name=name,
            value=value,
            smallest=smallest,
        )


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise UserError unless the value is one of the choices."""
    if value not in choices:
        raise UserError(
            "{name} is {value!r}; choose {choice} or {choice_2}.",
            name=name,
            value=value,
            choice=", ".join(choices[:-1]),
            choice_2=choices[-1],
        )


def check_truth(name: str, value: object) -> None:
    """Raise UserError unless the value is true or false."""
    if not isinstance(value, bool):
        raise UserError("{name} is {value!r}; choose true or false.", name=name, value=value)


def check_share(name: str, value: object) -> None:
    """Raise UserError unless the value is a number from 0 up to but not including 1."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise UserError(
            "{name} is {value!r}; choose a number from 0 up to but not including 1.", name=name, value=value
        )
