"""The state of the attention view, and its validation from an arbitrary value of the browser."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar, get_args

Combine = Literal["head", "layer mean", "layer max", "all mean", "all max"]
Scale = Literal["linear", "sqrt", "log"]
Range = Literal["row", "global"]
Palette = Literal["ink", "cividis"]
Drawing = Literal["heatmap", "arcs"]
Pairs = Literal["all", "a-b", "b-a", "a-a", "b-b"]
Axis = Literal["query", "key"]
Units = Literal["tokens", "words"]
Gather = Literal["auto", "sum", "mean"]

FILTER_LENGTH = 200
MOST_CHOSEN = 2048
_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The head on show, or with another `combine` than "head" the mean or maximum over its layer or over all heads."""

    layer: int = 0
    """By the number of its block in the model."""
    head: int = 0
    combine: Combine = "head"


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A query (row) or key (column) token that stays highlighted, or several."""

    axis: Axis
    index: int
    """Its position in the text, whatever is hidden."""
    also: tuple[int, ...] = ()
    """The positions of others chosen with it, in their order."""


@dataclass(frozen=True, kw_only=True)
class ViewSettings:
    """How the maps are drawn. Range "global" is 0 to 1, "row" divides each row by its maximum."""

    scale: Scale = "sqrt"
    range: Range = "global"
    palette: Palette = "ink"
    view: Drawing = "heatmap"
    pin: Pin | None = None
    filter: str = ""
    pairs: Pairs = "all"
    units: Units = "tokens"
    """Whether the pieces of a word are put together."""
    gather: Gather = "auto"
    """How the weights of several chosen tokens are put together; "auto" averages queries and sums keys."""


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """All that the browser reports and that an address needs to restore the view."""

    selected: Selected = field(default_factory=Selected)
    settings: ViewSettings = field(default_factory=ViewSettings)

    def as_dict(self) -> dict[str, Any]:
        """JSON values under the names that the browser uses."""
        return asdict(self)


def read_view_state(value: object, *, layers: Sequence[int], heads: int, default: ViewState) -> ViewState:
    """Validate a component value (arbitrary JSON); whatever is missing or invalid is taken from the default.

    layers: what they are called, ascending; another number is taken for the layer below it.
    """
    report = _mapping(value)
    selected, settings = _mapping(report.get("selected")), _mapping(report.get("settings"))
    return ViewState(
        selected=_valid_selected(selected, layers, heads, default.selected),
        settings=_valid_settings(settings, default.settings),
    )


def _valid_selected(value: Mapping[str, object], layers: Sequence[int], heads: int, default: Selected) -> Selected:
    return Selected(
        layer=_nearest(_valid_index(value.get("layer"), default.layer), layers),
        head=min(_valid_index(value.get("head"), default.head), max(heads - 1, 0)),
        combine=_choice(get_args(Combine), value.get("combine"), default.combine),
    )


def _nearest(layer: int, layers: Sequence[int]) -> int:
    below = bisect_right(layers, layer)
    return layer if layer in layers else layers[max(0, below - 1)] if layers else 0


def _valid_settings(value: Mapping[str, object], default: ViewSettings) -> ViewSettings:
    text = value.get("filter")
    return ViewSettings(
        scale=_choice(get_args(Scale), value.get("scale"), default.scale),
        range=_choice(get_args(Range), value.get("range"), default.range),
        palette=_choice(get_args(Palette), value.get("palette"), default.palette),
        view=_choice(get_args(Drawing), value.get("view"), default.view),
        pin=_valid_pin(value["pin"]) if "pin" in value else default.pin,
        filter=text[:FILTER_LENGTH] if isinstance(text, str) else default.filter,
        pairs=_choice(get_args(Pairs), value.get("pairs"), default.pairs),
        units=_choice(get_args(Units), value.get("units"), default.units),
        gather=_choice(get_args(Gather), value.get("gather"), default.gather),
    )


def _valid_pin(value: object) -> Pin | None:
    pin = _mapping(value)
    index = _valid_index(pin.get("index"), -1)
    axis = pin.get("axis")
    if index < 0 or axis not in ("query", "key"):
        return None
    others = pin.get("also")
    listed = others[:MOST_CHOSEN] if isinstance(others, list | tuple) else ()
    also = sorted({other for other in (_valid_index(value, -1) for value in listed) if other not in (-1, index)})
    return Pin(axis="query" if axis == "query" else "key", index=index, also=tuple(also))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _valid_index(value: object, default: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 1_000_000 else default  # type: ignore[operator, return-value]


def _choice(choices: tuple[_Choice, ...], value: object, default: _Choice) -> _Choice:
    return next((choice for choice in choices if choice == value), default)
