"""What the attention pages show, in the address; and what identifies a trace."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from playground.viewer.attention_view.view_state import MOST_CHOSEN, read_view_state
from ui.components.attention_view import Pin, ViewState
from ui.state import parameters
from ui.state.address import append_value, read_integers, read_number, read_value, unless, write_integers, write_values
from ui.state.link import note_read
from ui.state.parameters import Parameter
from ui.state.revisions import revision

if TYPE_CHECKING:
    from playground.models import LoadedModel
    from ui.widgets.text import Texts

Default = TypeVar("Default")
CHOSEN_LENGTH = 10_000
_RUN = re.compile(r"(?<![\w-])(\d{1,6})(?:-(\d{1,6}))?(?![\w-])")
VIEW = {
    "combine": (parameters.COMBINE, parameters.OTHER_COMBINE),
    "scale": (parameters.SCALE, parameters.OTHER_SCALE),
    "range": (parameters.RANGE, parameters.OTHER_RANGE),
    "palette": (parameters.PALETTE, parameters.OTHER_PALETTE),
    "view": (parameters.VIEW, parameters.OTHER_VIEW),
    "filter": (parameters.FILTER, parameters.OTHER_FILTER),
    "pairs": (parameters.PAIRS, parameters.OTHER_PAIRS),
    "units": (parameters.UNITS, parameters.OTHER_UNITS),
    "gather": (parameters.GATHER, parameters.OTHER_GATHER),
}
"""Settings of an attention view: the parameter of the first view, and of the second."""


def read_view(default: ViewState, *, is_second: bool = False) -> ViewState:
    """What an attention view shows, from the address; whatever is missing or wrong there is the other's."""
    settings = {name: value for name, keys in VIEW.items() if (value := read_value(keys[is_second])) is not None}
    numbers = read_integers(parameters.OTHER_HEAD if is_second else parameters.HEAD)
    selected = {"layer": numbers[0], "head": numbers[1]} if len(numbers) == 2 else {}
    pin = _read_pin(is_second)
    report = {
        "selected": {**selected, **settings},
        "settings": {**settings, **({"pin": pin} if pin else {})},
    }
    return read_view_state(report, layers=range(10_000), heads=10_000, default=default)


def view_revision(*, is_second: bool = False) -> int:
    """How often something else than an attention view, such as the browser's history, has set what it shows."""
    first = (parameters.HEAD, parameters.PIN, parameters.QUERY, parameters.CHOSEN)
    second = (parameters.OTHER_HEAD, parameters.OTHER_PIN, parameters.OTHER_CHOSEN)
    return sum(map(revision, (*(keys[is_second] for keys in VIEW.values()), *(second if is_second else first))))


def write_view(view: ViewState, *, is_second: bool = False) -> None:
    """Put what an attention view shows into the address; defaults stay out of it."""
    defaults = ViewState()
    values: dict[Parameter, str | None] = {
        keys[is_second]: unless(getattr(view.settings, name), getattr(defaults.settings, name))
        for name, keys in VIEW.items()
        if name != "combine"
    }
    values[VIEW["combine"][is_second]] = unless(view.selected.combine, defaults.selected.combine)
    values[parameters.OTHER_HEAD if is_second else parameters.HEAD] = f"{view.selected.layer}.{view.selected.head}"
    values[parameters.OTHER_CHOSEN if is_second else parameters.CHOSEN] = _spelled_pin(view.settings.pin)
    write_values({**values, **_pin_values(view.settings.pin, is_second)})


