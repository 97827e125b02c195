"""Planning with too little data: how often to repeat it. Muennighoff et al. 2023, section 5."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.scaling.budgets import checked
from playground.scaling.forms.data_constrained import worth
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import MUENNIGHOFF

SPAN = 1e4
"""How many times smaller or larger than the optimum without repeats the model may be."""
GRID = 2001


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """The best use of a budget where only so many tokens are unique, beside what fresh data would have given.

    epochs is how often the data are read, below 1 where not all of them are; worth is how many fresh tokens these
    tokens are worth.
    """

    params: float
    tokens: float
    unique: float
    epochs: float
    worth: float
    loss: float
    fresh_params: float
    fresh_tokens: float
    fresh_loss: float


def best_with_repeats(flops: float, unique: float, parameters: Parameters | None = None) -> Repeats:
    """N, epochs and loss for a budget and unique tokens, by Muennighoff's numbers or those of a data-constrained fit.

    Raises UserError for numbers that are not above 0.
    """
    if not unique > 0:
        raise UserError("Without any unique token there is nothing to repeat; give a number above 0.")
    numbers = parameters or MUENNIGHOFF.parameters
    law = LAWS["data-constrained"]
    fresh = float(closed_form(numbers).params(checked(flops)))

    def loss(params: Float[np.ndarray, " model"]) -> Float[np.ndarray, " model"]:
        tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params)
        return law.predict(numbers, params=params, tokens=tokens, unique=np.full_like(params, unique))

    params = lowest(loss, fresh / SPAN, fresh * SPAN)
    tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params)
    read = min(unique, tokens)
    fresh_tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * fresh)
    return Repeats(
        params=params,
        tokens=tokens,
        unique=unique,
        epochs=tokens / unique,
        worth=float(worth(np.array(read), np.array(tokens / read - 1), numbers["R_D"])),
        loss=float(law.predict(numbers, params=params, tokens=tokens, unique=unique)),
        fresh_params=fresh,
        fresh_tokens=fresh_tokens,
        fresh_loss=float(law.predict(numbers, params=fresh, tokens=fresh_tokens)),
    )


def lowest(
    value: Callable[[Float[np.ndarray, " place"]], Float[np.ndarray, " place"]], low: float, high: float
) -> float:
    """Where a function of a size is lowest between two sizes: a grid in the logarithm, then twice a finer one.

    >>> round(lowest(lambda x: np.log(x / 30.0) ** 2, 1.0, 1000.0), 3)
    30.0
    """
    for _ in range(3):
        grid = np.geomspace(low, high, GRID)
        best = int(np.argmin(value(grid)))
        low, high = grid[max(0, best - 1)], grid[min(GRID - 1, best + 1)]
    return float(grid[best])
