"""Runs of equal compute made of a grid: each size's loss between its own budgets, for isoFLOP valleys.

A grid of sizes and token budgets has hardly two runs of one compute. Between the finished runs of one size the
logarithm of the loss is nearly straight in the logarithm of the compute; beyond them nothing is assumed.
"""

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.scaling.points import Points

TRIED = 200
FEWEST_SIZES = 4
"""At a budget: a parabola through three sizes would go through all of them."""


def at_budgets(points: Points, count: int = 6) -> Points:
    """The losses of each size at some budgets that at least four sizes span; their names say what they come from.

    Runs of one size and compute, such as several seeds, count as one of their mean. Raises UserError where no budget
    is spanned by four sizes.
    """
    sizes = [(size, *_of_size(points, size)) for size in np.unique(points.params)]
    sizes = [row for row in sizes if len(row[1]) >= 2]
    tried = np.linspace(np.log(points.flops.min()), np.log(points.flops.max()), TRIED)
    covered = [sum(row[1][0] <= budget <= row[1][-1] for row in sizes) >= FEWEST_SIZES for budget in tried]
    inside = tried[np.array(covered)]
    if not len(inside):
        raise UserError(
            "No compute is spanned by {fewest_sizes} sizes that have a shorter and a longer run; add sizes or budgets.",
            fewest_sizes=FEWEST_SIZES,
        )
    rows = [
        (size, np.exp(budget), np.exp(np.interp(budget, logs, losses)), each)
        for budget in inside[np.linspace(0, len(inside) - 1, count).round().astype(int)]
        for size, logs, losses, each in sizes
        if logs[0] <= budget <= logs[-1]
    ]
    params, flops, loss, each = np.array(rows).T
    names = tuple(f"N {size:.4g}, between its runs" for size in params)
    return Points(params=params, tokens=flops / each, flops=flops, loss=loss, names=names)


def _of_size(points: Points, size: float) -> tuple[Float[np.ndarray, " budget"], Float[np.ndarray, " budget"], float]:
    """Log FLOPs and log losses of a size's runs, shortest first, and its FLOPs for each token."""
    rows = np.flatnonzero(points.params == size)
    logs = np.log(points.flops[rows]).round(9)
    budgets = np.unique(logs)
    losses = np.array([np.log(points.loss[rows[logs == budget]]).mean() for budget in budgets])
    return budgets, losses, float((points.flops[rows] / points.tokens[rows]).mean())
