"""L = E + A / N^alpha + B / D^beta, or a part of it: Kaplan et al. 2020, section 1.2; Hoffmann et al. 2022, eq. 2."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import LARGEST_EXPONENT, OFFSET_SHARES, Parameters, log_sum_exp, offset_bounds

PAIRS = ((0.2, 0.2), (0.2, 0.5), (0.2, 0.9), (0.5, 0.2), (0.5, 0.5), (0.5, 0.9), (0.9, 0.2), (0.9, 0.9))
SINGLES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.9, 1.5)
ALONE = tuple(0.05 * number for number in range(1, 33))
"""Starting exponents: of two powers, of one beside an offset, of one by itself."""


@dataclass(frozen=True, kw_only=True)
class PowerSum:
    """A sum of powers, with or without an offset. theta = (log E, log coefficients, exponents)."""

    columns: tuple[str, ...]
    coefficients: tuple[str, ...]
    exponents: tuple[str, ...]
    offset: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """E where there is an offset, coefficients, exponents."""
        return (*(("E",) if self.offset else ()), *self.coefficients, *self.exponents)

    @property
    def n_fitted(self) -> int:
        """One entry of theta for each parameter."""
        return len(self.parameters)

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """E + A / N^alpha + B / D^beta.

        >>> law = PowerSum(columns=("params",), coefficients=("A",), exponents=("alpha",))
        >>> float(law.loss({"E": 1.5, "A": 10.0, "alpha": 0.5}, 100.0))
        2.5
        """
        terms = zip(values, self.coefficients, self.exponents, strict=True)
        powers = sum(parameters[coefficient] / value ** parameters[exponent] for value, coefficient, exponent in terms)
        return np.asarray(parameters.get("E", 0.0) + powers)

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """Its log as a log-sum-exp, and the derivative by theta (Hoffmann et al. 2022, appendix D.2).

        Chinchilla's law: terms (log E, log A - alpha log N, log B - beta log D) [3, point].
        """
        count, first = len(logs), int(self.offset)
        terms = np.empty((count + first, logs.shape[1]))
        terms[:first] = theta[0]
        terms[first:] = theta[first : first + count, None] - theta[first + count :, None] * logs
        total, shares = log_sum_exp(terms)
        return total, np.concatenate([shares, -shares[first:] * logs])

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Offsets times exponents; the powers share equally what the offset leaves of the median loss."""
        if not self.offset:
            level = float(np.median(log_losses))
            return np.array([[level - np.log(len(logs))] * len(logs) + [exponent] * len(logs) for exponent in ALONE])
        exponents = PAIRS if len(logs) == 2 else tuple((exponent,) for exponent in SINGLES)
        smallest, median = np.exp(log_losses.min()), np.exp(np.median(log_losses))
        return np.array(
            [
                [np.log(share * smallest)] + [np.log((median - share * smallest) / len(logs))] * len(logs) + [*powers]
                for share, powers in product(OFFSET_SHARES, exponents)
            ]
        )

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """E stays about below the losses; exponents are not negative: more never hurts."""
        offset = [offset_bounds(log_losses)] if self.offset else []
        level = float(log_losses.max())
        return offset + [(level - 25.0, level + 5.0)] * len(logs) + [(0.0, LARGEST_EXPONENT)] * len(logs)

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """The means of the logarithms."""
        return np.asarray(logs.mean(1))

    def shift(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """A / N^alpha = A e^(-alpha m) / (N / e^m)^alpha."""
        count, first = len(by), int(self.offset)
        shifted = theta.copy()
        shifted[..., first : first + count] -= theta[..., first + count :] * by
        return shifted

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """Theta by name, coefficients without their logarithm."""
        logarithms = len(self.coefficients) + int(self.offset)
        values = [*np.exp(theta[:logarithms]), *theta[logarithms:]]
        return {name: float(value) for name, value in zip(self.parameters, values, strict=True)}

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""
        values = np.array([parameters[name] for name in self.parameters])
        logarithms = len(self.coefficients) + int(self.offset)
        return np.concatenate([np.log(values[:logarithms]), values[logarithms:]])
