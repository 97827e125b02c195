"""The best use of compute: a closed form where C is 6 N D, a search where the runs' FLOPs are counted otherwise."""

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import closed_form, kaplan_closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points

SIZES_TRIED = 400
AROUND = 30.0
"""How many times smaller or larger than the closed form's the best model is looked for."""
NO_OVERHEAD = 1e-3
"""A relative difference from 6 N D that is rounding."""

Budgets = Float[np.ndarray, " budget"]


def overhead(points: Points, params: Float[np.ndarray, "*model"]) -> Float[np.ndarray, "*model"]:
    """How many times 6 N D the runs' FLOPs are, at these sizes: between the runs' sizes in logarithms, beyond as there.

    >>> runs = Points(params=[1e3, 1e5], tokens=[1e6, 1e6], loss=[3, 2], flops=[12e9, 6e11])
    >>> overhead(runs, np.array([1e2, 1e4, 1e6])).round(6).tolist()
    [2.0, 1.414214, 1.0]
    """
    sizes, first = np.unique(points.params, return_index=True)
    ratios = (points.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * points.params * points.tokens))[first]
    return np.asarray(np.exp(np.interp(np.log(params), np.log(sizes), np.log(ratios))))


def tokens_bought(
    points: Points, params: Float[np.ndarray, "*model"], flops: Float[np.ndarray, "*model"]
) -> Float[np.ndarray, "*model"]:
    """The tokens that models of these sizes see for so much compute, counted as the runs' is."""
    return np.asarray(flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params * overhead(points, params)))


def best_params(law: str, parameters: Parameters, flops: Budgets, points: Points | None = None) -> Budgets:
    """The size of the least loss for each compute: 6 N D, or counted as these runs' is.

    Raises UserError for a law in which more of something does not help.
    """
    best = _of_formula(law, parameters, flops)
    if points is None or np.allclose(overhead(points, points.params), 1.0, rtol=NO_OVERHEAD):
        return best
    params = best * np.geomspace(1 / AROUND, AROUND, SIZES_TRIED)[:, None]
    return _least(law, parameters, params, tokens_bought(points, params, flops))


def _of_formula(law: str, parameters: Parameters, flops: Budgets) -> Budgets:
    if law == "chinchilla":
        return closed_form(parameters).params(flops)
    if law == "kaplan":
        return kaplan_closed_form(parameters).params(flops)
    logs = np.linspace(0.05, 0.95, SIZES_TRIED)[:, None] * np.log(flops / FLOPS_PER_PARAMETER_AND_TOKEN)
    params = np.exp(logs)
    return _least(law, parameters, params, flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params))


def _least(
    law: str,
    parameters: Parameters,
    params: Float[np.ndarray, "model budget"],
    tokens: Float[np.ndarray, "model budget"],
) -> Budgets:
    """Of the sizes tried for each budget the one of the least loss."""
    losses = LAWS[law].predict(parameters, params=params, tokens=tokens)
    return np.asarray(params[losses.argmin(0), np.arange(params.shape[1])])
