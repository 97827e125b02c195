"""The film of a training run, from the frames in its folder."""

from collections.abc import Sequence

import numpy as np

from playground.provenance import VERSION
from playground.training.run.film import FilmProbe, Frame, alignment_scores
from playground.training.run.milestones import Milestone, ScoreCurves
from playground.training.run.runs import Run
from playground.viewer.film_view.film import FilmMark, FilmView

KEPT_BYTES = 48 << 20
"""At most so much of a long film is assembled; what is sent is thinned further."""


def run_film(run: Run, probe: FilmProbe, taken: Sequence[Frame], *, name: str) -> FilmView:
    """All frames as arrays [frame, layer, head, query, key]. name: a browser keeps its frames under it."""
    frames = _thinned(taken)
    maps = {kind: np.stack([frame.maps[kind] for frame in frames]) for kind in frames[-1].maps}
    scores = {kind: _defined_scores(frames, kind) for kind in maps}
    if "cross" in maps and probe.alignment:
        scores["cross"] = {"alignment": alignment_scores(maps["cross"], probe.alignment), **scores["cross"]}
    return FilmView(
        run=name,
        tokens=probe.tokens,
        target_tokens=probe.target_tokens or (),
        alignment=probe.alignment,
        steps=[frame.step for frame in frames],
        maps=maps,  # type: ignore[arg-type]
        scores=scores,  # type: ignore[arg-type]
        live=run.status.is_live,
        last_step=run.steps or None,
        title=run.name,
        provenance=[
            f"transformer-playground: {VERSION}",
            f"run: {run.id}",
            f"task: {run.task}",
            f"seed: {run.config.get('seed')}",
        ],
    )


def _defined_scores(frames: Sequence[Frame], kind: str) -> dict[str, np.ndarray]:
    """The scores over the frames, without those that are NaN for all heads."""
    names = list(frames[-1].scores.get(kind, {}))
    tables = {name: np.stack([frame.scores[kind][name] for frame in frames]) for name in names}
    return {name: table for name, table in tables.items() if np.isfinite(table).any()}


def _thinned(frames: Sequence[Frame]) -> Sequence[Frame]:
    """As many frames as fit, evenly spaced, with the first and the last."""
    size = sum(array.nbytes for array in frames[-1].maps.values())
    most = max(2, KEPT_BYTES // max(1, size))
    if len(frames) <= most:
        return frames
    return [frames[index] for index in np.linspace(0, len(frames) - 1, most).round().astype(int)]


def score_curves(film: FilmView | None) -> ScoreCurves:
    """The film's head scores; none without a film."""
    return ScoreCurves() if film is None else ScoreCurves(steps=film.steps, tables=film.scores)  # type: ignore[arg-type]


def film_marks(film: FilmView, events: Sequence[Milestone]) -> list[FilmMark]:
    """The events that have a curve to stand on."""
    return [
        FilmMark(step=event.step, kind=kind, score=event.name, threshold=event.threshold, text=str(event.sentence))
        for event in events
        for kind in film.maps
        if kind == event.kind
    ]
