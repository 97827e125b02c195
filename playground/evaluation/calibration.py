"""Whether predicted probabilities are true: reliability diagram, expected calibration error, Brier score.

Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2; Brier 1950.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.errors import UserError
from playground.evaluation.resampling import Spread, bootstrap_spread, resampled_sums

BINS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """Bins of equal width over the predicted probability; empty bins are left out."""

    predicted: Float[np.ndarray, "bin"]
    """Mean predicted probability."""
    observed: Float[np.ndarray, "bin"]
    """Share of positive rows."""
    counts: Int[np.ndarray, "bin"]
    brier: float
    """Mean squared difference of probability and outcome."""

    @property
    def error(self) -> float:
        """Expected calibration error: the mean difference of the two, weighted by rows."""
        return float((np.abs(self.predicted - self.observed) * self.counts).sum() / self.counts.sum())


def reliability(
    probabilities: Float[np.ndarray, "row"],
    is_positive: Bool[np.ndarray, "row"],
    bins: int = BINS,
    lines: Sequence[int] | None = None,
) -> Reliability:
    """Bin the rows. Raises UserError that names the first line, or row, whose probability is outside 0 to 1.

    >>> binned = reliability(np.array([0.2, 0.2, 0.9]), np.array([False, True, True]))
    >>> binned.observed.tolist(), binned.error.__round__(4)
    ([0.5, 1.0], 0.2333)
    """
    bad = np.flatnonzero(~((probabilities >= 0) & (probabilities <= 1)))
    if len(bad):
        raise UserError(
            "The score in line {row} is {score:g}, which is no probability: calibration needs numbers from 0 to 1.",
            row=int(bad[0]) + 1 if lines is None else lines[bad[0]],
            score=float(probabilities[bad[0]]),
        )
    places = _bins_of(probabilities, bins)
    counts = np.bincount(places, minlength=bins)
    kept = counts > 0
    return Reliability(
        predicted=np.bincount(places, probabilities, minlength=bins)[kept] / counts[kept],
        observed=np.bincount(places, is_positive, minlength=bins)[kept] / counts[kept],
        counts=counts[kept],
        brier=float(np.mean((probabilities - is_positive) ** 2)),
    )


@dataclass(frozen=True, kw_only=True)
class CalibrationSpreads:
    """Both summaries with their intervals."""

    error: Spread
    brier: Spread


def calibration_spreads(
    probabilities: Float[np.ndarray, "row"],
    is_positive: Bool[np.ndarray, "row"],
    bins: int = BINS,
    lines: Sequence[int] | None = None,
) -> CalibrationSpreads:
    """Expected calibration error and Brier score of the rows and of bootstrap resamples of them.

    Raises UserError as `reliability` does.
    """
    binned, n = reliability(probabilities, is_positive, bins, lines), len(probabilities)
    # Of a row: its probability less its outcome, in its bin's column; then its squared error.
    statistics = np.zeros((n, bins + 1))
    statistics[np.arange(n), _bins_of(probabilities, bins)] = probabilities - is_positive
    statistics[:, bins] = (probabilities - is_positive) ** 2
    sums = resampled_sums(statistics)
    return CalibrationSpreads(
        error=bootstrap_spread(binned.error, np.abs(sums[:, :bins]).sum(1) / n, n),
        brier=bootstrap_spread(binned.brier, sums[:, bins] / n, n),
    )


def _bins_of(probabilities: Float[np.ndarray, "row"], bins: int) -> Int[np.ndarray, "row"]:
    # A probability on an edge belongs to the lower bin, as in scikit-learn's calibration_curve.
    places: np.ndarray = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], probabilities, side="left")
    return places
