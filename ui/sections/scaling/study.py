"""The points at hand: measured losses, the curves on the way, and where they come from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.scaling.frontier import Curve
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points
from playground.scaling.points_csv import BadRow, read_points
from playground.sweeps.folder import find_sweep
from playground.sweeps.results import Point, read_curves_file, read_points_file
from playground.text import _
from playground.transformer import TransformerConfig
from ui.tables import csv_table

SHIPPED = Path(__file__).resolve().parents[3] / "assets" / "sweeps"


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """Points and what is known of them. links: where each run is opened; empty where its folder is not here.

    without_embeddings are the parameters without embeddings and head, where they are known; floor is the lowest
    possible loss, where it is known; folder is a sweep's. origin says where the points come from, in what is taken
    home. unopened says why no run can be opened, where a click might be thought to open one.
    """

    title: str
    origin: str
    points: Points
    links: tuple[str, ...]
    without_embeddings: Float[np.ndarray, " point"] | None = None
    curves: tuple[Curve, ...] = ()
    floor: float | None = None
    bad: tuple[BadRow, ...] = ()
    warnings: tuple[str, ...] = ()
    counts_embeddings: bool = True
    folder: Path | None = None
    unopened: str = ""

    @property
    def clicks(self) -> tuple[str, ...]:
        """What a click on each run does, as a live chart reads it: it opens a link, or is answered with a sentence."""
        return tuple(link or (f"say:{self.unopened}" if self.unopened else "") for link in self.links)

    @property
    def mark(self) -> str:
        """What answers about these points are found by."""
        arrays = (self.points.params, self.points.tokens, self.points.loss, self.points.flops)
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]

    @property
    def names(self) -> list[str]:
        """What each point is called."""
        return [self.points.name(row) for row in range(len(self.points))]

    def csv(self) -> str:
        """The points as a table that `playground fit` reads."""
        columns = (self.points.params, self.points.tokens, self.points.flops, self.points.loss)
        rows = zip(self.names, *(column.tolist() for column in columns), strict=True)
        cells = [(name, *(f"{value:.10g}" for value in values)) for name, *values in rows]
        return csv_table([("run", "params", "tokens", "flops", "loss"), *cells])

    def shapes(self) -> list[TransformerConfig]:
        """The model of each run; empty for a table. Raises UserError where the sweep's configuration is damaged."""
        if self.folder is None:
            return []
        known = {cell.name: cell.config.model for cell in find_sweep(self.folder).cells}
        return [known[name] for name in self.names] if set(self.names) <= set(known) else []

    def counted_without_embeddings(self) -> "Study":
        """The same runs, their parameters counted without embeddings and head, and their compute as 6 N D of those."""
        if self.without_embeddings is None:
            return self
        points = replace(
            self.points,
            params=self.without_embeddings,
            flops=FLOPS_PER_PARAMETER_AND_TOKEN * self.without_embeddings * self.points.tokens,
        )
        counted = dict(zip(self.names, self.without_embeddings.tolist(), strict=True))
        curves = tuple(replace(one, params=counted[one.name], flops_per_token=None) for one in self.curves)
        return replace(self, points=points, curves=curves, counts_embeddings=False)


def study_of_sweep(folder: Path, *, title: str, origin: str, opens: bool) -> Study:
    """A sweep's finished cells. opens: its runs lie where the train page finds them.

    Raises UserError where none has finished.
    """
    rows = read_points_file(folder)
    if not rows:
        raise UserError(_("No run of this sweep has finished yet."))
    floors = [row.floor for row in rows if row.floor is not None]
    return Study(
        title=title,
        origin=origin,
        points=_points(rows),
        links=tuple(f"train?run={folder.name}-{row.run}" if opens else "" for row in rows),
        without_embeddings=_column(rows, "params_without_embeddings"),
        curves=_curves(folder, rows),
        floor=float(np.mean(floors)) if floors else None,
        folder=folder,
        unopened="" if opens else _("This run's numbers came with the app, its folder did not: nothing can be opened."),
    )


def _points(rows: Sequence[Point]) -> Points:
    columns = {name: _column(rows, name) for name in ("params", "tokens", "loss", "flops")}
    return Points(**columns, names=tuple(row.run for row in rows), seeds=tuple(row.seed for row in rows))


def _column(rows: Sequence[Point], name: str) -> Float[np.ndarray, " point"]:
    return np.array([float(getattr(row, name)) for row in rows])


def _curves(folder: Path, rows: Sequence[Point]) -> tuple[Curve, ...]:
    """The held-out losses on the way of each finished cell; those before its first step have no logarithm."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in read_curves_file(folder):
        if one.tokens > 0 and one.loss > 0:
            found.setdefault(one.run, []).append((float(one.tokens), one.loss))
    curves = []
    for row in rows:
        if row.run in found:
            tokens, loss = np.array(found[row.run]).T
            each = row.flops / row.tokens
            curves.append(Curve(name=row.run, params=row.params, tokens=tokens, loss=loss, flops_per_token=each))
    return tuple(curves)


def study_of_table(text: str, columns: dict[str, str]) -> Study:
    """A table that a person brought. Raises UserError where it cannot be read."""
    read = read_points(text, columns)
    return Study(
        title=_("Your table"),
        origin=_("a table of one's own"),
        points=read.points,
        links=("",) * len(read.points),
        bad=read.bad,
        warnings=read.warnings,
    )
