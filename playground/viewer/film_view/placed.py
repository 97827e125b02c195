"""The film of a run's folder as a view of a page without a server."""

import dataclasses
from pathlib import Path

from playground.errors import UserError
from playground.training.run.film import read_frames, read_probe
from playground.training.run.metrics import read_metrics
from playground.training.run.milestones import milestones, watched_score
from playground.training.run.runs import Run, read_run
from playground.viewer.film_view.assets import CSS, HERE, OWN, SHARED
from playground.viewer.film_view.message import film_payload
from playground.viewer.film_view.run_film import film_marks, run_film, score_curves
from playground.viewer.shared.bundle import joined_modules
from playground.viewer.shared.page import PlacedView


def placed_film(subject: Run | str | Path) -> tuple[PlacedView, str, list[str]]:
    """The film with the events on its curves, its title, and where it comes from.

    Raises UserError for a folder that holds no run, or a run without a frame.
    """
    run = subject if isinstance(subject, Run) else read_run(Path(subject).expanduser())
    probe, frames = read_probe(run.folder), read_frames(run.folder)
    if probe is None or not frames:
        raise UserError("The run {name} has no film yet: its first frame comes after the first steps.", name=run.name)
    film = run_film(run, probe, frames, name=run.id)
    events = milestones(run.task, read_metrics(run.folder)[0], score_curves(film))
    film = dataclasses.replace(film, marks=film_marks(film, events), live=False)
    watched = watched_score(run.task, {kind: list(scores) for kind, scores in film.scores.items()})
    part = PlacedView(
        module=joined_modules(HERE, OWN, shared=f"{SHARED} placed"),
        function="filmView",
        css=CSS,
        data=film_payload(film, watched=watched),
    )
    return part, film.title, list(film.provenance)
