"""The film: attention maps over a training, frame by frame, with curves of the head scores over the same steps.

film.py         the frames that a browser lacks, as a payload
film_state.py   the selection, validated
js              the browser's side
labels.py       labels, translated
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.components.film_view.film import FilmMark, FilmView, encode_film
from ui.components.film_view.film_state import FilmState, known_step, read_film_state, request_number
from ui.components.film_view.labels import film_view_labels
from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["FilmMark", "FilmState", "FilmView", "encode_film", "film_view", "film_view_labels"]

_SHARED = "decode matrix colour dom mount files tokens paint heatmap heatmap_layers legend"
_OWN = "reel choice thumbs stage curves timeline player picture film"


def film_module() -> str:
    """The film as one ES module."""
    return module("film_view", _OWN, shared=_SHARED)


_component = register("film", film_module(), css=style("attention_view", "film_view"))


def film_view(
    film: FilmView,
    *,
    key: str,
    start: FilmState | None = None,
    watched: tuple[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    asked: int = 0,
) -> FilmState | None:
    """Show the film and return its state; None until the browser has reported one.

    The browser reports which frames it has, and is sent only later ones; a browser without any (after a reload, or
    another page in between) is sent all, within a megabyte. `start` is the initial state: by default the newest frame
    and the head that scores best in it, by the `watched` kind of attention and score; while the film is live that head
    changes with the frames until the person chooses one. The browser keeps what was chosen, until `asked` says that
    `start` is asked for once more.
    """
    report = report_of(st.session_state.get(key), "film")
    data = film_payload(film, report=report, start=start, watched=watched, labels=labels, asked=asked)
    result = _component(key=key, data=data, on_film_change=keep_report)
    report = report_of(result, "film")
    is_own = isinstance(report, Mapping) and (report.get("run"), report.get("asked", 0)) == (film.run, asked)
    return read_film_state(report, film, start or FilmState()) if is_own else None


def film_payload(
    film: FilmView,
    *,
    report: object = None,
    start: FilmState | None = None,
    watched: tuple[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    asked: int = 0,
) -> bytes:
    """The frames that a browser lacks after this report."""
    initial: dict[str, Any] = dict(zip(("kind", "score"), watched or (), strict=False))
    if start is not None:
        initial = vars(read_film_state({}, film, start))
    return encode_film(
        film,
        since=known_step(report, film),
        request=request_number(report),
        initial={**initial, **({"asked": asked} if asked else {})},
        labels={**film_view_labels(), **(labels or {})},
    )
