"""The peak learning rate of each size: found by a search over a few, its loss a parabola over the rate's logarithm."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from playground.errors import UserError
from playground.transformer import check_count

if TYPE_CHECKING:
    from playground.sweeps.results import CellResult

SizeRate = tuple[int, int, float]
"""Width, layers, and the peak learning rate of that size."""
LARGEST_FACTOR = 1000.0


def check_rates(tuned: object, factors: object) -> None:
    """Raise UserError unless these are SizeRates of different sizes, and positive factors."""
    if not isinstance(factors, tuple) or not factors:
        raise UserError("The sweep needs at least one of its {name}.", name="rate_factors")
    if not isinstance(tuned, tuple) or not all(isinstance(entry, tuple) and len(entry) == 3 for entry in tuned):
        raise UserError(
            "Tuned learning rates are triples of a width, layers and a rate; {tuned!r} are none.", tuned=tuned
        )
    for width, layers, _rate in tuned:
        check_count("a width", width)
        check_count("layers", layers)
    for value in (*(entry[2] for entry in tuned), *factors):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST_FACTOR:
            raise UserError("A learning rate or its factor is {value!r}; choose a positive number.", value=value)
    if len({f"{factor:g}" for factor in factors}) < len(set(factors)):
        raise UserError("Two factors of the learning rate are the same in six digits; keep one of them.")
    if len({entry[:2] for entry in tuned}) < len(tuned):
        raise UserError("A size has two tuned learning rates; keep one of them.")


@dataclass(frozen=True, kw_only=True)
class RateTrial:
    """The loss of a size at one peak learning rate, the mean over seeds."""

    rate: float
    loss: float


@dataclass(frozen=True, kw_only=True)
class TunedRate:
    """The best peak learning rate of a size."""

    width: int
    layers: int
    tokens: int
    """Of the runs that were compared."""
    rate: float
    """The vertex of the parabola through the best trial and its neighbours; the best trial itself at an end."""
    trials: tuple[RateTrial, ...]
    """By rate."""

    @property
    def is_bracketed(self) -> bool:
        """Whether both a lower and a higher rate were worse than the best."""
        return _parabola(self.trials) is not None

    def excess_at(self, rate: float) -> float:
        """By how many nats the parabola is higher at this rate than at its vertex; NaN without a parabola."""
        parabola = _parabola(self.trials)
        return math.nan if parabola is None else parabola.curvature * math.log(rate / parabola.vertex) ** 2


@dataclass(frozen=True, kw_only=True)
class RateParabola:
    """Loss over the logarithm of the learning rate, near the best."""

    vertex: float
    """The learning rate of the lowest loss."""
    curvature: float
    """The loss is higher by this times the square of log(rate / vertex)."""


def tuned_rates(results: "Sequence[CellResult]") -> tuple[TunedRate, ...]:
    """The best rate of each size among a search's results, smallest size first; each at its largest token budget."""
    by_size: dict[tuple[int, int], list[CellResult]] = defaultdict(list)
    for result in sorted(results, key=lambda result: (result.params_without_embeddings, result.learning_rate)):
        by_size[result.width, result.layers].append(result)
    return tuple(_tuned(width, layers, group) for (width, layers), group in by_size.items())


def _tuned(width: int, layers: int, results: "Sequence[CellResult]") -> TunedRate:
    tokens = max(result.tokens for result in results)
    losses: dict[float, list[float]] = defaultdict(list)
    for result in results:
        if result.tokens == tokens:
            losses[result.learning_rate].append(result.loss)
    trials = tuple(RateTrial(rate=rate, loss=float(np.mean(each))) for rate, each in losses.items())
    return TunedRate(width=width, layers=layers, tokens=tokens, rate=best_rate(trials), trials=trials)


def best_rate(trials: Sequence[RateTrial]) -> float:
    """The vertex of the parabola through the best trial and its two neighbours, in log rate, to three digits.

    Where the best is the lowest or the highest rate there is no vertex, and it is the answer.

    >>> best_rate([RateTrial(rate=rate, loss=loss) for rate, loss in ((0.001, 3.1), (0.002, 3.0), (0.004, 3.1))])
    0.002
    """
    parabola = _parabola(trials)
    return min(trials, key=lambda trial: trial.loss).rate if parabola is None else float(f"{parabola.vertex:.3g}")


def _parabola(trials: Sequence[RateTrial]) -> RateParabola | None:
    """Through the best trial and its two neighbours; None where it has but one, or three equal losses."""
    best = min(range(len(trials)), key=lambda index: trials[index].loss)
    if not 0 < best < len(trials) - 1:
        return None
    near = trials[best - 1 : best + 2]
    logs = np.log([trial.rate for trial in near])
    curvature, slope, _loss = np.polyfit(logs - logs[1], [trial.loss for trial in near], 2)
    # Between the neighbours by construction: the middle of the three is the lowest.
    vertex = math.exp(logs[1] - slope / (2 * curvature)) if curvature > 0 else 0.0
    return RateParabola(vertex=vertex, curvature=float(curvature)) if vertex else None
