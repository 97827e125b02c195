"""What the attention pages show, in the address; and what a reading is found by."""

import hashlib
from typing import TYPE_CHECKING

import streamlit as st

from ui.components.attention_view import Pin, ViewState
from ui.components.attention_view.view_state import read_view_state
from ui.state.address import numbers, unless, write_values
from ui.state.names import CUT

if TYPE_CHECKING:
    from playground.models import LoadedModel
    from ui.widgets.text import Texts

_VIEW_WORDS = ("combine", "scale", "range", "palette", "view", "filter", "pairs")


def read_view(prefix: str, otherwise: ViewState) -> ViewState:
    """What an attention view shows, from the address; whatever is missing or wrong there is the other's."""
    values = {word: st.query_params.get(prefix + word) for word in _VIEW_WORDS}
    place = numbers(st.query_params.get(prefix + "head", ""))
    selected = {"layer": place[0], "head": place[1]} if len(place) == 2 else {}
    axis, _separator, index = st.query_params.get(prefix + "pin", "").partition(".")
    pin = {"axis": axis, "index": int(index)} if index.isdecimal() and len(index) < 7 else None
    given = {word: value for word, value in values.items() if value is not None}
    report = {
        "selected": {**selected, **given},
        "settings": {**given, **({"pin": pin} if pin else {})},
    }
    return read_view_state(report, layers=10_000, heads=10_000, otherwise=otherwise)


def write_view(prefix: str, view: ViewState) -> None:
    """Put what an attention view shows into the address; what is as usual stays out of it."""
    usual = ViewState()
    values: dict[str, str | None] = {
        word: unless(getattr(view.settings, word), getattr(usual.settings, word))
        for word in _VIEW_WORDS
        if word != "combine"
    }
    values["combine"] = unless(view.selected.combine, usual.selected.combine)
    values["head"] = f"{view.selected.layer}.{view.selected.head}"
    values["pin"] = _pin_word(view.settings.pin)
    write_values({prefix + word: value for word, value in values.items()})


def _pin_word(pin: Pin | None) -> str | None:
    return None if pin is None else f"{pin.axis}.{pin.index}"


def read_head(otherwise: tuple[int, int], layers: int, heads: int) -> tuple[int, int]:
    """The layer and head of the address, in the attention page's words; the other one where they are not there."""
    place = numbers(st.query_params.get("head", ""))
    return (place[0], place[1]) if len(place) == 2 and place[0] < layers and place[1] < heads else otherwise


def write_head(layer: int, head: int) -> None:
    """Put a layer and a head into the address."""
    write_values({"head": f"{layer}.{head}"})


def model_key(model: "LoadedModel") -> tuple[str, ...]:
    """What tells a model, as it was loaded, from others."""
    return (model.name, model.revision or "", model.device, model.dtype, str(model.folder))


def reading_key(model: "LoadedModel", texts: "Texts", truncate: bool) -> str:
    """What a reading is found by: the model as it was loaded, and everything it read."""
    made_from = (*model_key(model), texts.text, texts.pair, texts.target, truncate)
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:24]


def wants_cut(texts: "Texts") -> bool:
    """Whether the person has agreed that these texts are cut to what fits; a link carries that along."""
    return _mark(texts) in st.query_params.get_all(CUT)


def agree_to_cut(texts: "Texts") -> None:
    """Put into the address that these texts, and no others, may be cut."""
    st.query_params[CUT] = [*st.query_params.get_all(CUT)[-1:], _mark(texts)]


def _mark(texts: "Texts") -> str:
    """A few letters that stand for these texts."""
    return hashlib.sha256(repr((texts.text, texts.pair, texts.target)).encode()).hexdigest()[:8]
