"""Four runs of one configuration, with and without residual connections and norms: what both are for.

He et al. 2016 (residual connections), Ba et al. 2016 (layer norm), Xiong et al. 2020 (norms in transformers). The runs
were trained by `python -m benchmarks.residuals`.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from playground.errors import UserError
from playground.folders import assets_folder
from playground.lens.finding import Finding
from playground.text import N_

SHIPPED = assets_folder() / "residuals.json"


@dataclass(frozen=True, kw_only=True)
class ResidualRun:
    """One of the runs."""

    residual: bool
    norm: str
    losses: tuple[float, ...]
    """Of every step, in nats."""


@dataclass(frozen=True, kw_only=True)
class ResidualStudy:
    """All four runs, and how they were made."""

    seed: int
    layers: int
    vocabulary: int
    torch: str
    """The version that they were trained with."""
    runs: tuple[ResidualRun, ...]

    def run(self, *, residual: bool, norm: bool) -> ResidualRun:
        """The run with these parts. Raises UserError where it is missing."""
        found = (run for run in self.runs if run.residual == residual and (run.norm != "none") == norm)
        run = next(found, None)
        if run is None:
            raise UserError("The study lacks a run; make it anew with python -m benchmarks.residuals.")
        return run


def read_residual_study(path: Path = SHIPPED) -> ResidualStudy:
    """The shipped runs. Raises UserError where they are missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        runs = tuple(
            ResidualRun(residual=bool(run["residual"]), norm=str(run["norm"]), losses=tuple(map(float, run["losses"])))
            for run in values["runs"]
        )
        model = values["model"]
        return ResidualStudy(
            seed=int(values["seed"]),
            layers=int(model["layers"]),
            vocabulary=int(model["vocabulary"]),
            torch=str(values["versions"]["torch"]),
            runs=runs,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("The runs cannot be read; make them anew with python -m benchmarks.residuals.") from error


def describe_residual_study(study: ResidualStudy) -> Finding:
    """Where the four losses end, beside guessing."""
    ends = {
        "both": study.run(residual=True, norm=True),
        "no_norms": study.run(residual=True, norm=False),
        "no_residuals": study.run(residual=False, norm=True),
        "neither": study.run(residual=False, norm=False),
    }
    values: dict[str, object] = {name: run.losses[-1] for name, run in ends.items()}
    steps = len(ends["both"].losses)
    return Finding(
        template=N_(
            "After {steps} steps of {layers} layers the loss is {both:.2f} nats with both, {no_norms:.2f} without "
            "norms, {no_residuals:.2f} without residual connections, {neither:.2f} without either; guessing costs "
            "{guess:.2f}."
        ),
        values={**values, "steps": steps, "layers": study.layers, "guess": math.log(study.vocabulary)},
    )
