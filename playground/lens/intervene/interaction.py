"""Interaction effects: single ablations against the joint one, and the same for each pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from playground.errors import UserError
from playground.lens.capture.activations import Component
from playground.lens.intervene.ablation import Effect, EffectMetric, Experiment, ablate_each
from playground.progress import OnProgress, no_progress

MOST_COMPONENTS = 12
"""More components than this have too many pairs to look at."""


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """Effects of ablating components singly, in pairs and jointly.

    An interaction is the joint effect minus the sum of single effects: 0 for independent components. Of the same sign
    as the effects where the components are redundant: with f = max(a, b) losing a or b costs nothing, losing both
    costs all. Of the opposite sign where each needs the other: with f = min(a, b) losing a costs all, and b no more.
    """

    components: tuple[Component, ...]
    singles: tuple[Effect, ...]
    joint: Effect
    pairs: dict[tuple[int, int], Effect]
    """By the indices [i, j], i < j, of two components."""

    def sum_of_singles(self, metric: EffectMetric) -> float:
        """What the joint effect would be if effects were additive."""
        return sum(float(getattr(effect, metric)) for effect in self.singles)

    def of_all(self, metric: EffectMetric) -> float:
        """The interaction of all components."""
        return float(getattr(self.joint, metric)) - self.sum_of_singles(metric)

    def of_pair(self, first: int, second: int, metric: EffectMetric) -> float:
        """The interaction of two components."""
        both = self.pairs[min(first, second), max(first, second)]
        singles = (self.singles[first], self.singles[second])
        return float(getattr(both, metric)) - sum(float(getattr(effect, metric)) for effect in singles)


def measure_interaction(
    experiment: Experiment, components: Sequence[Component], on_progress: OnProgress = no_progress
) -> Interaction:
    """Ablate the components one by one, two by two and all together.

    Raises UserError for fewer than two components, the same one twice, or too many.
    """
    if not 2 <= len(components) <= MOST_COMPONENTS or len(set(components)) < len(components):
        raise UserError("Choose from 2 to {most} different components.", most=MOST_COMPONENTS)
    pairs = list(combinations(range(len(components)), 2))
    sets = [
        list(components),
        *([component] for component in components),
        *([components[first], components[second]] for first, second in pairs),
    ]
    joint, *rest = ablate_each(experiment, sets, on_progress)
    count = len(components)
    return Interaction(
        components=tuple(components),
        singles=tuple(rest[:count]),
        joint=joint,
        pairs=dict(zip(pairs, rest[count:], strict=True)),
    )
