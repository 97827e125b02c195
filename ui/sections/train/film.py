"""The film of a run: attention over training, its events, and the checkpoint at the step that is shown."""

import dataclasses

import numpy as np
import streamlit as st

from playground.training.run.film import read_probe
from playground.training.run.metrics import Metrics
from playground.training.run.milestones import Milestone, milestones, watched_score
from playground.training.run.paths import checkpoint_steps
from playground.training.run.runs import Run
from playground.viewer.film_view.run_film import film_marks, run_film, score_curves
from ui.cache import RunLog
from ui.components.film_view import FilmState, FilmView, film_view
from ui.sections.train.checkpoint import show_checkpoint_doors
from ui.state.parameters import FILM, HEAD, KIND
from ui.state.revisions import revision
from ui.state.training import read_film, write_film


def read_film_view(run: Run, log: RunLog) -> FilmView | None:
    """The film as far as it has been taken; None before the first frame."""
    log.read_film()
    probe = read_probe(run.folder)
    return (
        None if probe is None or not log.frames else run_film(run, probe, log.frames, name=f"{run.id}:{log.generation}")
    )


def events_of(run: Run, metrics: Metrics, film: FilmView | None) -> list[Milestone]:
    """What has happened in the run so far."""
    return milestones(run.task, metrics, score_curves(film))


def show_film(run: Run, film: FilmView, events: list[Milestone]) -> None:
    """The film, with the events on its curves, and the checkpoint nearest to the step that it shows."""
    watched = watched_score(run.task, {kind: list(scores) for kind, scores in film.scores.items()})
    doors = st.container()
    marked, asked = dataclasses.replace(film, marks=film_marks(film, events)), revision(FILM)
    shown = film_view(marked, key="film", start=read_film(), watched=watched, asked=asked)
    if shown is not None:
        write_film(shown)
    with doors:
        _show_doors(run, film, shown or read_film() or best_head(film, watched))


def best_head(film: FilmView, watched: tuple[str, str] | None) -> FilmState:
    """The newest frame and the head that scores best in it, as the browser chooses before a person does."""
    if watched is None:
        return FilmState(kind=next(iter(film.maps)))
    kind, score = watched
    table = film.scores[kind][score][-1]  # type: ignore[index]
    layer, head = divmod(int(np.where(np.isfinite(table), table, -np.inf).argmax()), table.shape[1])
    return FilmState(kind=kind, layer=layer, head=head, score=score)  # type: ignore[arg-type]


def _show_doors(run: Run, film: FilmView, shown: FilmState) -> None:
    """The checkpoint nearest to the film's step, on the pages that look at a model, at the head of the film."""
    steps = checkpoint_steps(run.folder)
    if not steps:
        return
    step = film.steps[-1] if shown.step is None else shown.step
    nearest = nearest_checkpoint(steps, step)
    head = {str(HEAD): f"{shown.layer}.{shown.head}", str(KIND): shown.kind}
    show_checkpoint_doors(run, nearest, head)


def nearest_checkpoint(steps: tuple[int, ...], step: int) -> int:
    """The checkpoint nearest to a step; of two, the later one.

    >>> nearest_checkpoint((0, 100, 200), 140), nearest_checkpoint((0, 100), 50)
    (100, 100)
    """
    return min(steps, key=lambda known: (abs(known - step), -known))
