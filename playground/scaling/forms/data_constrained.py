"""L = E + A / N'^alpha + B / D'^beta with repeated data: Muennighoff et al. 2023, equations 5 and 6 and appendix A.

U_D unique tokens are read 1 + R_D times. The value of a repeated token decays, and so does that of a parameter beyond
the U_N that are optimal for U_D tokens: D' = U_D + U_D R_D* (1 - exp(-R_D / R_D*)), and N' alike. A fit ties beta to
alpha, as the paper does. theta = (log E, log A, log B, alpha, log R_D*, log R_N*).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import LARGEST_EXPONENT, OFFSET_SHARES, Parameters, log_sum_exp, offset_bounds

EXPONENTS = (0.15, 0.3, 0.5, 0.8)
DECAYS = ((15.0, 5.0), (4.0, 20.0))
LARGEST_LOGARITHM = 300.0


@dataclass(frozen=True, kw_only=True)
class DataConstrained:
    """Chinchilla's law with effective parameters and effective tokens."""

    columns: tuple[str, ...] = ("params", "tokens", "unique")
    parameters: tuple[str, ...] = ("E", "A", "B", "alpha", "beta", "R_D", "R_N")
    n_fitted: int = 6

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The formula as printed."""
        params, tokens, unique = values
        unique = np.minimum(unique, tokens)
        enough = np.minimum(optimal_parameters(parameters, unique), params)
        data = effective(unique, tokens / unique - 1, parameters["R_D"])
        size = effective(enough, params / enough - 1, parameters["R_N"])
        powers = parameters["A"] / size ** parameters["alpha"] + parameters["B"] / data ** parameters["beta"]
        return np.asarray(parameters["E"] + powers)

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """Its log, and the derivative by theta."""
        e, a, b, alpha, log_r_d, log_r_n = theta
        unique = np.minimum(logs[2], logs[1])
        data, data_by_r, _ = log_effective(unique, logs[1], np.exp(log_r_d))
        optimal = unique + (a - b) / alpha
        size, size_by_r, size_by_optimal = log_effective(np.minimum(optimal, logs[0]), logs[0], np.exp(log_r_n))
        size_by_optimal = np.where(optimal < logs[0], size_by_optimal, 0.0)
        terms = np.stack([np.full_like(size, e), a - alpha * size, b - alpha * data])
        # Shares of the three terms in the loss, each [point]; U_N depends on A, B and alpha, so size does, too.
        total, (offset, by_size, by_data) = log_sum_exp(terms)
        gradient = np.stack(
            [
                offset,
                by_size * (1 - size_by_optimal),
                by_data + by_size * size_by_optimal,
                by_size * (size_by_optimal * (a - b) / alpha - size) - by_data * data,
                -alpha * by_data * data_by_r,
                -alpha * by_size * size_by_r,
            ]
        )
        return total, gradient

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Chinchilla's, times fast and slow decays."""
        smallest, median = np.exp(log_losses.min()), np.exp(np.median(log_losses))
        return np.array(
            [
                [np.log(share * smallest), *[np.log((median - share * smallest) / 2)] * 2, alpha, *np.log(decays)]
                for share, alpha, decays in product(OFFSET_SHARES, EXPONENTS, DECAYS)
            ]
        )

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """Decay constants between 0.01 and 10,000 repeats: beyond either nothing changes."""
        level = float(log_losses.max())
        powers = [(level - 25.0, level + 5.0)] * 2
        decays = [(float(np.log(0.01)), float(np.log(1e4)))] * 2
        return [offset_bounds(log_losses), *powers, (0.01, LARGEST_EXPONENT), *decays]

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """The means of the logarithms; tokens and unique tokens are shifted alike, which keeps their ratio."""
        size, data = logs[0].mean(), logs[1].mean()
        return np.array([size, data, data])

    def shift(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """As in a sum of powers; U_N then moves along."""
        shifted = theta.copy()
        shifted[..., 1:3] -= theta[..., 3:4] * by[:2]
        return shifted

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """Theta by name, without the logarithms; beta is alpha."""
        e, a, b, alpha, r_d, r_n = (float(number) for number in theta)
        values = (np.exp(e), np.exp(a), np.exp(b), alpha, alpha, np.exp(r_d), np.exp(r_n))
        return {name: float(value) for name, value in zip(self.parameters, values, strict=True)}

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""
        logarithms = np.log([parameters[name] for name in ("E", "A", "B", "R_D", "R_N")])
        return np.array([*logarithms[:3], parameters["alpha"], *logarithms[3:]])


def optimal_parameters(parameters: Parameters, tokens: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
    """U_N, the N for which these tokens are compute-optimal: G (D G)^(beta/alpha).

    Source: Muennighoff et al. 2023, appendix A.
    """
    alpha, beta = parameters["alpha"], parameters["beta"]
    g = (alpha * parameters["A"] / (beta * parameters["B"])) ** (1 / (alpha + beta))
    return np.asarray((tokens * g) ** (beta / alpha) * g)


def effective(
    unique: Float[np.ndarray, " point"], repeats: Float[np.ndarray, " point"], decay: float
) -> Float[np.ndarray, " point"]:
    """The effective amount of `unique` tokens (or parameters) with so many repeats: U + U R* (1 - exp(-R / R*))."""
    return np.asarray(unique + unique * decay * (1 - np.exp(-repeats / decay)))


def log_effective(
    unique: Float[np.ndarray, " point"], total: Float[np.ndarray, " point"], decay: float
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """log `effective` from logarithms, and its derivatives by log decay and by log unique."""
    times = np.exp(np.minimum(total - unique, LARGEST_LOGARITHM))
    repeats = times - 1
    left = np.exp(-repeats / decay)
    factor = 1 + decay * (1 - left)
    by_decay = (decay * (1 - left) - repeats * left) / factor
    return unique + np.log(factor), by_decay, 1 - times * left / factor
