"""The film: how the heads of a model form while it learns, frame by frame, with their scores over the same steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from ui.components.attention_view.assets import CSS as ATTENTION_CSS
from ui.components.film_view.film import FilmView, Kind, encode_film
from ui.components.film_view.film_state import FilmState, known_step, read_film_state, request_number
from ui.components.film_view.labels import default_labels
from ui.components.shared.bundle import bundle

__all__ = ["FilmState", "FilmView", "Kind", "default_labels", "encode_film", "film_view"]

HERE = Path(__file__).parent
_SHARED = "decode matrix colour dom files tokens paint heatmap heatmap_layers legend"
_OWN = "reel choice thumbs stage curves timeline player scores picture film"


def film_module() -> str:
    """Return the film as one ES module."""
    shared = HERE.parent / "attention_view" / "js"
    return bundle(
        [
            *(shared / f"{name}.js" for name in _SHARED.split()),
            *(HERE / "js" / f"{name}.js" for name in _OWN.split()),
        ]
    )


_component = st.components.v2.component(
    "playground_film",
    html='<div class="root"></div>',
    css=ATTENTION_CSS + (HERE / "film_view.css").read_text(encoding="utf-8"),
    js=film_module(),
)


def film_view(
    film: FilmView, *, key: str, start: FilmState | None = None, labels: Mapping[str, str] | None = None
) -> FilmState:
    """Show the film and return what is chosen in it.

    The browser says which frames it has, and is sent only later ones; a browser that has none (a reload, another
    page in between) is sent all, within a megabyte. `start` is where the film opens; without one it opens at the
    newest frame and the head that scores best in it.
    """
    report = _report(st.session_state.get(key))
    data = film_payload(film, report=report, start=start, labels=labels)
    result = _component(key=key, data=data, on_film_change=_nothing)
    return read_film_state(_report(result), film, start or FilmState())


def film_payload(
    film: FilmView, *, report: object = None, start: FilmState | None = None, labels: Mapping[str, str] | None = None
) -> bytes:
    """Return the frames that a browser lacks after it has reported this."""
    initial: dict[str, Any] = {} if start is None else vars(read_film_state({}, film, start))
    return encode_film(
        film,
        since=known_step(report, film),
        request=request_number(report),
        initial=initial,
        labels={**default_labels(), **(labels or {})},
    )


def _report(result: object) -> object:
    return result.get("film") if isinstance(result, Mapping) else None


def _nothing() -> None:
    """Do nothing; Streamlit keeps a component's state key only when a callback names it."""
