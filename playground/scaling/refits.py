"""Hoffmann's runs, fitted in the ways in which the papers differ: why one table of runs gives two laws.

Besiroglu et al. 2024, section 3: the printed law is no minimum. The mean of the Huber losses is so small a number that
an optimiser of common tolerances stops where it began. The minimum without the five highest losses is at B 2142.96;
with B 2143.8, as the replication's code ends, the objective is higher by a part in a hundred million.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from playground.errors import UserError
from playground.folders import assets_folder
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.points_csv import read_points
from playground.scaling.published import HOFFMANN

OUTLIERS = 5
"""The runs of the highest losses that Besiroglu et al. 2024 leave out."""
Weighing = Literal["scaled", "sum", "mean"]
Beginning = Literal["grid", "middle", "printed"]
MAGNIFIED = 1e3
"""Times 1 / delta: the optimiser's tolerance, an absolute one below 1, is then far below what tells two laws apart."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A way to fit Chinchilla's law.

    Raises UserError for an unknown choice, and for a delta or a number of runs that makes no fit.
    """

    left_out: int = OUTLIERS
    """How many runs of the highest losses are left out."""
    weighing: Weighing = "scaled"
    """What is minimised: the sum of the Huber losses, their mean, or the sum times a large number."""
    beginning: Beginning = "grid"
    """Where the optimiser begins: many starts of Hoffmann's grid, its middle alone, or the printed law."""
    delta: float = 1e-3
    """Where the Huber loss turns from quadratic to linear, in logarithms of loss."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("weighing", self.weighing, get_args(Weighing)),
            ("beginning", self.beginning, get_args(Beginning)),
        ):
            if value not in known:
                choices = ", ".join(known)
                raise UserError(
                    "There is no {name} {value!r}; choose one of {known}.", name=name, value=value, known=choices
                )
        if not 1e-6 <= self.delta <= 10:
            raise UserError("A Huber delta of {delta:g} makes no fit; choose 1e-6 to 10.", delta=self.delta)
        if self.left_out < 0:
            raise UserError("{left_out} runs cannot be left out; choose 0 or more.", left_out=self.left_out)


@dataclass(frozen=True, kw_only=True)
class Refit:
    """Where the best start ended."""

    parameters: Parameters
    objective: float
    """The sum of the Huber losses there, whatever was minimised."""
    printed_objective: float
    """The same at the printed law."""
    n_runs: int


def hoffmann_csv() -> Path:
    """The table of Hoffmann's runs that comes with the app."""
    return assets_folder() / "published" / "hoffmann-2022.csv"


def hoffmann_points() -> Points:
    """The 245 runs of Hoffmann et al. 2022, as read off by Besiroglu et al. 2024."""
    return read_points(hoffmann_csv().read_text(encoding="utf-8")).points


def without_highest(points: Points, count: int) -> Points:
    """The runs without those of the highest losses, in their order. Raises UserError where none would be left."""
    if not 0 <= count < len(points):
        raise UserError(
            "{count} of {n_points} runs cannot be left out; choose 0 to {most}.",
            count=count,
            n_points=len(points),
            most=len(points) - 1,
        )
    return points.take(np.sort(np.argsort(points.loss, kind="stable")[: len(points) - count]))


def refit(points: Points, recipe: Recipe) -> Refit:
    """Fit Chinchilla's law with scipy's L-BFGS-B at its own tolerances. Raises UserError for too few runs."""
    law = LAWS["chinchilla"]
    if len(points) - recipe.left_out < law.fewest_points:
        raise UserError("Too few runs are left: {count}.", count=max(0, len(points) - recipe.left_out))
    kept = without_highest(points, recipe.left_out)
    logs, log_losses = kept.logs(law.form.columns), np.log(kept.loss)
    scale = {"scaled": MAGNIFIED / recipe.delta, "sum": 1.0, "mean": 1.0 / len(kept)}[recipe.weighing]

    def objective(theta: Float[np.ndarray, " number"]) -> tuple[float, Float[np.ndarray, " number"]]:
        predicted, gradient = law.form.log_loss(theta, logs)
        residuals = predicted - log_losses
        clipped = np.clip(residuals, -recipe.delta, recipe.delta)
        return scale * float(clipped @ (residuals - clipped / 2)), scale * (gradient @ clipped)

    ends = [minimize(objective, start, method="L-BFGS-B", jac=True) for start in starts(recipe.beginning)]
    best = min(ends, key=lambda end: float(end.fun))
    return Refit(
        parameters=law.form.to_parameters(best.x),
        objective=float(best.fun) / scale,
        printed_objective=objective(law.form.to_theta(HOFFMANN.parameters))[0] / scale,
        n_runs=len(kept),
    )


def starts(beginning: Beginning) -> Float[np.ndarray, "start number"]:
    """(log E, log A, log B, alpha, beta) of each start; the grid's are 16 of those of Hoffmann et al., appendix D.2.

    >>> starts("middle").tolist()
    [[0.0, 10.0, 10.0, 1.0, 1.0]]
    """
    if beginning == "printed":
        return LAWS["chinchilla"].form.to_theta(HOFFMANN.parameters)[None]
    if beginning == "middle":
        return np.array([[0.0, 10.0, 10.0, 1.0, 1.0]])
    return np.array(list(product((0.0, 0.5), (5.0, 10.0), (5.0, 10.0), (0.5,), (0.5, 1.0))))
