"""The protocol of a law's formula: predict with it, fit it.

A fit minimises over the vector theta: logarithms of coefficients, exponents as they are. It runs on centred logarithms
of the data, where coefficients and exponents are nearly independent; `shift` moves theta there and back.
"""

from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

Parameters = dict[str, float]
"""A law's parameters by their published names."""
SMALLEST_OFFSET = 10.0
"""The lower bound of log E, below the log of the smallest loss: e^-10 of that loss is as good as 0."""
OFFSET_SHARES = (0.3, 0.6, 0.8, 0.95)
"""Starting values of E, as shares of the smallest loss."""
LARGEST_EXPONENT = 5.0


class Form(Protocol):
    """A formula of the loss over some columns of `Points`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its variables: params, tokens, flops or unique."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The published names of its parameters, in the order of printing."""

    @property
    def n_fitted(self) -> int:
        """The length of theta."""

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The loss by the formula as printed, at values of the columns."""

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """The log of the loss, and its derivative by theta."""

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Starting points of theta for centred data."""

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """Lower and upper bound of each entry of theta."""

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """What to subtract from the logarithms to centre them."""

    def shift(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """Theta of the same curve after `by` has been subtracted from the logarithms of the columns."""

    def to_parameters(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """Theta by published names, coefficients without their logarithm."""

    def to_theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `to_parameters`."""


def log_sum_exp(terms: Float[np.ndarray, "term point"]) -> tuple[Any, Any]:
    """log sum exp over terms [point], and each term's share of the sum, its softmax [term, point].

    >>> total, shares = log_sum_exp(np.log([[1.0], [3.0]]))
    >>> float(np.exp(total[0])), float(shares[1, 0])
    (4.0, 0.75)
    """
    largest = terms.max(0)
    exponentials = np.exp(terms - largest)
    total = exponentials.sum(0)
    return largest + np.log(total), exponentials / total


def offset_bounds(log_losses: Float[np.ndarray, " point"]) -> tuple[float, float]:
    """Bounds of log E: about the smallest loss at most, practically 0 at least."""
    lowest = float(log_losses.min())
    return lowest - SMALLEST_OFFSET, lowest + 0.5
