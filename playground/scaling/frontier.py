"""The compute-optimal model of a budget, three ways: closed form, isoFLOP valleys, the envelope of training curves.

Hoffmann et al. 2022, section 3: approach 3, 2 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.forms.form import Parameters
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points

SAME_BUDGET = 0.1
"""Runs whose FLOPs are closer than this, in natural logarithms, stand in one isoFLOP valley."""
FEWEST_IN_VALLEY = 3
BUDGETS = 200
"""At how many budgets the envelope looks which curve is lowest."""


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """N = k C^a, and D = C / (6 N). exponent is a; log_coefficient is log k."""

    exponent: float
    log_coefficient: float

    def params(self, flops: ArrayLike) -> Float[np.ndarray, "*budget"]:
        """The optimal number of parameters."""
        return np.asarray(np.exp(self.log_coefficient + self.exponent * np.log(np.asarray(flops, dtype=np.float64))))

    def tokens(self, flops: ArrayLike) -> Float[np.ndarray, "*budget"]:
        """The optimal number of tokens."""
        flops = np.asarray(flops, dtype=np.float64)
        return np.asarray(flops / (FLOPS_PER_PARAMETER_AND_TOKEN * self.params(flops)))


def closed_form(parameters: Parameters) -> Frontier:
    """The frontier of Chinchilla's law: N = G (C/6)^a. Hoffmann et al. 2022, equation 4.

    G = (alpha A / (beta B))^(1/(alpha+beta)) and a = beta/(alpha+beta).

    >>> frontier = closed_form({"E": 1.0, "A": 400.0, "B": 400.0, "alpha": 0.5, "beta": 0.5})
    >>> round(float(frontier.params(6e20))), round(float(frontier.tokens(6e20)))
    (10000000000, 10000000000)

    Raises UserError where an exponent is 0: more of it is then no better, and there is no optimum.
    """
    alpha, beta = parameters["alpha"], parameters["beta"]
    if not (alpha > 0 and beta > 0):
        raise UserError(
            "A law in which more parameters or more data do not help has no optimum; look at its exponents."
        )
    log_g = np.log(alpha * parameters["A"] / (beta * parameters["B"])) / (alpha + beta)
    exponent = beta / (alpha + beta)
    return Frontier(exponent=exponent, log_coefficient=float(log_g - exponent * np.log(FLOPS_PER_PARAMETER_AND_TOKEN)))


def kaplan_closed_form(parameters: Parameters) -> Frontier:
    """The frontier of Kaplan's joint law, with 6 N D = C.

    Of u = (N_c/N)^(alpha_N/alpha_D) + D_c/D the smallest has (alpha_N/alpha_D) (N_c/N)^(alpha_N/alpha_D) = D_c/D.
    This is at convergence; Kaplan et al. 2020, section 6.1, stop earlier and print N ~ C^0.73.
    """
    n_c, d_c, alpha_n, alpha_d = (parameters[name] for name in ("N_c", "D_c", "alpha_N", "alpha_D"))
    ratio = alpha_n / alpha_d
    exponent = 1 / (1 + ratio)
    constant = np.log(ratio) + ratio * np.log(n_c) - np.log(d_c) - np.log(FLOPS_PER_PARAMETER_AND_TOKEN)
    return Frontier(exponent=exponent, log_coefficient=float(exponent * constant))


@dataclass(frozen=True, kw_only=True, eq=False)
class Valley:
    """A parabola in log N through the losses of one budget. polynomial: of log N, highest power first.

    inside: whether its lowest point lies between the smallest and the largest model of the budget.
    """

    flops: float
    params: float
    loss: float
    polynomial: Float[np.ndarray, " 3"]
    rows: tuple[int, ...]
    inside: bool

    def curve(self, params: ArrayLike) -> Float[np.ndarray, "*model"]:
        """The parabola's loss at these sizes."""
        return np.asarray(np.polyval(self.polynomial, np.log(np.asarray(params, dtype=np.float64))))

    @property
    def tokens(self) -> float:
        """At the lowest point."""
        return self.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * self.params)


@dataclass(frozen=True, kw_only=True, eq=False)
class IsoFlop:
    """Valleys by budget, those left out with the reason, and the frontier through the lowest points."""

    valleys: tuple[Valley, ...]
    left_out: tuple[str, ...]
    frontier: Frontier


def isoflop(points: Points) -> IsoFlop:
    """Parabolas through the runs of one budget each, and a line through their lowest points (approach 2).

    Raises UserError where fewer than two budgets have a valley: a line needs two.
    """
    valleys: list[Valley] = []
    left_out: list[str] = []
    for rows in budgets(points):
        flops = float(np.exp(np.log(points.flops[rows]).mean()))
        try:
            valleys.append(_valley(points, rows, flops))
        except ValueError as error:
            left_out.append(f"{flops:.3g} FLOPs: {error}")
    used = [valley for valley in valleys if valley.inside]
    left_out += [
        f"{valley.flops:.3g} FLOPs: the lowest point is beyond the models" for valley in valleys if not valley.inside
    ]
    if len(used) < 2:
        raise UserError(
            "A frontier needs two budgets with at least three models each, the best of them in the middle. "
            + ("; ".join(left_out[:3]) + "." if left_out else f"There are {len(used)}.")
        )
    frontier = line([valley.flops for valley in used], [valley.params for valley in used])
    return IsoFlop(valleys=tuple(valleys), left_out=tuple(left_out), frontier=frontier)


