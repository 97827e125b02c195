"""What ablation, patching and interaction show, in a sentence each; None where nothing can be said."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from playground.lens.finding import Finding
from playground.lens.intervene.ablation import EffectMetric
from playground.text import N_

ROUNDING = 1e-4
"""Effects in nats or logits below this are rounding of a float32 pass."""
HALF = 0.5
"""A position that recovers at least half of the logit difference decides which answer wins: the scale runs from the
one answer (0) to the other (1), and half of it is where they are even (Wang et al. 2022, section 3)."""
ADDITIVE = 0.1
"""An interaction within a tenth of the joint effect is called none: our choice, no paper names a threshold."""


def costliest_ablation(
    heads: Sequence[str],
    head_effects: Float[np.ndarray, "head"],
    parts: Sequence[str],
    part_effects: Float[np.ndarray, "part"],
    *,
    metric: EffectMetric,
    title: str,
) -> Finding | None:
    """Which head, and which attention layer, MLP or block, costs most when it alone is ablated.

    A cost is a divergence, a rise of the loss, or a fall of the target's logit. title: the metric's, with its unit.
    """
    sign = -1 if metric == "logit" else 1
    head, part = (_costliest(sign * effects) for effects in (head_effects, part_effects))
    if head is None:
        return None
    values: dict[str, object] = {"metric": title, "head": heads[head], "head_effect": float(head_effects[head])}
    if part is None:
        return Finding(template=N_("Costliest single ablation: {head}, {metric} {head_effect:+.3g}."), values=values)
    values |= {"part": parts[part], "part_effect": float(part_effects[part])}
    template = N_(
        "Costliest single ablations, {metric}: of the heads, {head} ({head_effect:+.3g}); of the larger parts, "
        "{part} ({part_effect:+.3g})."
    )
    return Finding(template=template, values=values)


def deciding_heads(heads: Sequence[str], *, listed: int = 6) -> Finding:
    """Which heads a classifier's answer hangs on: without any one of them, another label has the highest logit."""
    if not heads:
        return Finding(template=N_("No single head decides: without any one of them the same label wins."), values={})
    named = ", ".join(heads[:listed]) + (", …" if len(heads) > listed else "")
    values = {"count": len(heads), "heads": named}
    if len(heads) == 1:
        return Finding(template=N_("One head decides: without head {heads} another label wins."), values=values)
    return Finding(template=N_("{count} heads decide: without any one of {heads} another label wins."), values=values)


def _costliest(costs: Float[np.ndarray, "component"]) -> int | None:
    if not np.isfinite(costs).any():
        return None
    index = int(np.nanargmax(costs))
    return index if costs[index] > ROUNDING else None


def largest_recovery(
    recovered: Float[np.ndarray, "row column"], place: Callable[[int, int], str], *, is_solved: bool
) -> Finding | None:
    """Where patching restores the answer most, and how much of it.

    recovered: shares of the logit difference; changes in logits for a pair that is not solved. place: names a cell.
    """
    if not np.isfinite(recovered).any() or np.nanmax(recovered) <= ROUNDING:
        return None
    row, column = np.unravel_index(int(np.nanargmax(recovered)), recovered.shape)
    values = {"place": place(int(row), int(column)), "value": float(recovered[row, column])}
    if is_solved:
        return Finding(template=N_("Patching recovers most at {place}: {value:.2f} of the difference."), values=values)
    return Finding(
        template=N_("Patching raises the logit difference most at {place}: {value:+.3g} logits."), values=values
    )


def carried_from(recovered: Float[np.ndarray, "layer token"], position: int, token: str) -> Finding | None:
    """From which layer on the stream at the answer's own position alone decides the answer (Meng et al. 2022).

    None where it does so from the start, or never: the prompts differ at that position, or nothing arrives there.
    """
    deciding = recovered[:, position] >= HALF
    first = len(deciding) - int(np.argmin(deciding[::-1])) if not deciding.all() else 0
    if not 0 < first < len(deciding):
        return None
    template = N_("From layer {layer} on, the stream at {token} alone recovers at least half of it.")
    return Finding(template=template, values={"layer": first, "token": token})


def joint_against_singles(singles: Sequence[float], joint: float, *, title: str) -> Finding | None:
    """Whether components ablated together cost more or less than the sum of their single effects.

    More: each makes up for the other while it is there, as backup heads do (Wang et al. 2022; McGrath et al. 2023).
    Less: what one of them does needs the other, or is already lost with it, as on one path.
    None where effects have both signs: neither word names what one component repairs and another breaks.
    """
    effects = np.array([*singles, joint])
    felt = np.sign(effects[np.abs(effects) > ROUNDING])
    if not np.isfinite(effects).all() or abs(joint) <= ROUNDING or len(set(felt)) != 1:
        return None
    total = sum(singles)
    values = {"metric": title, "joint": joint, "sum": total, "difference": joint - total}
    if abs(joint - total) <= ADDITIVE * max(abs(joint), abs(total)):
        template = N_(
            "{metric}: jointly {joint:+.3g}, in sum {sum:+.3g}. The effects add up: no interaction to speak of."
        )
    elif abs(joint) > abs(total):
        template = N_(
            "{metric}: jointly {joint:+.3g}, in sum only {sum:+.3g}. Redundancy: each makes up for the loss of another."
        )
    else:
        template = N_(
            "{metric}: jointly {joint:+.3g}, in sum {sum:+.3g}. Synergy: they work together, so that losing one "
            "already costs what another does."
        )
    return Finding(template=template, values=values)
