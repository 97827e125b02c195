"""Attention over training: the frames of the film, and head scores as curves over the same steps."""

import numpy as np

from playground.training.run.film import FilmProbe, Frame, read_probe
from playground.training.run.runs import Run
from ui.cache import RunLog
from ui.components.film_view import FilmView, film_view
from ui.state.training import read_film, write_film

KEPT_BYTES = 48 << 20
"""At most so much of a long film is assembled; the component thins it further for the browser."""


def show_film(run: Run, log: RunLog) -> bool:
    """Show the film; returns whether there is one."""
    log.read_film()
    probe = read_probe(run.folder)
    if probe is None or not log.frames:
        return False
    film = film_of(run, log, probe)
    chosen = film_view(film, key="film", start=read_film())
    write_film(chosen)
    return True


def film_of(run: Run, log: RunLog, probe: FilmProbe) -> FilmView:
    """All frames as arrays [frame, layer, head, query, key]."""
    frames = _thinned(log.frames)
    kinds = list(frames[-1].maps)
    return FilmView(
        run=f"{run.id}:{log.generation}",
        tokens=probe.tokens,
        target_tokens=probe.target_tokens or (),
        alignment=probe.alignment,
        steps=[frame.step for frame in frames],
        maps={kind: np.stack([frame.maps[kind] for frame in frames]) for kind in kinds},  # type: ignore[misc]
        scores={kind: _defined_scores(frames, kind) for kind in kinds},  # type: ignore[misc]
        live=run.status.is_live,
        last_step=run.steps or None,
        title=run.name,
        provenance=[f"run: {run.id}", f"task: {run.task}", f"seed: {run.config.get('seed')}"],
    )


def _defined_scores(frames: list[Frame], kind: str) -> dict[str, np.ndarray]:
    """The scores over the frames, without those that are NaN for all heads."""
    names = list(frames[-1].scores.get(kind, {}))
    tables = {name: np.stack([frame.scores[kind][name] for frame in frames]) for name in names}
    return {name: table for name, table in tables.items() if np.isfinite(table).any()}


def _thinned(frames: list[Frame]) -> list[Frame]:
    """As many frames as fit, evenly spaced, with the first and the last."""
    size = sum(array.nbytes for array in frames[-1].maps.values())
    most = max(2, KEPT_BYTES // max(1, size))
    if len(frames) <= most:
        return frames
    return [frames[index] for index in np.linspace(0, len(frames) - 1, most).round().astype(int)]