def budgets(points: Points) -> list[list[int]]:
    """The rows of each budget, smallest first: runs whose FLOPs hardly differ from the smallest among them."""
    order = np.argsort(points.flops, kind="stable")
    groups: list[list[int]] = []
    for row in order:
        if groups and np.log(points.flops[row] / points.flops[groups[-1][0]]) < SAME_BUDGET:
            groups[-1].append(int(row))
        else:
            groups.append([int(row)])
    return groups


def _valley(points: Points, rows: list[int], flops: float) -> Valley:
    logs, losses = np.log(points.params[rows]), points.loss[rows]
    sizes = len(np.unique(logs.round(6)))
    if sizes < FEWEST_IN_VALLEY:
        raise ValueError(f"{sizes} different models, and a parabola needs three")
    polynomial = np.polyfit(logs, losses, 2)
    if not polynomial[0] > 0:
        raise ValueError("the losses do not bend upwards")
    lowest = -polynomial[1] / (2 * polynomial[0])
    return Valley(
        flops=flops,
        params=float(np.exp(np.clip(lowest, -700, 700))),
        loss=float(np.polyval(polynomial, lowest)),
        polynomial=polynomial,
        rows=tuple(rows),
        inside=bool(logs.min() <= lowest <= logs.max()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """A training curve: the loss held out after so many tokens, for a model of so many parameters."""

    name: str
    params: float
    tokens: Float[np.ndarray, " step"]
    loss: Float[np.ndarray, " step"]
    flops_per_token: float | None = None

    @property
    def flops(self) -> Float[np.ndarray, " step"]:
        """6 N for each token, where nothing else is given."""
        each = self.flops_per_token or FLOPS_PER_PARAMETER_AND_TOKEN * self.params
        return np.asarray(each * self.tokens)


@dataclass(frozen=True, kw_only=True, eq=False)
class Envelope:
    """At each budget the lowest of the curves: its loss, its model, its name; and the line through the models.

    An end of the envelope where the smallest or the largest model is lowest is left out of the line: a smaller or
    larger one might have been lower.
    """

    flops: Float[np.ndarray, " budget"]
    loss: Float[np.ndarray, " budget"]
    params: Float[np.ndarray, " budget"]
    names: tuple[str, ...]
    frontier: Frontier | None


def envelope(curves: Sequence[Curve], count: int = BUDGETS) -> Envelope:
    """The lower envelope of training curves over FLOPs, interpolated between steps in log C (approach 1).

    Raises UserError for fewer than two curves.
    """
    if len(curves) < 2:
        raise UserError(
            "An envelope needs at least two training curves, and there are {n_curves}.", n_curves=len(curves)
        )
    spans = [np.log(curve.flops) for curve in curves]
    at = np.linspace(min(span.min() for span in spans), max(span.max() for span in spans), count)
    losses = np.array(
        [np.interp(at, span, curve.loss, left=np.inf, right=np.inf) for span, curve in zip(spans, curves, strict=True)]
    )
    best = losses.argmin(0)
    there = np.isfinite(losses.min(0))
    flops, best, lowest = np.exp(at[there]), best[there], losses.min(0)[there]
    params = np.array([curves[index].params for index in best])
    return Envelope(
        flops=flops,
        loss=lowest,
        params=params,
        names=tuple(curves[index].name for index in best),
        frontier=_through_envelope(flops, params, np.array([curve.params for curve in curves])),
    )


def _through_envelope(
    flops: Float[np.ndarray, " budget"], params: Float[np.ndarray, " budget"], sizes: Float[np.ndarray, " curve"]
) -> Frontier | None:
    """A line through the middle of each model's stretch, the smallest's and the largest's left out."""
    middles = [
        (float(np.exp(np.log(flops[params == size]).mean())), float(size))
        for size in np.unique(params)
        if sizes.min() < size < sizes.max()
    ]
    return line(*map(list, zip(*middles, strict=True))) if len(middles) >= 2 else None  # type: ignore[arg-type]


def line(flops: Sequence[float], params: Sequence[float]) -> Frontier:
    """The straight line of log N over log C with the least squares.

    >>> round(line([1e18, 1e20], [1e8, 1e9]).exponent, 6)
    0.5
    """
    exponent, log_coefficient = np.polyfit(np.log(flops), np.log(params), 1)
    return Frontier(exponent=float(exponent), log_coefficient=float(log_coefficient))
