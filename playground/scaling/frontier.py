"""The compute-optimal frontier N = k C^a: closed forms of a law, and the lower envelope of training curves.

Hoffmann et al. 2022, section 3: approaches 3 and 1. Approach 2, isoFLOP profiles, is in profiles.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from playground.errors import UserError
from playground.scaling.forms.form import Parameters
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.text import N_

ENVELOPE_BUDGETS = 200
NO_OPTIMUM = N_("A law in which more parameters or more data do not help has no optimum; look at its exponents.")


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """N = k C^a, and D = C / (6 N)."""

    exponent: float
    """a."""
    log_coefficient: float
    """log k."""
    error: float | None = None
    """The standard error of a, where N and C were measured and scatter about the line."""
    n_points: int = 0
    """Of the line; 0 for a closed form."""

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Of a, by Student's t with n - 2 degrees of freedom; None where nothing scatters about a line.

        >>> frontier = fit_frontier([1.0, np.e, np.e**2], [1.0, np.e, np.e])
        >>> tuple(round(end, 3) for end in frontier.interval())
        (-3.168, 4.168)
        """
        if self.error is None or self.n_points <= 2:
            return None
        reach = float(stdtrit(self.n_points - 2, (1 + level) / 2)) * self.error
        return self.exponent - reach, self.exponent + reach

    def exponent_text(self) -> str:
        """The exponent, with its interval where it has one.

        >>> Frontier(exponent=0.5, log_coefficient=0.0).exponent_text()
        '0.50'
        """
        interval = self.interval()
        return f"{self.exponent:.2f}" + ("" if interval is None else f" [{interval[0]:.2f}, {interval[1]:.2f}]")

    def flops(self, params: ArrayLike) -> Float[np.ndarray, "*model"]:
        """The compute for which so many parameters are optimal: the inverse of `params`.

        >>> frontier = Frontier(exponent=0.5, log_coefficient=float(-np.log(120) / 2))  # D = 20 N
        >>> float(np.round(frontier.flops(1e9) / 1e20, 6))
        1.2
        """
        logs = (np.log(np.asarray(params, dtype=np.float64)) - self.log_coefficient) / self.exponent
        return np.asarray(np.exp(logs))

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
        raise UserError(NO_OPTIMUM)
    log_g = np.log(alpha * parameters["A"] / (beta * parameters["B"])) / (alpha + beta)
    exponent = beta / (alpha + beta)
    return Frontier(exponent=exponent, log_coefficient=float(log_g - exponent * np.log(FLOPS_PER_PARAMETER_AND_TOKEN)))


def kaplan_closed_form(parameters: Parameters) -> Frontier:
    """The frontier of Kaplan's joint law, with C = 6 N D.

    u = (N_c/N)^(alpha_N/alpha_D) + D_c/D is least where (alpha_N/alpha_D) (N_c/N)^(alpha_N/alpha_D) = D_c/D.
    This is at convergence; Kaplan et al. 2020, section 6.1, stop earlier and print N ~ C^0.73.
    """
    n_c, d_c, alpha_n, alpha_d = (parameters[name] for name in ("N_c", "D_c", "alpha_N", "alpha_D"))
    ratio = alpha_n / alpha_d
    exponent = 1 / (1 + ratio)
    constant = np.log(ratio) + ratio * np.log(n_c) - np.log(d_c) - np.log(FLOPS_PER_PARAMETER_AND_TOKEN)
    return Frontier(exponent=exponent, log_coefficient=float(exponent * constant))


