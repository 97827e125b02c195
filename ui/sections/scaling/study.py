"""The current data set: measured losses, the training curves behind them, and their source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from playground.csv_table import csv_table
from playground.errors import UserError
from playground.scaling.frontier import LossCurve
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points
from playground.scaling.points_csv import BadRow, read_points
from playground.scaling.refits import hoffmann_points
from playground.sweeps.folder import find_sweep
from playground.sweeps.results import CellResult, curves_by_run, read_points_file
from playground.text import _
from playground.transformer import TransformerConfig
from ui.state.parameters import RUN
from ui.text import page_link

HOFFMANN_RUNS = "hoffmann"
"""The source of the published runs."""
SHIPPED = Path(__file__).resolve().parents[3] / "assets" / "sweeps"


@dataclass(frozen=True, kw_only=True, eq=False)
class ScalingStudy:
    """Points and what is known of them."""

    title: str
    source: str
    """Where the points come from, for figures and exports."""
    points: Points
    run_ids: tuple[str, ...]
    """Of each run among this machine's; empty where its folder is not here."""
    without_embeddings: Float[np.ndarray, " point"] | None = None
    """Parameters without embeddings and head, where they are known."""
    bits_per_byte: Float[np.ndarray, " point"] | None = None
    """The losses in bits per byte of the text, where they are known of every run."""
    curves: tuple[LossCurve, ...] = ()
    floor: float | None = None
    """The known entropy of the held-out text."""
    bad: tuple[BadRow, ...] = ()
    warnings: tuple[str, ...] = ()
    counts_embeddings: bool = True
    folder: Path | None = None
    """A sweep's; None for a table."""
    unopened: str = ""
    """Why no run can be opened, where a click might be expected to open one."""

    @property
    def links(self) -> tuple[str, ...]:
        """Where each run is opened; empty where its folder is not on this machine."""
        return tuple(page_link("train", (RUN, run_id)) if run_id else "" for run_id in self.run_ids)

    @property
    def clicks(self) -> tuple[str, ...]:
        """What a click on each run does, as a live chart takes it: open a link, or answer with a sentence."""
        return tuple(link or (f"say:{self.unopened}" if self.unopened else "") for link in self.links)

    @property
    def opens_runs(self) -> bool:
        """Whether a click on a run leads anywhere."""
        return any(self.links)

    @property
    def fingerprint(self) -> str:
        """Identifies the points in caches."""
        return self.points.fingerprint

    @property
    def names(self) -> list[str]:
        """The name of each point."""
        return [self.points.name(index) for index in range(len(self.points))]

    def csv(self) -> str:
        """The points as a table that `playground fit` reads."""
        names: tuple[str, ...] = ("params", "tokens", "flops", "loss", "unique")
        columns = [getattr(self.points, name) for name in names]
        if self.bits_per_byte is not None:
            names, columns = (*names, "bits_per_byte"), [*columns, self.bits_per_byte]
        runs = zip(self.names, *(column.tolist() for column in columns), strict=True)
        table = [(name, *(f"{value:.10g}" for value in values)) for name, *values in runs]
        return csv_table([("run", *names), *table])

    def shapes(self) -> list[TransformerConfig]:
        """The model of each run; empty for a table. Raises UserError where the sweep's configuration is damaged."""
        if self.folder is None:
            return []
        known = {cell.name: cell.config.model for cell in find_sweep(self.folder).cells}
        return [known[name] for name in self.names] if set(self.names) <= set(known) else []

    def counted_without_embeddings(self) -> "ScalingStudy":
        """The same runs with N without embeddings and head, and C = 6 N D of that N."""
        if self.without_embeddings is None:
            return self
        points = replace(
            self.points,
            params=self.without_embeddings,
            flops=FLOPS_PER_PARAMETER_AND_TOKEN * self.without_embeddings * self.points.tokens,
        )
        counted = dict(zip(self.names, self.without_embeddings.tolist(), strict=True))
        curves = tuple(replace(curve, params=counted[curve.name], flops_per_token=None) for curve in self.curves)
        return replace(self, points=points, curves=curves, counts_embeddings=False)


def study_of_sweep(folder: Path, *, title: str, source: str, opens: bool) -> ScalingStudy:
    """A sweep's finished cells; opens: its runs lie where the Train page finds them.

    Raises UserError where none has finished.
    """
    results = read_points_file(folder)
    if not results:
        raise UserError("No run of this sweep has finished yet.")
    floors = [result.floor for result in results if result.floor is not None]
    return ScalingStudy(
        title=title,
        source=source,
        points=_points(results),
        run_ids=tuple(f"{folder.name}-{result.run}" if opens else "" for result in results),
        without_embeddings=_column(results, "params_without_embeddings"),
        bits_per_byte=None
        if any(result.bits_per_byte is None for result in results)
        else _column(results, "bits_per_byte"),
        curves=_curves(folder, results),
        floor=float(np.mean(floors)) if floors else None,
        folder=folder,
        unopened="" if opens else _("This run's numbers came with the app, its folder did not: nothing can be opened."),
    )


def _points(results: Sequence[CellResult]) -> Points:
    columns = {name: _column(results, name) for name in ("params", "tokens", "loss", "flops")}
    names, seeds = tuple(result.run for result in results), tuple(result.seed for result in results)
    return Points(**columns, names=names, seeds=seeds)


def _column(results: Sequence[CellResult], name: str) -> Float[np.ndarray, " point"]:
    return np.array([float(getattr(result, name)) for result in results])


def _curves(folder: Path, results: Sequence[CellResult]) -> tuple[LossCurve, ...]:
    """The training curve of each finished cell, without what has no logarithm, such as a loss before the first step."""
    points = curves_by_run(folder)
    curves = []
    for result in results:
        pairs = [(float(point.tokens), point.loss) for point in points.get(result.run, ())]
        positive = [(tokens, loss) for tokens, loss in pairs if tokens > 0 and loss > 0]
        if positive:
            tokens, loss = np.array(positive).T
            each = result.flops / result.tokens
            curves.append(
                LossCurve(name=result.run, params=result.params, tokens=tokens, loss=loss, flops_per_token=each)
            )
    return tuple(curves)


def study_of_table(text: str, columns: dict[str, str]) -> ScalingStudy:
    """An uploaded table. Raises UserError where it cannot be read."""
    table = read_points(text, columns)
    return ScalingStudy(
        title=_("Your table"),
        source=_("an uploaded table"),
        points=table.points,
        run_ids=("",) * len(table.points),
        bad=table.bad,
        warnings=table.warnings,
    )


def study_of_hoffmann(title: str) -> ScalingStudy:
    """The runs of Hoffmann et al. 2022, as read off a figure."""
    points = hoffmann_points()
    return ScalingStudy(
        title=title,
        source=_("Hoffmann et al. 2022, figure 4, as read off by Besiroglu et al. 2024"),
        points=points,
        run_ids=("",) * len(points),
    )
