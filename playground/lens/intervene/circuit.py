"""The minimal sufficient set of heads: ablate as many as possible while the effect stays within a tolerance."""

from dataclasses import dataclass

from playground.errors import UserError
from playground.lens.capture.activations import Component
from playground.lens.intervene.ablation import Effect, EffectMetric, Experiment, ablate, ablate_each
from playground.progress import OnProgress, no_progress


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """The heads that a greedy search kept, and the effect of ablating all the others at once."""

    kept: tuple[Component, ...]
    removed: tuple[Component, ...]
    effect: Effect


def minimal_circuit(
    experiment: Experiment,
    tolerance: float,
    *,
    metric: EffectMetric = "divergence",
    on_progress: OnProgress = no_progress,
) -> Circuit:
    """The heads left when as many as possible are ablated and the effect stays within the tolerance.

    Greedy, by rising single effect: ablate a run of heads at once; halve it where that is too much. With effects
    1 2 3 9 and a tolerance of 7: try {1 2 3 9} (15), halve, {1 2} is removed, {3 9} (15) is halved, {3} is removed
    and {9} kept. Each kept head was tried alone against what was removed by then; another order may keep fewer.

    tolerance: in nats (loss, divergence) or logits. Progress counts single effects, then decided heads.
    """
    if tolerance < 0:
        raise UserError("The tolerance is the largest effect allowed; choose 0 or more.")
    heads = experiment.clean.heads()
    effects = ablate_each(experiment, [[head] for head in heads], lambda done, _: on_progress(done, 2 * len(heads)))
    by_effect = [head for _, head in sorted(zip(effects, heads, strict=True), key=lambda pair: pair[0].size(metric))]
    removed: list[Component] = []
    kept: list[Component] = []
    pending = [by_effect]
    while pending:
        run = pending.pop()
        if ablate(experiment, [*removed, *run]).size(metric) <= tolerance:
            removed += run
        elif len(run) == 1:
            kept += run
        else:
            half = len(run) // 2
            pending += [run[half:], run[:half]]
        on_progress(len(heads) + len(removed) + len(kept), 2 * len(heads))
    order = heads.index
    return Circuit(
        kept=tuple(sorted(kept, key=order)),
        removed=tuple(sorted(removed, key=order)),
        effect=ablate(experiment, removed),
    )
