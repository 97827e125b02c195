"""Compute-optimal allocation: the N and D of the least loss for a compute budget, and two variants of the problem.

Inference-aware (Sardana et al. 2023): the compute of serving the model counts, too.
Data-constrained (Muennighoff et al. 2023): only so many tokens are unique.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.budgets import check_budget
from playground.scaling.forms.data_constrained import effective
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import CLOSED_FORMS, closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points
from playground.scaling.published import MUENNIGHOFF

N_SIZES = 400
SEARCH_RANGE = 30.0
"""How far from the closed form's optimum, as a factor, the search goes where FLOPs are counted otherwise."""
ROUNDING = 1e-3
"""A relative difference from 6 N D that is none."""

Budgets = Float[np.ndarray, " budget"]


def flop_overhead(points: Points, params: Float[np.ndarray, "*model"]) -> Float[np.ndarray, "*model"]:
    """The ratio of the runs' FLOPs to 6 N D at these sizes, interpolated in logarithms, constant beyond the runs.

    >>> runs = Points(params=[1e3, 1e5], tokens=[1e6, 1e6], loss=[3, 2], flops=[12e9, 6e11])
    >>> flop_overhead(runs, np.array([1e2, 1e4, 1e6])).round(6).tolist()
    [2.0, 1.414214, 1.0]
    """
    sizes, first = np.unique(points.params, return_index=True)
    ratios = (points.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * points.params * points.tokens))[first]
    return np.asarray(np.exp(np.interp(np.log(params), np.log(sizes), np.log(ratios))))


def tokens_for_compute(
    points: Points, params: Float[np.ndarray, "*model"], flops: Float[np.ndarray, "*model"]
) -> Float[np.ndarray, "*model"]:
    """The tokens that models of these sizes are trained on with so much compute, counted as the runs' is."""
    return np.asarray(flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params * flop_overhead(points, params)))


def optimal_params(law: str, parameters: Parameters, flops: Budgets, points: Points | None = None) -> Budgets:
    """The N of the least loss for each budget, with C = 6 N D or counted as these points' is.

    Raises UserError for a law in which more of something does not help.
    """
    best = _optimal_for_six_n_d(law, parameters, flops)
    if points is None or np.allclose(flop_overhead(points, points.params), 1.0, rtol=ROUNDING):
        return best
    params = best * np.geomspace(1 / SEARCH_RANGE, SEARCH_RANGE, N_SIZES)[:, None]  # [model, budget]
    return _least_loss(law, parameters, params, tokens_for_compute(points, params, flops))


def _optimal_for_six_n_d(law: str, parameters: Parameters, flops: Budgets) -> Budgets:
    if law in CLOSED_FORMS:
        return CLOSED_FORMS[law](parameters).params(flops)
    # No closed form: from N = (C/6)^0.05 to N = (C/6)^0.95, where D = (C/6)^0.05.
    logs = np.linspace(0.05, 0.95, N_SIZES)[:, None] * np.log(flops / FLOPS_PER_PARAMETER_AND_TOKEN)
    params = np.exp(logs)
    return _least_loss(law, parameters, params, flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params))


def _least_loss(
    law: str,
    parameters: Parameters,
    params: Float[np.ndarray, "model budget"],
    tokens: Float[np.ndarray, "model budget"],
) -> Budgets:
    """The size of the least loss in each column."""
    losses = LAWS[law].predict(parameters, params=params, tokens=tokens)
    return np.asarray(params[losses.argmin(0), np.arange(params.shape[1])])


SEARCH_POINTS = 2001


def minimise_over_size(
    value: Callable[[Float[np.ndarray, " model"]], Float[np.ndarray, " model"]], low: float, high: float
) -> float:
    """The size at which a function is smallest: a geometric grid, then twice a finer one around its best point.

    >>> round(minimise_over_size(lambda x: np.log(x / 30.0) ** 2, 1.0, 1000.0), 3)
    30.0
    """
    for _ in range(3):
        grid = np.geomspace(low, high, SEARCH_POINTS)
        best = int(np.argmin(value(grid)))
        low, high = grid[max(0, best - 1)], grid[min(SEARCH_POINTS - 1, best + 1)]
    return float(grid[best])


INFERENCE_FLOPS = 2
"""For each parameter and token, the forward pass alone. Kaplan et al. 2020, section 2.1."""
SMALLEST_SHARE = 1e-3
"""The smallest size that is searched, as a share of the compute-optimal one."""


@dataclass(frozen=True, kw_only=True)
class InferenceOptimum:
    """The cheapest model of a loss over its whole life, beside the compute-optimal one of the same loss."""

    loss: float
    served: float
    """Lifetime inference tokens, read and written."""
    params: float
    tokens: float
    training_flops: float
    serving_flops: float
    optimal_params: float
    """These four are the compute-optimal model's."""
    optimal_tokens: float
    optimal_training_flops: float
    optimal_serving_flops: float

    @property
    def total_flops(self) -> float:
        """Training and serving."""
        return self.training_flops + self.serving_flops

    @property
    def saved(self) -> float:
        """The share of the lifetime compute that the smaller model saves."""
        return 1 - self.total_flops / (self.optimal_training_flops + self.optimal_serving_flops)

    @property
    def overtraining(self) -> float:
        """How many times the compute-optimal tokens per parameter it is trained on."""
        return (self.tokens / self.params) / (self.optimal_tokens / self.optimal_params)


