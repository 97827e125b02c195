"""The film: attention maps over a training, frame by frame, with curves of the head scores over the same steps.

The drawing is that of `playground.viewer`.
"""

from collections.abc import Mapping

import streamlit as st

from playground.viewer.film_view.assets import CSS, film_module
from playground.viewer.film_view.film import FilmMark, FilmView, encode_film
from playground.viewer.film_view.film_state import FilmState, read_film_state
from playground.viewer.film_view.labels import film_view_labels
from playground.viewer.film_view.message import film_payload
from ui.components.shared.registration import keep_report, register, report_of

__all__ = ["FilmMark", "FilmState", "FilmView", "encode_film", "film_view", "film_view_labels"]

_component = register("film", film_module(), css=CSS)


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
