"""What is sent to a browser that has some frames of a film, or none."""

from collections.abc import Mapping
from typing import Any

from playground.viewer.film_view.film import FilmView, encode_film
from playground.viewer.film_view.film_state import FilmState, known_step, read_film_state, request_number
from playground.viewer.film_view.labels import film_view_labels


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
