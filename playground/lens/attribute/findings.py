"""What direct logit attribution and token attribution show, in a sentence each; None where nothing can be said."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.lens.finding import Finding
from playground.text import N_

NAMED = 3
"""How many contributions a sentence names."""
STANDS_OUT = 1.5
"""Tokens are named where they hold so many times what as many tokens would hold if all held alike: our choice."""
ROUNDING = 1e-4
"""Logits below this are rounding of a float32 pass."""


def largest_contributions(names: Sequence[str], values: Sequence[float], *, token: str) -> Finding | None:
    """The three largest contributions to a logit, and their share of the sum of absolute contributions."""
    amounts = np.abs(np.asarray(values, dtype=float))
    if len(amounts) <= NAMED or not np.isfinite(amounts).all() or amounts.sum() <= ROUNDING:
        return None
    first, second, third = np.argsort(-amounts, kind="stable")[:NAMED]
    template = N_(
        "Largest contributions to the logit of {token}: {first} ({first_value:+.2f}), {second} "
        "({second_value:+.2f}), {third} ({third_value:+.2f}); together {share:.0f}% of the sum of absolute "
        "contributions."
    )
    named = {"first": first, "second": second, "third": third}
    filled: dict[str, object] = {"token": token, **{name: names[index] for name, index in named.items()}}
    filled |= {f"{name}_value": float(values[index]) for name, index in named.items()}
    filled["share"] = 100 * float(amounts[[first, second, third]].sum() / amounts.sum())
    return Finding(template=template, values=filled)


def carrying_tokens(names: Sequence[str], values: Float[np.ndarray, "token"]) -> Finding | None:
    """The one to three tokens that hold most of the absolute attribution; None where none stands out."""
    amounts = np.abs(np.asarray(values, dtype=float))
    if len(amounts) < 2 or not np.isfinite(amounts).all() or amounts.sum() <= ROUNDING:
        return None
    order = np.argsort(-amounts, kind="stable")
    shares = amounts[order] / amounts.sum()
    # The fewest tokens that hold half; more than three would be a list and no finding.
    count = int(np.argmax(shares.cumsum() >= 0.5)) + 1
    share = float(shares[:count].sum())
    if count > NAMED or share < STANDS_OUT * count / len(amounts):
        return None
    listed = ", ".join(names[index] for index in order[:count])
    template = N_("Carried by {tokens}: {share:.0f}% of the sum of absolute values.")
    return Finding(template=template, values={"tokens": listed, "share": 100 * share})


def completeness(gap: float, change: float) -> Finding | None:
    """How far integrated gradients miss the logit's change (Sundararajan et al. 2017, axiom of completeness)."""
    if not np.isfinite([gap, change]).all() or abs(change) <= ROUNDING:
        return None
    template = N_("Completeness gap {gap:.3f}, {share:.1f}% of the logit's change.")
    return Finding(template=template, values={"gap": gap, "share": 100 * abs(gap / change)})
