"""L = E + A x^-c0 (1 + (x / d1)^(1/f1))^(-c1 f1): Caballero et al. 2022, equation 1, with one break.

Before the break at d1 the exponent is c0, after it c0 + c1; f1 is the width of the transition in log x.
theta = (log E, log A, c0, c1, log d1, log f1).
"""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import Parameters, offset_bounds

OFFSETS = (0.1, 0.8)
BREAKS = (0.2, 0.4, 0.6, 0.8)
EXPONENTS = ((0.1, 0.3), (0.4, -0.3), (0.3, 0.5), (0.8, -0.6))
WIDTH = 0.5


@dataclass(frozen=True, kw_only=True)
class BrokenPower:
    """A power law with one smooth break, in one column."""

    columns: tuple[str, ...]
    parameters: tuple[str, ...] = ("E", "A", "c0", "c1", "d1", "f1")
    n_fitted: int = 6

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The formula as printed."""
        (x,) = values
        e, a, c0, c1, d1, f1 = (parameters[name] for name in self.parameters)
        # log (1 + z^(1/f))^f as a softplus: z^(1/f) itself overflows where the break is sharp.
        softplus = f1 * np.logaddexp(0.0, np.log(x / d1) / f1)
        return np.asarray(e + a * x**-c0 * np.exp(-c1 * softplus))

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """Its log, and the derivative by theta."""
        e, a, c0, c1, d, log_f = (float(number) for number in theta)
        x, f = logs[0], math.exp(log_f)
        z = (x - d) / f
        softplus = np.logaddexp(0.0, z)
        sigmoid = np.exp(z - softplus)  # the derivative of the softplus
        power = a - c0 * x - (c1 * f) * softplus
        total = np.logaddexp(e, power)
        gradient = np.empty((len(theta), len(x)))
        gradient[0] = np.exp(e - total)
        share = gradient[1] = np.exp(power - total)
        gradient[2] = -x * share
        gradient[3] = (-f * softplus) * share
        gradient[4] = c1 * sigmoid * share
        gradient[5] = (-c1 * f) * (softplus - z * sigmoid) * share
        return total, gradient

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Offsets times break positions times pairs of exponents; A makes the curve meet the median loss."""
        smallest, median = np.exp(log_losses.min()), np.exp(np.median(log_losses))
        return np.array(
            [
                [np.log(share * smallest), np.log(median - share * smallest), c0, c1, position, np.log(WIDTH)]
                for share, position, (c0, c1) in product(OFFSETS, np.quantile(logs[0], BREAKS), EXPONENTS)
            ]
        )

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """The break lies within the data; its transition is at most two decades wide."""
        level = float(log_losses.max())
        position = (float(logs[0].min()), float(logs[0].max()))
        return [offset_bounds(log_losses), (level - 25.0, level + 5.0), (-1.0, 5.0), (-5.0, 5.0), position, (-3.0, 1.5)]

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """The mean of the logarithms."""
        return np.asarray(logs.mean(1))

    def shift(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """The break moves along; A absorbs x^-c0."""
        shifted = theta.copy()
        shifted[..., 1] -= theta[..., 2] * by[0]
        shifted[..., 4] -= by[0]
        return shifted

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """Theta by name, without the logarithms."""
        e, a, c0, c1, d, f = (float(number) for number in theta)
        values = (np.exp(e), np.exp(a), c0, c1, np.exp(d), np.exp(f))
        return {name: float(value) for name, value in zip(self.parameters, values, strict=True)}

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""
        e, a, c0, c1, d1, f1 = (parameters[name] for name in self.parameters)
        return np.array([np.log(e), np.log(a), c0, c1, np.log(d1), np.log(f1)])
