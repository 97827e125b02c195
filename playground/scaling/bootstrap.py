"""Intervals of a fit's numbers by the bootstrap: Efron 1979; the law is fitted again to points drawn with replacement.

Each drawing starts from the fit and from one other start, so that a second valley of the objective is found as well.
Points of one name are drawn together: budgets cut from one training curve are not independent.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.fits import Fit, held_at
from playground.scaling.forms.form import Parameters
from playground.scaling.identifiability import Doubt
from playground.scaling.laws import LAWS
from playground.scaling.minimise import minimise
from playground.scaling.points import Points

LEVEL = 0.95
LOOSE = 0.2
"""An interval of E that reaches further than this share of E to either side is too wide to headline E."""
COUNT = 1000
MOST = 100_000

OnSample = Callable[[int, int], None]
"""Told how many of how many drawings are fitted; what it raises ends the work, which is how it is cancelled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bootstrap:
    """The law's numbers, fitted to drawing after drawing. samples are in the order of `LAWS[law].parameters`."""

    law: str
    seed: int
    samples: Float[np.ndarray, "sample parameter"]

    @property
    def count(self) -> int:
        """How many drawings."""
        return len(self.samples)

    def parameters(self) -> list[Parameters]:
        """The numbers of each drawing by name."""
        names = LAWS[self.law].parameters
        return [dict(zip(names, map(float, sample), strict=True)) for sample in self.samples]

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Of each number, between which quantiles so many of the drawings lie."""
        low, high = quantiles(self.samples, level)
        names = LAWS[self.law].parameters
        return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}

    def predicted(
        self, level: float = LEVEL, **columns: ArrayLike
    ) -> tuple[Float[np.ndarray, "*point"], Float[np.ndarray, "*point"]]:
        """Between what the curve itself lies at these params, tokens, flops or unique; a single run scatters wider."""
        law = LAWS[self.law]
        losses = np.stack([law.predict(parameters, **columns) for parameters in self.parameters()])
        return quantiles(losses, level)

    def doubts(self, fit: Fit) -> tuple[Doubt, ...]:
        """An E whose interval is too wide."""
        if "E" not in fit.parameters or fit.floor is not None:
            return ()
        (low, high), fitted = self.intervals()["E"], fit.parameters["E"]
        if low > (1 - LOOSE) * fitted and high < (1 + LOOSE) * fitted:
            return ()
        sentence = f"The points do not tell E: 95 % of the drawings give {low:.3g} to {high:.3g}."
        return (Doubt(parameter="E", sentence=sentence),)


def quantiles(
    samples: Float[np.ndarray, "sample *rest"], level: float
) -> tuple[Float[np.ndarray, "*rest"], Float[np.ndarray, "*rest"]]:
    """The quantiles that leave the same share outside on either side."""
    outside = (1 - level) / 2
    low, high = np.quantile(samples, [outside, 1 - outside], axis=0, method="nearest")
    return low, high


def bootstrap(
    fit: Fit,
    *,
    count: int = COUNT,
    seed: int = 0,
    processes: int | None = None,
    on_sample: OnSample | None = None,
) -> Bootstrap:
    """Fit `count` drawings, in processes of their own (None: one for each core; 1: in this one).

    The result depends on the seed alone, not on the number of processes. on_sample is called at least every tenth of
    a second and cancels by raising.
    Raises UserError for a count that makes no sense, or where a process dies.
    """
    if not 2 <= count <= MOST:
        raise UserError(f"A bootstrap of {count} drawings makes no sense; choose 2 to {MOST:,}.")
    from playground.scaling.bootstrap_workers import in_processes, in_this_process

    work = in_this_process if processes == 1 else in_processes
    samples = work(fit, count=count, seed=seed, processes=processes, on_sample=on_sample or _tell_nobody)
    return Bootstrap(law=fit.law, seed=seed, samples=samples)


def _tell_nobody(done: int, total: int) -> None:
    """Nobody waits."""


def drawn(points: Points, seed: int, index: int) -> Int[np.ndarray, " row"]:
    """The rows of one drawing."""
    random = np.random.default_rng([seed, index])
    if not points.names or len(set(points.names)) == len(points):
        return random.integers(0, len(points), len(points))
    names = sorted(set(points.names))
    chosen = random.integers(0, len(names), len(names))
    rows = [[row for row, name in enumerate(points.names) if name == names[pick]] for pick in chosen]
    return np.concatenate(rows)


def refitted(
    name: str, points: Points, parameters: Parameters, seed: int, index: int, floor: float | None = None
) -> list[float]:
    """The law's numbers for one drawing, beginning from those fitted to all points; E held at a known floor."""
    form = LAWS[name].form
    sample = points.take(drawn(points, seed, index))
    logs, log_losses = sample.logs(form.columns), np.log(sample.loss)
    centre = form.centre(logs)
    logs = logs - centre[:, None]
    held = held_at(LAWS[name], sample, floor)
    low, high = np.array(form.bounds(logs, log_losses)).T
    warm = np.clip(form.moved(form.theta(parameters), centre), low, high)
    others = form.starts(logs, log_losses)
    found = minimise(form, logs, log_losses, np.stack([warm, others[index % len(others)]]), held)
    published = form.published(form.moved(found.theta, -centre))
    return [published[parameter] for parameter in form.parameters]
