"""A smaller model trained for longer is cheaper to serve. Sardana et al. 2023, section 2."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.budgets import checked
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.repeats import lowest

FLOPS_TO_SERVE = 2
"""For each parameter and token that is read or written: the forward pass alone. Kaplan et al. 2020, section 2.1."""
SMALLEST_SHARE = 1e-3
"""Of the compute-optimal model, that the search looks at."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The cheapest model of a loss over its whole life, beside the compute-optimal one of the same loss."""

    loss: float
    served: float
    params: float
    tokens: float
    training_flops: float
    serving_flops: float
    optimal_params: float
    optimal_tokens: float
    optimal_training_flops: float
    optimal_serving_flops: float

    @property
    def total_flops(self) -> float:
        """Training and serving."""
        return self.training_flops + self.serving_flops

    @property
    def saved(self) -> float:
        """The share of all FLOPs that the smaller model saves."""
        return 1 - self.total_flops / (self.optimal_training_flops + self.optimal_serving_flops)

    @property
    def overtraining(self) -> float:
        """How many times more tokens for each parameter than is compute-optimal."""
        return (self.tokens / self.params) / (self.optimal_tokens / self.optimal_params)


def cheapest_to_serve(flops: float, served: float, parameters: Parameters) -> Serving:
    """The N and D that reach the loss of the compute-optimal model of `flops` with the least 6 N D + 2 N x served.

    parameters are those of a Chinchilla law; served is how many tokens will be read and written in all.
    Raises UserError for numbers below 0.
    """
    if not (np.isfinite(served) and served >= 0):
        raise UserError("{served:g} tokens cannot be served; choose 0 or more.", served=served)
    frontier = closed_form(parameters)
    optimal, tokens = float(frontier.params(checked(flops))), float(frontier.tokens(flops))
    loss = float(LAWS["chinchilla"].predict(parameters, params=optimal, tokens=tokens))

    def total(params: Float[np.ndarray, " model"]) -> Float[np.ndarray, " model"]:
        needed = tokens_for(loss, params, parameters)
        return np.asarray(params * (FLOPS_PER_PARAMETER_AND_TOKEN * needed + FLOPS_TO_SERVE * served))

    params = lowest(total, SMALLEST_SHARE * optimal, optimal) if served else optimal
    needed = float(tokens_for(loss, params, parameters))
    return Serving(
        loss=loss,
        served=served,
        params=params,
        tokens=needed,
        training_flops=FLOPS_PER_PARAMETER_AND_TOKEN * params * needed,
        serving_flops=FLOPS_TO_SERVE * params * served,
        optimal_params=optimal,
        optimal_tokens=tokens,
        optimal_training_flops=flops,
        optimal_serving_flops=FLOPS_TO_SERVE * optimal * served,
    )


def tokens_for(loss: float, params: ArrayLike, parameters: Parameters) -> Float[np.ndarray, "*model"]:
    """The tokens that a model of this size needs to reach a loss by Chinchilla's law; infinite where it never does.

    >>> law = {"E": 1.0, "A": 100.0, "B": 100.0, "alpha": 0.5, "beta": 0.5}
    >>> round(float(tokens_for(1.2, 1e6, law))), float(tokens_for(1.2, 1e4, law))
    (1000000, inf)
    """
    left = loss - parameters["E"] - parameters["A"] / np.asarray(params, dtype=np.float64) ** parameters["alpha"]
    with np.errstate(divide="ignore", over="ignore"):
        needed = (parameters["B"] / np.maximum(left, 0.0)) ** (1 / parameters["beta"])
    return np.asarray(needed)
