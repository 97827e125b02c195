"""L = [(N_c / N)^(alpha_N / alpha_D) + D_c / D]^alpha_D: Kaplan et al. 2020, equation 1.5.

It is the p-norm (n^p + d^p)^(1/p), p = 1 / alpha_D, of the two single laws n = (N_c / N)^alpha_N and
d = (D_c / D)^alpha_D. theta = (alpha_N log N_c, alpha_D log D_c, alpha_N, alpha_D).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import Parameters, log_sum_exp

PAIRS = ((0.05, 0.05), (0.05, 0.1), (0.1, 0.05), (0.1, 0.1), (0.1, 0.3), (0.3, 0.1), (0.3, 0.3), (0.6, 0.6))
SHARES = (0.1, 0.4, 0.6, 0.9)
"""Of the first term in the sum, at the starting points."""
SMALLEST_EXPONENT = 0.01
LARGEST_LOGARITHM = 700.0
"""Of an N_c or D_c that a float can hold."""


@dataclass(frozen=True, kw_only=True)
class KaplanJoint:
    """Kaplan's law of parameters and tokens together."""

    columns: tuple[str, ...] = ("params", "tokens")
    parameters: tuple[str, ...] = ("N_c", "D_c", "alpha_N", "alpha_D")
    n_fitted: int = 4

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The formula as printed."""
        params, tokens = values
        n_c, d_c, alpha_n, alpha_d = (parameters[name] for name in self.parameters)
        return np.asarray(((n_c / params) ** (alpha_n / alpha_d) + d_c / tokens) ** alpha_d)

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """Its log alpha_D log(e^u + e^v), and the derivative by theta."""
        n, d, alpha_n, alpha_d = theta
        u, v = (n - alpha_n * logs[0]) / alpha_d, d / alpha_d - logs[1]
        total, (p, q) = log_sum_exp(np.stack([u, v]))
        return alpha_d * total, np.stack([p, q, -p * logs[0], total - p * u - q * d / alpha_d])

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Pairs of exponents times shares of the two terms at the median loss."""
        level = float(np.median(log_losses))
        return np.array(
            [
                [level + alpha_d * np.log(share), level + alpha_d * np.log(1 - share), alpha_n, alpha_d]
                for share, (alpha_n, alpha_d) in product(SHARES, PAIRS)
            ]
        )

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """Both terms are of the order of the loss; with an exponent of 0, N_c or D_c would not exist."""
        level = float(np.median(log_losses))
        return [(level - 20.0, level + 5.0)] * 2 + [(SMALLEST_EXPONENT, 3.0)] * 2

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """The means of the logarithms."""
        return np.asarray(logs.mean(1))

    def shift(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """N_c and D_c absorb the units of N and D."""
        shifted = theta.copy()
        shifted[..., :2] -= theta[..., 2:] * by
        return shifted

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """N_c and D_c instead of the products."""
        n, d, alpha_n, alpha_d = (float(number) for number in theta)
        n_c, d_c = (float(np.exp(min(LARGEST_LOGARITHM, log))) for log in (n / alpha_n, d / alpha_d))
        return {"N_c": n_c, "D_c": d_c, "alpha_N": alpha_n, "alpha_D": alpha_d}

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""
        n_c, d_c, alpha_n, alpha_d = (parameters[name] for name in self.parameters)
        return np.array([alpha_n * np.log(n_c), alpha_d * np.log(d_c), alpha_n, alpha_d])
