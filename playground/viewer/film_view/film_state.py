"""The state of the film, and its validation from an arbitrary value of the browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.viewer.film_view.film import FilmView

if TYPE_CHECKING:
    from playground.lens.capture.site import SiteKind


@dataclass(frozen=True, kw_only=True)
class FilmState:
    """The head on show, the score of the curves, and the step; None follows the newest."""

    kind: "SiteKind" = "decoder"
    step: int | None = None
    layer: int = 0
    head: int = 0
    score: str = ""


def read_film_state(value: object, film: FilmView, default: FilmState) -> FilmState:
    """Validate a component value (arbitrary JSON); whatever does not fit the film is taken from the default."""
    report = value if isinstance(value, Mapping) else {}
    kinds = list(film.maps)
    kind = next((name for name in kinds if name == report.get("kind")), None)
    if kind is None:
        kind = default.kind if default.kind in kinds or not kinds else kinds[0]
    layers, heads = film.maps[kind].shape[1:3] if kinds else (1, 1)
    names = list(film.scores.get(kind, {}))
    score = next((name for name in (report.get("score"), default.score) if name in names), "")
    return FilmState(
        kind=kind,
        step=_whole(report.get("step")) if "step" in report else default.step,
        layer=min(_whole(report.get("layer"), default.layer) or 0, layers - 1),
        head=min(_whole(report.get("head"), default.head) or 0, heads - 1),
        score=str(score or (names[0] if names else "")),
    )


def known_step(value: object, film: FilmView) -> int | None:
    """The last step whose frame the browser has; None where all frames must be sent."""
    report = value if isinstance(value, Mapping) else {}
    have = _whole(report.get("have"))
    same = report.get("run") == film.run
    return have if same and have is not None and have in film.steps else None


def request_number(value: object) -> int:
    """The number of the browser's last request for all frames, which the answer repeats."""
    report = value if isinstance(value, Mapping) else {}
    return _whole(report.get("request")) or 0


def _whole(value: Any, default: int | None = None) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 1_000_000_000 else default
