"""Runs whose losses follow a law that is known, with noise that is stated."""

import numpy as np

from playground.scaling.frontier import LossCurve, closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU

BUDGETS = np.geomspace(6e18, 3e21, 9)
SIZES = np.geomspace(3e7, 2e10, 25)


def scattered(law="chinchilla", parameters=BESIROGLU.parameters, *, count=120, noise=0.0, seed=0, **spans):
    """Runs of random sizes; noise is the standard deviation of the logarithm of the loss."""
    random = np.random.default_rng(seed)
    spans = {"params": (7.0, 10.2), "tokens": (9.0, 11.7), **spans}
    params, tokens = (10 ** random.uniform(*spans[name], count) for name in ("params", "tokens"))
    unique = tokens * 10 ** random.uniform(-1.5, 0.0, count) if law == "data-constrained" else None
    loss = LAWS[law].predict(parameters, params=params, tokens=tokens, unique=unique)
    return Points(params=params, tokens=tokens, unique=unique, loss=loss * np.exp(noise * random.normal(size=count)))


def isoflop_runs(parameters=BESIROGLU.parameters, *, noise=0.0, seed=0, budgets=BUDGETS, sizes=9):
    """Budgets, each with models from a fifth to five times the best one."""
    random = np.random.default_rng(seed)
    best = closed_form(parameters)
    params = np.concatenate([best.params(budget) * np.geomspace(0.2, 5, sizes) for budget in budgets])
    tokens = np.repeat(budgets, sizes) / (6 * params)
    loss = LAWS["chinchilla"].predict(parameters, params=params, tokens=tokens)
    return Points(params=params, tokens=tokens, loss=loss * np.exp(noise * random.normal(size=len(loss))))


def loss_curves(parameters=BESIROGLU.parameters, *, sizes=SIZES, steps=400):
    """Training loss_curves of models that all read from 2e8 to 2e12 tokens."""
    tokens = np.geomspace(2e8, 2e12, steps)
    return [
        LossCurve(
            name=f"{size:.3g}",
            params=size,
            tokens=tokens,
            loss=LAWS["chinchilla"].predict(parameters, params=size, tokens=tokens),
        )
        for size in sizes
    ]
