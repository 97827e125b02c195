"""The shape of a transformer, in one frozen record that refuses what cannot be built."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

from playground.errors import UserError

Positions = Literal["rotary", "learned", "sinusoidal", "none"]
FeedForward = Literal["swiglu", "gelu", "relu", "none"]
Norm = Literal["rms", "layer"]
NormPlace = Literal["before", "after"]
ModelKind = Literal["decoder", "encoder", "encoder-decoder"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "kind": get_args(ModelKind),
    "feed_forward": get_args(FeedForward),
    "norm": get_args(Norm),
    "norm_place": get_args(NormPlace),
    "positions": get_args(Positions),
}


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The shape of a transformer. `key_value_heads` below `heads` groups the queries; hidden None is 4 widths.

    layers are those of each stack. norm_place: before a layer reads the residual stream, or after it has written
    (the stream itself is normed then, and there is no norm at the end). bias: whether the attention's projections
    have one. segments: how many segment embeddings an encoder adds (BERT: 2; 0: none). classes: the size of an
    encoder's classifier on its first token (0: none). dropout acts in training only. scaled_embedding multiplies
    token embeddings by the square root of the width (Vaswani et al. 2017, section 3.4). embedding_norm norms the
    sum of embeddings before the first block (BERT).
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
    scaled_embedding: bool = False
    embedding_norm: bool = False

    def __post_init__(self) -> None:
        for name in ("vocabulary", "context", "width", "layers", "heads"):
            check_count(name, getattr(self, name))
        for name in ("key_value_heads", "hidden"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        for name in ("segments", "classes"):
            check_count(name, getattr(self, name), smallest=0)
        for name, choices in _CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        for name in ("tied", "bias", "scaled_embedding", "embedding_norm"):
            check_truth(name, getattr(self, name))
        check_share("dropout", self.dropout)
        self._check_heads()
        self._check_encoder_parts()

    def _check_heads(self) -> None:
        if self.width % self.heads:
            raise UserError(
                "A width of {width} does not divide into {heads} heads; change one of them.",
                width=self.width,
                heads=self.heads,
            )
        if self.heads % self.groups_of:
            raise UserError(
                "{heads} query heads cannot share {groups_of} key heads evenly.",
                heads=self.heads,
                groups_of=self.groups_of,
            )
        if self.positions == "rotary" and self.head_width % 2:
            raise UserError(
                "Rotary positions turn pairs of numbers; a head width of {head_width} is odd.",
                head_width=self.head_width,
            )

    def _check_encoder_parts(self) -> None:
        if self.kind != "encoder" and self.segments:
            raise UserError("Segments are for encoders; set segments to 0 for the kind {kind}.", kind=self.kind)
        if self.kind != "encoder" and self.classes:
            raise UserError("A classifier reads an encoder; set classes to 0 for the kind {kind}.", kind=self.kind)

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
            raise UserError(
                "The configuration has unknown fields: {unknown}. Is it from a newer version?",
                unknown=", ".join(unknown),
            )
        if "vocabulary" not in values:
            raise UserError("The configuration lacks the model's vocabulary; write the number of its tokens.")
        return cls(**{name: value for name, value in values.items() if name in known})


def check_count(name: str, value: object, smallest: int = 1) -> None:
    """Raise UserError unless the value is a whole number that is large enough."""
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
