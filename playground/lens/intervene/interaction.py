"""The whole and the sum of its parts: single effects against the joint effect, and the difference between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from playground.errors import UserError
from playground.lens.intervene.ablation import Effect, Experiment, Judge, ablate_each
from playground.lens.intervene.interventions import Component
from playground.progress import OnProgress, no_progress

MOST = 12
"""More parts than this have too many pairs to look at."""


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """The effects of taking parts away one by one, in pairs, and all together.

    interaction is joint less the sum of single effects: 0 where the parts do not know of each other, of the opposite
    sign where they stand in for each other, of the same sign where each needs the other. pairs [i, j]: likewise for
    two of them. judge: which measure the numbers below are in.
    """

    components: tuple[Component, ...]
    singles: tuple[Effect, ...]
    joint: Effect
    pairs: dict[tuple[int, int], Effect]

    def sum_of_singles(self, judge: Judge) -> float:
        """What the joint effect would be if effects added up."""
        return sum(float(getattr(effect, judge)) for effect in self.singles)

    def interaction(self, judge: Judge) -> float:
        """The joint effect less the sum of single effects."""
        return float(getattr(self.joint, judge)) - self.sum_of_singles(judge)

    def pair(self, first: int, second: int, judge: Judge) -> float:
        """The interaction of two of the parts."""
        both = self.pairs[min(first, second), max(first, second)]
        singles = (self.singles[first], self.singles[second])
        return float(getattr(both, judge)) - sum(float(getattr(effect, judge)) for effect in singles)


def interaction(
    experiment: Experiment, components: Sequence[Component], on_progress: OnProgress = no_progress
) -> Interaction:
    """Take the parts away one by one, two by two and all together.

    Raises UserError for fewer than two parts, the same part twice, or too many.
    """
    if not 2 <= len(components) <= MOST or len(set(components)) < len(components):
        raise UserError("Choose from 2 to {most} different parts.", most=MOST)
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
