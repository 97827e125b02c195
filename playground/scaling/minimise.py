"""Least Huber loss of log losses, from many starts: Hoffmann et al. 2022, appendix D.2, equation 12.

The objective is the sum over points. Its mean is thousands of times flatter than an optimiser's usual tolerances and
makes it stop early (Besiroglu et al. 2024, section 3.1); here the sum is scaled up before it is handed over, and the
data lie around 0, where the numbers of a law hardly depend on each other.
"""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from jaxtyping import Float
from scipy.optimize import minimize

from playground.scaling.forms.form import Form

PLACES = ("../scipy.libs", ".dylibs")
"""Where scipy's wheels keep their libraries: on Linux and Windows, and on macOS."""
SETTERS = ("scipy_openblas_set_num_threads", "openblas_set_num_threads")


def use_one_thread() -> None:
    """Tell the OpenBLAS that scipy brings along; numpy's and torch's keep their threads. Nothing where it has none."""
    home = Path(scipy.__file__).parent
    for place in PLACES:
        for library in (home / place).glob("*openblas*"):
            loaded = ctypes.CDLL(str(library))
            setter = next((getattr(loaded, name) for name in SETTERS if hasattr(loaded, name)), None)
            if setter is not None:
                setter(1)


use_one_thread()

DELTA = 1e-3
"""Where the Huber loss turns from quadratic to linear, in logarithms of loss."""
SCALE = 1 / DELTA
"""Makes the objective about the sum of absolute residuals, a number near 1."""
OPTIONS = {"maxiter": 500, "maxfun": 1000, "ftol": 1e-11, "gtol": 1e-7}


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """Where the best start ended, and the objective that each start ended with, in the order of the starts."""

    theta: Float[np.ndarray, " number"]
    objective: float
    objectives: tuple[float, ...]


def huber(residuals: Float[np.ndarray, " point"]) -> tuple[float, Float[np.ndarray, " point"]]:
    """The sum of the Huber losses of residuals, and its derivative by each (Huber 1964).

    >>> value, slope = huber(np.array([0.0005, -0.003]))
    >>> round(value / 1e-6, 6), (slope / 1e-3).round(3).tolist()
    (2.625, [0.5, -1.0])
    """
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
    return value, gradient @ slope


def minimise(
    form: Form,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
    starts: Float[np.ndarray, "start number"],
    held: dict[int, float] | None = None,
) -> Minimum:
    """Run L-BFGS-B from each start. logs lie around 0; held numbers of theta stay at the values given."""
    bounds = form.bounds(logs, log_losses)
    for index, value in (held or {}).items():
        bounds[index] = (value, value)
    low, high = np.array(bounds).T
    ends = [
        minimize(
            _scaled,
            np.clip(start, low, high),
            (form, logs, log_losses),
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


def _scaled(
    theta: Float[np.ndarray, " number"],
    form: Form,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
) -> tuple[float, Float[np.ndarray, " number"]]:
    value, gradient = objective(theta, form, logs, log_losses)
    return SCALE * value, SCALE * gradient
