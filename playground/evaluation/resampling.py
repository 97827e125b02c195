"""Bootstrap intervals of any score that is computed from sums over lines, and the paired bootstrap of two systems.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (percentile interval); Koehn 2004,
"Statistical Significance Tests for Machine Translation Evaluation", sections 3 and 4.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.progress import OnProgress, no_progress

RESAMPLES = 1000
LEVEL = 0.95
REPORT_EVERY = 50
Statistics = Float[np.ndarray, "line statistic"]
"""Counts of each line, whatever they count."""
Name = TypeVar("Name", bound=Hashable)
Score = Callable[[np.ndarray], np.ndarray]
"""From sums [resample, statistic] to a number each."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A score with its 95% interval: of bootstrap resamples, or of a share Wilson's (`wilson.share_spread`)."""

    value: float
    low: float
    high: float
    n: int
    """Lines or rows."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """From low to high; None of a single line, of which no second sample can be drawn."""
        return (self.low, self.high) if self.n > 1 else None

    def report(self) -> dict[str, Any]:
        """As JSON takes it.

        >>> Spread(value=0.5, low=0.5, high=0.5, n=1).report()
        {'value': 0.5, 'interval': None, 'n': 1}
        """
        return {"value": self.value, "interval": self.interval, "n": self.n}


def spreads_report(spreads: Mapping[Name, Spread]) -> dict[str, Any]:
    """Values by name and their intervals, as JSON takes them.

    >>> spreads_report({"f1": Spread(value=0.5, low=0.4, high=0.6, n=9)})
    {'f1': 0.5, 'f1_interval': (0.4, 0.6)}
    """
    values: dict[str, Any] = {str(name): spread.value for name, spread in spreads.items()}
    return values | {f"{name}_interval": spread.interval for name, spread in spreads.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedSpread:
    """Two systems on the same lines: the second one's score less the first one's."""

    first: Spread
    second: Spread
    difference: Spread
    second_wins: float
    """Share of resamples in which the second scores higher."""
    gains: Float[np.ndarray, "resample"]
    """The difference in each resample."""
    p_value: float
    """Two-sided: how often resampling alone, centred on no difference, gives one as large."""

    @property
    def is_told_apart(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.difference.low > 0 or self.difference.high < 0

    def report(self) -> dict[str, Any]:
        """The difference with its interval and p, as JSON takes it."""
        return {"difference": self.difference.value, "interval": self.difference.interval, "p": self.p_value}


def resampled_sums(
    statistics: Statistics, n_resamples: int = RESAMPLES, seed: int = 0, on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "resample statistic"]:
    """Sums over lines that are drawn with replacement; one resample at a time, so that memory stays that of one.

    The lines of a seed are the same for every table of as many lines, which pairs two systems.
    """
    n, generator = len(statistics), np.random.default_rng(seed)
    table = np.ascontiguousarray(statistics.reshape(n, -1), dtype=np.float64)
    sums = np.empty((n_resamples, table.shape[1]))
    for resample in range(n_resamples):
        drawn = np.bincount(generator.integers(0, n, n), minlength=n)
        sums[resample] = drawn @ table
        if resample % REPORT_EVERY == 0:
            on_progress(resample, n_resamples)
    return sums.reshape(n_resamples, *statistics.shape[1:])


def bootstrap_spread(value: float, resampled: Float[np.ndarray, "resample"], n: int) -> Spread:
    """A score and the percentiles of its resamples.

    >>> bootstrap_spread(2.0, np.full(5, 2.0), n=7)
    Spread(value=2.0, low=2.0, high=2.0, n=7)
    """
    tail = (1 - LEVEL) / 2
    low, high = (float(edge) for edge in np.quantile(resampled, [tail, 1 - tail]))
    return Spread(value=float(value), low=low, high=high, n=n)


def bootstrap_score(
    statistics: Statistics,
    score: Score,
    *,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> Spread:
    """The score of all lines with its interval.

    >>> bootstrap_score(np.ones((4, 2)), lambda sums: sums[..., 0] / sums[..., 1])
    Spread(value=1.0, low=1.0, high=1.0, n=4)
    """
    value = score(statistics.sum(0)[None])[0]
    return bootstrap_spread(value, score(resampled_sums(statistics, n_resamples, seed, on_progress)), len(statistics))


def bootstrap_scores(
    measures: Mapping[Name, tuple[Statistics, Score]], *, n_resamples: int = RESAMPLES, seed: int = 0
) -> dict[Name, Spread]:
    """Several scores of the same lines, each with its interval over the same resamples: the lines are drawn once."""
    tables = [statistics for statistics, _score in measures.values()]
    return {
        name: bootstrap_spread(float(score(statistics.sum(0)[None])[0]), score(sums), len(statistics))
        for (name, (statistics, score)), sums in zip(
            measures.items(), _sums_together(tables, n_resamples, seed), strict=True
        )
    }


def _sums_together(
    tables: Sequence[Statistics], n_resamples: int, seed: int, on_progress: OnProgress = no_progress
) -> list[Float[np.ndarray, "resample statistic"]]:
    """The sums of several tables over the same resamples of their lines."""
    flat = [table.reshape(len(table), -1) for table in tables]
    sums = resampled_sums(np.concatenate(flat, axis=1), n_resamples, seed, on_progress)
    columns = np.split(sums, np.cumsum([table.shape[1] for table in flat])[:-1], axis=1)
    return [part.reshape(n_resamples, *table.shape[1:]) for part, table in zip(columns, tables, strict=True)]


def paired_bootstrap(
    first: Statistics,
    second: Statistics,
    score: Score,
    *,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> PairedSpread:
    """Two systems on the same resampled lines. Raises UserError for different numbers of lines."""
    if len(first) != len(second):
        raise UserError(
            "The systems have {first} and {second} lines; both must answer the same ones.",
            first=len(first),
            second=len(second),
        )
    ours, theirs = map(score, _sums_together((first, second), n_resamples, seed, on_progress))
    values = [float(score(table.sum(0)[None])[0]) for table in (first, second)]
    gain = theirs - ours
    difference = bootstrap_spread(values[1] - values[0], gain, len(first))
    extreme = np.abs(gain - gain.mean()) >= abs(difference.value)
    return PairedSpread(
        first=bootstrap_spread(values[0], ours, len(first)),
        second=bootstrap_spread(values[1], theirs, len(first)),
        difference=difference,
        second_wins=float((gain > 0).mean()),
        gains=gain,
        p_value=float((extreme.sum() + 1) / (n_resamples + 1)),
    )