def _read_pin(is_second: bool) -> dict[str, object] | None:
    """The pinned tokens. In the first view a pinned query is the token that all pages look at.

    Several chosen ones count only beside the pinned one: another page may have moved it.
    """
    pinned = read_value(parameters.OTHER_PIN if is_second else parameters.PIN)
    looked_at = read_integers(parameters.QUERY)
    axis, _separator, index = (pinned or "").partition(".")
    if pinned is None and not is_second and looked_at:
        axis, index = "query", str(looked_at[0])
    if not index.isdecimal() or len(index) > 6:
        return None
    chosen = positions_of(read_value(parameters.OTHER_CHOSEN if is_second else parameters.CHOSEN) or "")
    also = [position for position in chosen if position != int(index)] if int(index) in chosen else []
    return {"axis": axis, "index": int(index), "also": also}


def _spelled_pin(pin: Pin | None) -> str | None:
    """Several chosen tokens, the pinned one among them; None for a single one."""
    return spell_positions((pin.index, *pin.also)) if pin is not None and pin.also else None


def spell_positions(positions: Iterable[int]) -> str:
    """Positions in an address, runs of them short.

    >>> spell_positions([7, 3, 4, 5])
    '3-5.7'
    """
    runs: list[list[int]] = []
    for position in sorted(set(positions)):
        if runs and position == runs[-1][1] + 1:
            runs[-1][1] = position
        else:
            runs.append([position, position])
    return ".".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def positions_of(spelled: str) -> list[int]:
    """What `spell_positions` spelled, at most `MOST_CHOSEN` of them; damaged parts are passed over.

    >>> positions_of("3-5.x.7"), positions_of("0-99999999")
    ([3, 4, 5, 7], [])
    """
    positions: list[int] = []
    for first, last in _RUN.findall(spelled[:CHOSEN_LENGTH]):
        run = range(int(first), int(last or first) + 1)
        if len(run) + len(positions) <= MOST_CHOSEN:
            positions += run
    return positions


def _pin_values(pin: Pin | None, is_second: bool) -> dict[Parameter, str | None]:
    if is_second:
        return {parameters.OTHER_PIN: None if pin is None else f"{pin.axis}.{pin.index}"}
    if pin is not None and pin.axis == "key":
        return {parameters.PIN: f"key.{pin.index}"}
    return {parameters.PIN: None, parameters.QUERY: None if pin is None else str(pin.index)}


def read_head(default: Default, layers: Sequence[int], heads: int) -> tuple[int, int] | Default:
    """The layer and head of the address, as the attention page spells them; the default where there is none.

    layers: what the layers are called, by their blocks in the model.
    """
    numbers = read_integers(parameters.HEAD)
    return (numbers[0], numbers[1]) if len(numbers) == 2 and numbers[0] in layers and numbers[1] < heads else default


def write_head(layer: int, head: int) -> None:
    """Put a layer and a head into the address."""
    write_integers(parameters.HEAD, [layer, head])


def read_token(count: int, default: int | None = None) -> int:
    """The position of the token that is looked at, among so many; the default (the last) where the address has none."""
    last = max(0, count - 1)
    return read_number(parameters.QUERY, last if default is None else default, last)


def model_key(model: "LoadedModel") -> tuple[str, ...]:
    """What tells a model, as it was loaded, from others."""
    return (model.name, model.revision or "", model.device, model.dtype, str(model.folder), str(model.stamp))


def trace_key(model: "LoadedModel", texts: "Texts", truncate: bool) -> str:
    """What identifies a trace: the model as it was loaded, and everything it read."""
    made_from = (*model_key(model), texts.text, texts.pair, texts.target, truncate)
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:24]


def wants_cut(texts: "Texts") -> bool:
    """Whether the person has agreed that these texts are cut to what fits; a link carries that along."""
    note_read(parameters.TRUNCATED)
    return _mark(texts) in st.query_params.get_all(parameters.TRUNCATED)


def agree_to_cut(texts: "Texts") -> None:
    """Put into the address that these texts, and no others, may be cut."""
    append_value(parameters.TRUNCATED, _mark(texts), most=2)


def _mark(texts: "Texts") -> str:
    """A few letters that stand for these texts."""
    return hashlib.sha256(repr((texts.text, texts.pair, texts.target)).encode()).hexdigest()[:8]
