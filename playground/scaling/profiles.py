"""IsoFLOP profiles: parabolas of loss over log N at equal compute (Hoffmann et al. 2022, approach 2).

A grid of sizes and token budgets has hardly two runs of one compute; `interpolate_budgets` makes them of it. Between
the finished runs of one size log loss is nearly straight in log C; beyond them nothing is assumed.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.frontier import Frontier, fit_frontier
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points
from playground.text import _

SAME_BUDGET = 0.1
"""Runs whose log FLOPs are closer than this belong to one profile."""
FEWEST_SIZES = 3
"""A parabola has three coefficients."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IsoFlopProfile:
    """A parabola in log N through the losses of one budget."""

    flops: float
    params: float
    """At the minimum."""
    loss: float
    """At the minimum."""
    polynomial: Float[np.ndarray, " 3"]
    """Of log N, highest power first."""
    indices: tuple[int, ...]
    """Of the runs among all points."""
    is_bracketed: bool
    """Whether the minimum lies between the smallest and the largest model of the budget."""

    def curve(self, params: ArrayLike) -> Float[np.ndarray, "*model"]:
        """The parabola's loss at these sizes."""
        return np.asarray(np.polyval(self.polynomial, np.log(np.asarray(params, dtype=np.float64))))

    @property
    def tokens(self) -> float:
        """At the minimum."""
        return self.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * self.params)


@dataclass(frozen=True, kw_only=True, eq=False)
class IsoFlop:
    """The profiles of all budgets, and the frontier through their minima."""

    profiles: tuple[IsoFlopProfile, ...]
    left_out: tuple[str, ...]
    """The budgets that the frontier does not rest on, each with its reason."""
    frontier: Frontier


def isoflop(points: Points) -> IsoFlop:
    """Fit a parabola to the runs of each budget, and a frontier to the minima.

    Raises UserError where fewer than two budgets have a minimum between their models: a line needs two.
    """
    profiles: list[IsoFlopProfile] = []
    left_out: list[str] = []
    for indices in group_by_budget(points):
        flops = float(np.exp(np.log(points.flops[indices]).mean()))
        try:
            profiles.append(_profile(points, indices, flops))
        except UserError as error:
            left_out.append(f"{flops:.3g} FLOP: {error}")
    used = [profile for profile in profiles if profile.is_bracketed]
    beyond = _("the minimum is beyond the models")
    left_out += [f"{profile.flops:.3g} FLOP: {beyond}" for profile in profiles if not profile.is_bracketed]
    if len(used) < 2:
        raise UserError(
            "A frontier needs two budgets with at least three models each, the best of them in the middle. {reasons}.",
            reasons="; ".join(left_out[:3]) or _("There are {n_budgets}").format(n_budgets=len(used)),
        )
    frontier = fit_frontier([profile.flops for profile in used], [profile.params for profile in used])
    return IsoFlop(profiles=tuple(profiles), left_out=tuple(left_out), frontier=frontier)


def profiles_sentence(isoflops: IsoFlop) -> str:
    """At how many budgets the best size lies within the data, and how it grows with compute."""
    n_minima = isoflops.frontier.n_points
    n_budgets = n_minima + len(isoflops.left_out)
    sentence = (
        _("All {all} budgets have their minimum within the data.").format(all=n_budgets)
        if n_minima == n_budgets
        else _("{minima} of {all} budgets have their minimum within the data.").format(minima=n_minima, all=n_budgets)
    )
    growth = _("Through the minima N grows as C to the power of {exponent}.")
    return f"{sentence} {growth.format(exponent=isoflops.frontier.exponent_text())}"


def group_by_budget(points: Points) -> list[list[int]]:
    """The indices of each budget's runs, smallest budget first."""
    groups: list[list[int]] = []
    for index in np.argsort(points.flops, kind="stable"):
        # Compared with the smallest of the group, so that many small distances do not add up to a wide group.
        if groups and np.log(points.flops[index] / points.flops[groups[-1][0]]) < SAME_BUDGET:
            groups[-1].append(int(index))
        else:
            groups.append([int(index)])
    return groups


def _profile(points: Points, indices: list[int], flops: float) -> IsoFlopProfile:
    logs, losses = np.log(points.params[indices]), points.loss[indices]
    n_sizes = len(np.unique(logs.round(6)))
    if n_sizes < FEWEST_SIZES:
        raise UserError("{n_sizes} different models, and a parabola needs three", n_sizes=n_sizes)
    polynomial = np.polyfit(logs, losses, 2)
    if not polynomial[0] > 0:
        raise UserError("no minimum within the data")
    lowest = -polynomial[1] / (2 * polynomial[0])
    return IsoFlopProfile(
        flops=flops,
        params=float(np.exp(np.clip(lowest, -700, 700))),
        loss=float(np.polyval(polynomial, lowest)),
        polynomial=polynomial,
        indices=tuple(indices),
        is_bracketed=bool(logs.min() <= lowest <= logs.max()),
    )


CANDIDATES = 200
FEWEST_INTERPOLATED = 4
"""Sizes at an interpolated budget: a parabola through three would go through all of them."""


def interpolate_budgets(points: Points, n_budgets: int = 6) -> Points:
    """The loss of each size at some budgets, interpolated between the size's own runs.

    Budgets are those that at least four sizes span. Runs of one size and compute, such as several seeds, count as one
    of their mean. Raises UserError where no budget is spanned by four sizes.
    """
    sizes = [(size, *_log_curve(points, size)) for size in np.unique(points.params)]
    sizes = [entry for entry in sizes if len(entry[1]) >= 2]
    candidates = np.linspace(np.log(points.flops.min()), np.log(points.flops.max()), CANDIDATES)
    n_spanning = [sum(logs[0] <= budget <= logs[-1] for _size, logs, *_rest in sizes) for budget in candidates]
    spanned = candidates[np.array(n_spanning) >= FEWEST_INTERPOLATED]
    if not len(spanned):
        raise UserError(
            "No compute is spanned by {fewest_sizes} sizes that have a shorter and a longer run; add sizes or budgets.",
            fewest_sizes=FEWEST_INTERPOLATED,
        )
    interpolated = [
        (size, np.exp(budget), np.exp(np.interp(budget, logs, losses)), flops_per_token)
        for budget in spanned[np.linspace(0, len(spanned) - 1, n_budgets).round().astype(int)]
        for size, logs, losses, flops_per_token in sizes
        if logs[0] <= budget <= logs[-1]
    ]
    params, flops, loss, flops_per_token = np.array(interpolated).T
    names = tuple(_("N {size:.4g}, interpolated").format(size=size) for size in params)
    return Points(params=params, tokens=flops / flops_per_token, flops=flops, loss=loss, names=names)


def _log_curve(points: Points, size: float) -> tuple[Float[np.ndarray, " budget"], Float[np.ndarray, " budget"], float]:
    """Log FLOPs and log losses of a size's runs, shortest first, and its FLOPs per token."""
    indices = np.flatnonzero(points.params == size)
    logs = np.log(points.flops[indices]).round(9)
    budgets = np.unique(logs)
    losses = np.array([np.log(points.loss[indices[logs == budget]]).mean() for budget in budgets])
    return budgets, losses, float((points.flops[indices] / points.tokens[indices]).mean())