def inference_aware_optimum(flops: float, served: float, parameters: Parameters) -> InferenceOptimum:
    """The N and D that reach the loss of the compute-optimal model of `flops` with the least 6 N D + 2 N x served.

    parameters are those of a Chinchilla law. Raises UserError for numbers below 0.
    Source: Sardana et al. 2023, section 2.
    """
    if not (np.isfinite(served) and served >= 0):
        raise UserError("{served:g} tokens cannot be served; choose 0 or more.", served=served)
    frontier = closed_form(parameters)
    optimal, tokens = float(frontier.params(check_budget(flops))), float(frontier.tokens(flops))
    loss = float(LAWS["chinchilla"].predict(parameters, params=optimal, tokens=tokens))

    def lifetime_flops(params: Float[np.ndarray, " model"]) -> Float[np.ndarray, " model"]:
        needed = tokens_to_reach(loss, params, parameters)
        return np.asarray(params * (FLOPS_PER_PARAMETER_AND_TOKEN * needed + INFERENCE_FLOPS * served))

    params = minimise_over_size(lifetime_flops, SMALLEST_SHARE * optimal, optimal) if served else optimal
    needed = float(tokens_to_reach(loss, params, parameters))
    return InferenceOptimum(
        loss=loss,
        served=served,
        params=params,
        tokens=needed,
        training_flops=FLOPS_PER_PARAMETER_AND_TOKEN * params * needed,
        serving_flops=INFERENCE_FLOPS * params * served,
        optimal_params=optimal,
        optimal_tokens=tokens,
        optimal_training_flops=flops,
        optimal_serving_flops=INFERENCE_FLOPS * optimal * served,
    )


def tokens_to_reach(loss: float, params: ArrayLike, parameters: Parameters) -> Float[np.ndarray, "*model"]:
    """The D with which a model of this size reaches a loss by Chinchilla's law; infinite where it never does.

    >>> law = {"E": 1.0, "A": 100.0, "B": 100.0, "alpha": 0.5, "beta": 0.5}
    >>> round(float(tokens_to_reach(1.2, 1e6, law))), float(tokens_to_reach(1.2, 1e4, law))
    (1000000, inf)
    """
    left = loss - parameters["E"] - parameters["A"] / np.asarray(params, dtype=np.float64) ** parameters["alpha"]
    with np.errstate(divide="ignore", over="ignore"):
        needed = (parameters["B"] / np.maximum(left, 0.0)) ** (1 / parameters["beta"])
    return np.asarray(needed)


SIZE_SPAN = 1e4
"""How far from the optimum with fresh data, as a factor, the optimum with repeats is searched."""


@dataclass(frozen=True, kw_only=True)
class RepeatsOptimum:
    """The best use of a budget where only so many tokens are unique, beside what fresh data would have given."""

    params: float
    tokens: float
    """Trained on, repeats included."""
    unique: float
    epochs: float
    """Below 1 where not all of the data are read."""
    effective_tokens: float
    """How many fresh tokens these are worth, D' of Muennighoff et al."""
    loss: float
    fresh_params: float
    fresh_tokens: float
    fresh_loss: float


def optimum_with_repeats(flops: float, unique: float, parameters: Parameters | None = None) -> RepeatsOptimum:
    """N, epochs and loss for a budget and unique tokens, by Muennighoff's numbers or those of a data-constrained fit.

    Raises UserError for numbers that are not above 0. Source: Muennighoff et al. 2023, section 5.
    """
    if not unique > 0:
        raise UserError("Without any unique token there is nothing to repeat; give a number above 0.")
    numbers = parameters or MUENNIGHOFF.parameters
    law = LAWS["data-constrained"]
    fresh = float(closed_form(numbers).params(check_budget(flops)))

    def loss(params: Float[np.ndarray, " model"]) -> Float[np.ndarray, " model"]:
        tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params)
        return law.predict(numbers, params=params, tokens=tokens, unique=np.full_like(params, unique))

    params = minimise_over_size(loss, fresh / SIZE_SPAN, fresh * SIZE_SPAN)
    tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params)
    seen = min(unique, tokens)
    fresh_tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * fresh)
    return RepeatsOptimum(
        params=params,
        tokens=tokens,
        unique=unique,
        epochs=tokens / unique,
        effective_tokens=float(effective(np.array(seen), np.array(tokens / seen - 1), numbers["R_D"])),
        loss=float(law.predict(numbers, params=params, tokens=tokens, unique=unique)),
        fresh_params=fresh,
        fresh_tokens=fresh_tokens,
        fresh_loss=float(law.predict(numbers, params=fresh, tokens=fresh_tokens)),
    )
