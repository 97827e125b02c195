"""The film: how the heads of a model form while it learns, frame by frame, with their scores over the same steps.

film.py         frames and scores as the bytes that a browser lacks
film_state.py   what is selected, validated
js              the browser's side
labels.py       labels, translated
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.components.film_view.film import FilmView, Kind, encode_film
from ui.components.film_view.film_state import FilmState, known_step, read_film_state, request_number
from ui.components.film_view.labels import default_labels
from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["FilmState", "FilmView", "Kind", "default_labels", "encode_film", "film_view"]

_SHARED = "decode matrix colour dom files tokens paint heatmap heatmap_layers legend"
_OWN = "reel choice thumbs stage curves timeline player scores picture film"


def film_module() -> str:
    """Return the film as one ES module."""
    return module("film_view", _OWN, shared=_SHARED)


_component = register("film", film_module(), css=style("attention_view", "film_view"))


def film_view(
    film: FilmView, *, key: str, start: FilmState | None = None, labels: Mapping[str, str] | None = None
) -> FilmState:
    """Show the film and return what is chosen in it.

    The browser says which frames it has, and is sent only later ones; a browser that has none (a reload, another
    page in between) is sent all, within a megabyte. `start` is where the film opens; without one it opens at the
    newest frame and the head that scores best in it.
    """
    report = report_of(st.session_state.get(key), "film")
    data = film_payload(film, report=report, start=start, labels=labels)
    result = _component(key=key, data=data, on_film_change=keep_report)
    return read_film_state(report_of(result, "film"), film, start or FilmState())


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
