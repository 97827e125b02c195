"""What a way of counting does to the exponent of N in C: the same runs, counted otherwise (Porian et al. 2024).

The loss of the runs is smoothed by Chinchilla's law in N as it is counted; then at each budget the best model is looked
for along the curve of models that were trained, at what each really costs by the way of counting FLOPs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.scaling.fits import Fit, fit_chinchilla
from playground.scaling.frontier import Frontier, line
from playground.scaling.laws import LAWS
from playground.scaling.points import Points

GRID = 400
BUDGETS = 60
FEWEST_SIZES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """The best models as counted one way. frontier is the line of log N over log C through them; its exponent is a."""

    flops: Float[np.ndarray, " budget"]
    params: Float[np.ndarray, " budget"]
    frontier: Frontier
    fit: Fit

    @property
    def exponent(self) -> float:
        """Of N in C."""
        return self.frontier.exponent


def counted_frontier(
    params: Float[np.ndarray, " run"],
    flops_per_token: Float[np.ndarray, " run"],
    tokens: Float[np.ndarray, " run"],
    loss: Float[np.ndarray, " run"],
) -> Counted:
    """The frontier of runs whose N and FLOPs are counted some way (counting.py).

    Between the models that were trained, FLOPs for each token are interpolated in logarithms. Budgets whose best model
    is the smallest or the largest are left out: a smaller or larger one might be better.
    Raises UserError for fewer than three sizes, and where no budget has its best model between them.
    """
    points = Points(params=params, tokens=tokens, loss=loss, flops=np.asarray(flops_per_token) * np.asarray(tokens))
    sizes, rows = np.unique(points.params, return_index=True)
    if len(sizes) < FEWEST_SIZES:
        raise UserError(f"There are {len(sizes)} sizes of models; an exponent needs at least {FEWEST_SIZES}.")
    fitted = fit_chinchilla(points)
    grid = np.geomspace(sizes[0], sizes[-1], GRID)
    each = np.exp(np.interp(np.log(grid), np.log(sizes), np.log(points.flops[rows] / points.tokens[rows])))
    budgets = np.geomspace(points.flops.min(), points.flops.max(), BUDGETS)
    losses = LAWS["chinchilla"].predict(fitted.parameters, params=grid, tokens=budgets[:, None] / each)
    best = losses.argmin(1)
    inside = (best > 0) & (best < GRID - 1)
    if inside.sum() < 2:
        raise UserError(
            "At every budget the smallest or the largest model is best; an exponent needs others beside it."
        )
    flops, optimal = budgets[inside], grid[best[inside]]
    return Counted(flops=flops, params=optimal, frontier=line(flops.tolist(), optimal.tolist()), fit=fitted)
