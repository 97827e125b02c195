"""What a law's formula has to know so that it can be predicted with and fitted.

A fit minimises over the numbers theta: logarithms of coefficients, exponents as they are. It happens around the mean
of the logarithms of the data, where coefficients and exponents hardly depend on each other; `moved` takes theta there
and back.
"""

from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

Parameters = dict[str, float]
"""A law's numbers by their published names."""
SMALLEST_OFFSET = 10.0
"""The offset's logarithm goes no further than this below that of the smallest loss: e^-10 of it is as good as 0."""
OFFSET_SHARES = (0.3, 0.6, 0.8, 0.95)
"""Of the smallest loss, that a fit takes for the offset at its start."""
LARGEST_EXPONENT = 5.0


class Form(Protocol):
    """A formula of the loss. columns are what it is a function of; parameters are its numbers by published name."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of Points: params, tokens, flops or unique."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The published names, in the order of printing."""

    @property
    def freedom(self) -> int:
        """How many numbers are fitted."""

    def loss(self, parameters: Parameters, *values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The loss by the formula as printed, at values of the columns."""

    def log_loss(
        self, theta: Float[np.ndarray, " number"], logs: Float[np.ndarray, "column point"]
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "number point"]]:
        """The logarithm of the loss, and its derivative by each number of theta."""

    def starts(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> Float[np.ndarray, "start number"]:
        """Where to begin, given data around 0 (`moved`)."""

    def bounds(
        self, logs: Float[np.ndarray, "column point"], log_losses: Float[np.ndarray, " point"]
    ) -> list[tuple[float, float]]:
        """Between what a fit may look, for each number of theta."""

    def centre(self, logs: Float[np.ndarray, "column point"]) -> Float[np.ndarray, " column"]:
        """What to take off the logarithms so that they lie around 0."""

    def moved(
        self, theta: Float[np.ndarray, "*start number"], by: Float[np.ndarray, " column"]
    ) -> Float[np.ndarray, "*start number"]:
        """Theta for the same curve after `by` has been taken off the logarithms of the columns."""

    def published(self, theta: Float[np.ndarray, " number"]) -> Parameters:
        """The numbers by name."""

    def theta(self, parameters: Parameters) -> Float[np.ndarray, " number"]:
        """The inverse of `published`."""


def log_sum_exp(terms: Float[np.ndarray, "term point"]) -> tuple[Any, Any]:
    """The log of the sum of exponentials of the terms [point], and each term's share of the sum [term, point].

    >>> total, shares = log_sum_exp(np.log([[1.0], [3.0]]))
    >>> float(np.exp(total[0])), float(shares[1, 0])
    (4.0, 0.75)
    """
    largest = terms.max(0)
    exponentials = np.exp(terms - largest)
    total = exponentials.sum(0)
    return largest + np.log(total), exponentials / total


def offset_bounds(log_losses: Float[np.ndarray, " point"]) -> tuple[float, float]:
    """Between what the logarithm of an offset may lie: it is below the smallest loss, or there is none."""
    lowest = float(log_losses.min())
    return lowest - SMALLEST_OFFSET, lowest + 0.5
