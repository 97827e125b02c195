"""Minimise the Huber loss of log losses from many starts: Hoffmann et al. 2022, appendix D.2, equation 11.

The objective is the sum over points. Its mean is thousands of times flatter than an optimiser's usual tolerances and
makes it stop early (Besiroglu et al. 2024, section 3.1). Here the sum is scaled up before L-BFGS-B sees it, and the
data are centred, where the entries of theta are nearly independent.
"""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from jaxtyping import Float
from scipy.optimize import minimize

from playground.scaling.forms.form import Form, Parameters
from playground.scaling.points import Points

LIBRARY_FOLDERS = ("../scipy.libs", ".dylibs")
"""Where scipy's wheels keep their libraries: on Linux and Windows, and on macOS."""
THREAD_SETTERS = ("scipy_openblas_set_num_threads", "openblas_set_num_threads")


def use_one_thread() -> None:
    """Limit the OpenBLAS that scipy brings along, if there is one; numpy's and torch's keep their threads.

    L-BFGS-B's matrices are a few numbers wide: threads would only wait for one another.
    """
    home = Path(scipy.__file__).parent
    for folder in LIBRARY_FOLDERS:
        for library in (home / folder).glob("*openblas*"):
            loaded = ctypes.CDLL(str(library))
            setter = next((getattr(loaded, name) for name in THREAD_SETTERS if hasattr(loaded, name)), None)
            if setter is not None:
                setter(1)


use_one_thread()

DELTA = 1e-3
"""Where the Huber loss turns from quadratic to linear, in logarithms of loss."""
SCALE = 1 / DELTA
"""Makes the objective about the sum of absolute residuals, a number near 1."""
OPTIONS = {"maxiter": 500, "maxfun": 1000, "ftol": 1e-11, "gtol": 1e-7}


@dataclass(frozen=True, kw_only=True, eq=False)
class CentredPoints:
    """Points in centred logarithms, as a formula is fitted to them."""

    form: Form
    logs: Float[np.ndarray, "column point"]
    """Logarithms of the formula's columns, `centre` subtracted: their mean is 0."""
    log_losses: Float[np.ndarray, " point"]
    centre: Float[np.ndarray, " column"]

    @classmethod
    def of(cls, form: Form, points: Points) -> "CentredPoints":
        """The points as this formula sees them."""
        logs = points.logs(form.columns)
        centre = form.centre(logs)
        return cls(form=form, logs=logs - centre[:, None], log_losses=np.log(points.loss), centre=centre)

    def starts(self) -> Float[np.ndarray, "start number"]:
        """The formula's starting points for these data."""
        return self.form.starts(self.logs, self.log_losses)

    def bounds(self) -> list[tuple[float, float]]:
        """The formula's bounds of theta for these data."""
        return self.form.bounds(self.logs, self.log_losses)

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """Theta of the centred data as parameters of the data themselves."""
        return self.form.to_parameters(self.form.shift(theta, -self.centre))

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""
        return self.form.shift(self.form.to_theta(parameters), self.centre)


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """The best of several minimisations; objectives are where each of them ended, in the order of the starts."""

    theta: Float[np.ndarray, " number"]
    objective: float
    objectives: tuple[float, ...]


def huber(residuals: Float[np.ndarray, " point"]) -> tuple[float, Float[np.ndarray, " point"]]:
    """The sum of the Huber losses of residuals, and its derivative by each (Huber 1964).

    >>> value, slope = huber(np.array([0.0005, -0.003]))
    >>> round(value / 1e-6, 6), (slope / 1e-3).round(3).tolist()
    (2.625, [0.5, -1.0])
    """
    # With c = r clipped to [-delta, delta], c r - c²/2 is r²/2 inside and delta |r| - delta²/2 outside.
    clipped = np.minimum(np.maximum(residuals, -DELTA), DELTA)
    return float(clipped @ (residuals - clipped / 2)), clipped


def objective(
    theta: Float[np.ndarray, " number"],
    form: Form,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
) -> tuple[float, Float[np.ndarray, " number"]]:
    """The sum of Huber losses, and its derivative by theta."""
    predicted, gradient = form.log_loss(theta, logs)
    value, slope = huber(predicted - log_losses)
    return value, gradient @ slope  # [number, point] @ [point]


def minimise(
    points: CentredPoints,
    starts: Float[np.ndarray, "start number"],
    fixed: dict[int, float] | None = None,
) -> Minimum:
    """Run L-BFGS-B from each start; fixed entries of theta, by index, stay at the values given."""
    bounds = points.bounds()
    for index, value in (fixed or {}).items():
        bounds[index] = (value, value)
    low, high = np.array(bounds).T
    ends = [
        minimize(
            _scaled_objective,
            np.clip(start, low, high),
            (points.form, points.logs, points.log_losses),
            "L-BFGS-B",
            jac=True,
            bounds=bounds,
            options=OPTIONS,
        )
        for start in starts
    ]
    objectives = tuple(float(end.fun) / SCALE for end in ends)
    best = int(np.argmin(objectives))
    return Minimum(theta=ends[best].x, objective=objectives[best], objectives=objectives)


def _scaled_objective(
    theta: Float[np.ndarray, " number"],
    form: Form,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
) -> tuple[float, Float[np.ndarray, " number"]]:
    value, gradient = objective(theta, form, logs, log_losses)
    return SCALE * value, SCALE * gradient