def gadre_closed_form(parameters: Parameters) -> Frontier:
    """The frontier of Gadre's law: M = (b / a)^(1 / (2 eta)) tokens per parameter at every budget, so N ~ C^(1/2).

    a M^eta + b M^-eta is least where its two terms are equal.

    >>> frontier = gadre_closed_form({"E": 1.0, "a": 1.0, "b": 4.0, "eta": 0.5})
    >>> round(float(frontier.tokens(6e20) / frontier.params(6e20)), 9), frontier.exponent
    (4.0, 0.5)

    Raises UserError where the exponent is 0.
    """
    a, b, eta = (parameters[name] for name in ("a", "b", "eta"))
    if not eta > 0:
        raise UserError(NO_OPTIMUM)
    ratio = np.log(b / a) / (2 * eta)
    return Frontier(exponent=0.5, log_coefficient=float(-(np.log(FLOPS_PER_PARAMETER_AND_TOKEN) + ratio) / 2))


CLOSED_FORMS: dict[str, Callable[[Parameters], Frontier]] = {
    "chinchilla": closed_form,
    "kaplan": kaplan_closed_form,
    "gadre": gadre_closed_form,
}
"""By the law's name."""


def fit_frontier(flops: Sequence[float], params: Sequence[float]) -> Frontier:
    """The least-squares line of log N over log C, with the standard error of its slope.

    >>> round(fit_frontier([1e18, 1e20], [1e8, 1e9]).exponent, 6)
    0.5
    """
    x, y = np.log(flops), np.log(params)
    exponent, log_coefficient = np.polyfit(x, y, 1)
    error = None
    if len(x) > 2:
        squares = float(np.sum((y - exponent * x - log_coefficient) ** 2))
        error = float(np.sqrt(squares / (len(x) - 2) / np.sum((x - x.mean()) ** 2)))
    return Frontier(exponent=float(exponent), log_coefficient=float(log_coefficient), error=error, n_points=len(x))


@dataclass(frozen=True, kw_only=True, eq=False)
class LossCurve:
    """The held-out loss of one model during training."""

    name: str
    params: float
    tokens: Float[np.ndarray, " step"]
    loss: Float[np.ndarray, " step"]
    flops_per_token: float | None = None
    """6 N where it is not given."""

    @property
    def flops(self) -> Float[np.ndarray, " step"]:
        """The compute so far."""
        return np.asarray((self.flops_per_token or FLOPS_PER_PARAMETER_AND_TOKEN * self.params) * self.tokens)


@dataclass(frozen=True, kw_only=True, eq=False)
class Envelope:
    """At each budget the lowest of some training curves."""

    flops: Float[np.ndarray, " budget"]
    loss: Float[np.ndarray, " budget"]
    params: Float[np.ndarray, " budget"]
    names: tuple[str, ...]
    """Whose curve it is, at each budget."""
    frontier: Frontier | None
    """Through the models on the envelope but for the smallest and the largest: one beyond them might be lower."""


def envelope(curves: Sequence[LossCurve], n_budgets: int = ENVELOPE_BUDGETS) -> Envelope:
    """The lower envelope of training curves over compute, interpolated between steps in log C (approach 1).

    Raises UserError for fewer than two curves.
    """
    if len(curves) < 2:
        raise UserError(
            "An envelope needs at least two training curves, and there are {n_curves}.", n_curves=len(curves)
        )
    logs = [np.log(curve.flops) for curve in curves]
    budgets = np.linspace(min(log.min() for log in logs), max(log.max() for log in logs), n_budgets)
    # [curve, budget]; inf where a curve has not begun or has ended.
    losses = np.array(
        [
            np.interp(budgets, log, curve.loss, left=np.inf, right=np.inf)
            for log, curve in zip(logs, curves, strict=True)
        ]
    )
    covered = np.isfinite(losses.min(0))
    best, lowest, flops = losses.argmin(0)[covered], losses.min(0)[covered], np.exp(budgets[covered])
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
    """The line through the geometric middle of each model's stretch, the smallest and the largest left out."""
    middles = [
        (float(np.exp(np.log(flops[params == size]).mean())), float(size))
        for size in np.unique(params)
        if sizes.min() < size < sizes.max()
    ]
    if len(middles) < 2:
        return None
    budgets, models = zip(*middles, strict=True)
    return fit_frontier(budgets, models)
