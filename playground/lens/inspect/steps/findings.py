"""Which key a query attends to most, and from which step on, in a sentence."""

from collections.abc import Sequence

import numpy as np

from playground.lens.finding import Finding
from playground.lens.inspect.steps.head import AttentionRow
from playground.lens.inspect.steps.scores import HIDDEN
from playground.text import N_

TIE = 1e-6
"""Weights that differ by less are equal in float32: no key is named as the one of the largest."""


def describe_strongest_key(row: AttentionRow, query: str, keys: Sequence[str], steps: Sequence[str]) -> Finding | None:
    """The key of the largest weight, against what uniform attention would give, and the step from which it leads.

    A later step than the scores means that bias or mask took the lead from another key. steps: the names of the steps,
    as they are numbered on the page. None where two keys share the largest weight, or only one is visible.
    """
    weights = np.asarray(row.weights, dtype=float)
    visible = row.masked >= HIDDEN
    if visible.sum() < 2 or not np.isfinite(weights).all():
        return None
    best = int(weights.argmax())
    if weights[best] - np.partition(weights, -2)[-2] < TIE:
        return None
    step = "scores" if int(np.argmax(row.products)) == best else "mask"
    template = (
        N_(
            "{query} attends most to {key}: {weight:.1f}% (uniform over its {visible} keys: {uniform:.1f}%). It has "
            "the largest score from step {step} on."
        )
        if step == "scores"
        else N_(
            "{query} attends most to {key}: {weight:.1f}% (uniform over its {visible} keys: {uniform:.1f}%). It "
            "leads from step {step} on: before bias and mask, {rival} has a larger score."
        )
    )
    values = {
        "query": query,
        "key": keys[best],
        "weight": 100 * float(weights[best]),
        "visible": int(visible.sum()),
        "uniform": 100 / int(visible.sum()),
        "step": steps.index(step) + 1,
        "rival": keys[int(np.argmax(row.products))],
    }
    return Finding(template=template, values=values)
