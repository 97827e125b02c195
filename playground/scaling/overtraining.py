"""Tokens per parameter: a law's loss at a ratio, its optimal ratio, and how far a model is from it.

Gadre et al. 2024, sections 2 and 3: a model is over-trained where D / N lies above the compute-optimal ratio.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.budgets import short
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import CLOSED_FORMS, Frontier
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.text import _

EQUAL = 1e-9
"""Exponents that differ by less are one."""


@dataclass(frozen=True, kw_only=True)
class Overtraining:
    """A model of N parameters and D tokens beside what a law says is optimal."""

    params: float
    tokens: float
    optimal_tokens: float
    """For which N is compute-optimal."""
    best_params: float
    """The optimal N of the compute that the model took."""
    loss: float
    """By the law, in nats per token of its own text."""
    best_loss: float
    """Of the compute-optimal model of the same compute."""

    @property
    def flops(self) -> float:
        """6 N D."""
        return FLOPS_PER_PARAMETER_AND_TOKEN * self.params * self.tokens

    @property
    def factor(self) -> float:
        """How many times its optimal tokens it was trained on: above 1 it is over-trained."""
        return self.tokens / self.optimal_tokens

    @property
    def given_up(self) -> float:
        """The loss above the optimum of the same compute, in nats per token."""
        return self.loss - self.best_loss


def overtraining(law: str, parameters: Parameters, params: float, tokens: float) -> Overtraining:
    """Compare a model with the law's optimum. Raises UserError for a law without one in a closed form."""
    frontier = _optimum(law, parameters)
    flops = FLOPS_PER_PARAMETER_AND_TOKEN * params * tokens
    best = float(frontier.params(flops))
    predict = LAWS[law].predict
    return Overtraining(
        params=params,
        tokens=tokens,
        optimal_tokens=float(frontier.tokens(frontier.flops(params))),
        best_params=best,
        loss=float(predict(parameters, params=params, tokens=tokens)),
        best_loss=float(predict(parameters, params=best, tokens=frontier.tokens(flops))),
    )


def loss_at_ratio(law: str, parameters: Parameters, flops: ArrayLike, ratio: float) -> Float[np.ndarray, "*budget"]:
    """The loss of models with so many tokens per parameter: N = (C / (6 M))^(1/2), D = M N."""
    params = np.sqrt(np.asarray(flops, dtype=np.float64) / (FLOPS_PER_PARAMETER_AND_TOKEN * ratio))
    return LAWS[law].predict(parameters, params=params, tokens=ratio * params)


def optimal_ratio(law: str, parameters: Parameters, flops: float) -> float:
    """The compute-optimal tokens per parameter. Raises UserError for a law without a closed form."""
    frontier = _optimum(law, parameters)
    return float(frontier.tokens(flops) / frontier.params(flops))


def as_gadre(parameters: Parameters) -> Parameters:
    """Chinchilla's law of equal exponents in Gadre's parameters: eta = alpha / 2, a = 6^eta A, b = 6^eta B.

    >>> as_gadre({"E": 1.0, "A": 10.0, "B": 20.0, "alpha": 2.0, "beta": 2.0})
    {'E': 1.0, 'a': 60.0, 'b': 120.0, 'eta': 1.0}

    Raises UserError where the exponents differ.
    """
    alpha, beta = parameters["alpha"], parameters["beta"]
    if abs(alpha - beta) > EQUAL:
        raise UserError("α {alpha:.4g} and β {beta:.4g} differ; Gadre's law has one exponent.", alpha=alpha, beta=beta)
    eta = alpha / 2
    scale = FLOPS_PER_PARAMETER_AND_TOKEN**eta
    return {"E": parameters["E"], "a": scale * parameters["A"], "b": scale * parameters["B"], "eta": eta}


def ratio_sentences(fitted: Fit) -> list[str]:
    """At which tokens per parameter a fitted law holds: what its form says, the runs' range, and its optimum there."""
    points = fitted.points
    ratios = points.tokens / points.params
    sentences = [
        _(LAWS[fitted.law].ratio),
        _("Its runs have {low} to {high} tokens per parameter.").format(
            low=short(float(ratios.min())), high=short(float(ratios.max()))
        ),
    ]
    try:
        first, last = (optimal_ratio(fitted.law, fitted.parameters, flops) for flops in _ends(points.flops))
    except UserError:
        return sentences
    if abs(last / first - 1) < 0.01:
        optimum = _("The optimum is {ratio} at every compute.").format(ratio=short(first))
    else:
        optimum = _("The optimum goes from {first} at the smallest run's compute to {last} at the largest's.").format(
            first=short(first), last=short(last)
        )
    return [*sentences, optimum]


def _ends(flops: Float[np.ndarray, " point"]) -> tuple[float, float]:
    return float(flops.min()), float(flops.max())


def _optimum(law: str, parameters: Parameters) -> Frontier:
    """The law's compute-optimal frontier in closed form."""
    if law not in CLOSED_FORMS:
        laws = ", ".join(CLOSED_FORMS)
        raise UserError("The law {law} has no optimum of N against D; choose one of {laws}.", law=law, laws=laws)
    return CLOSED_FORMS[law](parameters)
