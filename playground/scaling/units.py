"""Numbers that look as if they were in other units than whole parameters, tokens, FLOPs and nats."""

import numpy as np

from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points

FEWEST_PARAMETERS = 1e3
FEWEST_TOKENS = 1e4
LARGEST_LOSS = 15.0
"""Above the logarithm of any vocabulary, in nats."""
FACTOR = 4.0
"""How far given FLOPs may be from 6 N D: embeddings and attention are counted or not."""


def suspicions(points: Points, flops_given: bool) -> tuple[str, ...]:
    """A sentence for each column that looks wrong."""
    found = []
    params, tokens, loss = np.median(points.params), np.median(points.tokens), np.median(points.loss)
    if params < FEWEST_PARAMETERS:
        found.append(f"Half of the models have fewer than {params:,.4g} parameters. {_millions('params')}")
    if tokens < FEWEST_TOKENS:
        found.append(f"Half of the runs read fewer than {tokens:,.4g} tokens. {_millions('tokens')}")
    if loss > LARGEST_LOSS:
        found.append(f"Half of the losses are above {loss:.4g}. If they are perplexities, write their logarithms.")
    ratio = np.median(points.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * points.params * points.tokens))
    if flops_given and not 1 / FACTOR < ratio < FACTOR:
        found.append(f"The FLOPs are {ratio:.3g} times 6 x params x tokens. Look at the units of all three.")
    return tuple(found)


def _millions(column: str) -> str:
    return f"If {column} are in millions or billions, write them out: exponents stay the same, coefficients do not."
