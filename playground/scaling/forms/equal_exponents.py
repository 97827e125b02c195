"""L = E + (a M^eta + b M^-eta) C^-eta, with M = D / N and C = 6 N D: Gadre et al. 2024, equation 4.

It is Chinchilla's law with alpha = beta. N is (C / (6 M))^(1/2) and D is (C M / 6)^(1/2), so A / N^alpha is
A (6 M / C)^(alpha/2): eta = alpha / 2, a = 6^eta A, and b = 6^eta B. theta = (log E, log A, log B, eta).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import LARGEST_EXPONENT, OFFSET_SHARES, Parameters, log_sum_exp, offset_bounds
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN

ETAS = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.75)
"""Starting points: halves of those of a power law in N or D."""
LOG_SIX = float(np.log(FLOPS_PER_PARAMETER_AND_TOKEN))


@dataclass(frozen=True, kw_only=True)
class EqualExponents:
    """Chinchilla's law with one exponent, in compute and tokens per parameter."""

    columns: tuple[str, ...] = ("params", "tokens")
    parameters: tuple[str, ...] = ("E", "a", "b", "eta")
    n_fitted: int = 4

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The formula as printed.

        >>> law = {"E": 1.0, "a": 12.0, "b": 3.0, "eta": 0.5}  # C = 6 * 6 * 24, M = 4
        >>> round(float(EqualExponents().loss(law, np.array(6.0), np.array(24.0))), 6)
        1.867528
        """
        params, tokens = values
        offset, a, b, eta = (parameters[name] for name in self.parameters)
        flops, ratio = FLOPS_PER_PARAMETER_AND_TOKEN * params * tokens, tokens / params
        return np.asarray(offset + (a * ratio**eta + b * ratio**-eta) * flops**-eta)

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """Its log as a log-sum-exp of (log E, log A - 2 eta log N, log B - 2 eta log D), and the derivative."""
        eta = theta[3]
        terms = np.stack([np.full_like(logs[0], theta[0]), theta[1] - 2 * eta * logs[0], theta[2] - 2 * eta * logs[1]])
        total, shares = log_sum_exp(terms)
        return total, np.concatenate([shares, -2 * (shares[1:] * logs).sum(0, keepdims=True)])

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Offsets times exponents; the two powers share equally what the offset leaves of the median loss."""
        smallest, median = np.exp(log_losses.min()), np.exp(np.median(log_losses))
        return np.array(
            [
                [np.log(share * smallest), *[np.log((median - share * smallest) / 2)] * 2, eta]
                for share, eta in product(OFFSET_SHARES, ETAS)
            ]
        )

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """As in a sum of powers."""
        level = float(log_losses.max())
        return [offset_bounds(log_losses), *[(level - 25.0, level + 5.0)] * 2, (0.0, LARGEST_EXPONENT / 2)]

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """The means of the logarithms."""
        return np.asarray(logs.mean(1))

    def shift(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """A and B absorb the units of N and D."""
        shifted = theta.copy()
        shifted[..., 1:3] -= 2 * theta[..., 3:4] * by
        return shifted

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """E, a = 6^eta A, b = 6^eta B, and eta."""
        e, log_a, log_b, eta = (float(number) for number in theta)
        values = (np.exp(e), np.exp(log_a + eta * LOG_SIX), np.exp(log_b + eta * LOG_SIX), eta)
        return {name: float(value) for name, value in zip(self.parameters, values, strict=True)}

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""
        offset, a, b, eta = (parameters[name] for name in self.parameters)
        return np.array([np.log(offset), np.log(a) - eta * LOG_SIX, np.log(b) - eta * LOG_SIX, eta])
