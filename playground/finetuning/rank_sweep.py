"""Accuracy and drift over the rank of LoRA (Hu et al. 2022, section 7.2: how small a rank suffices)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.evaluation.resampling import Spread
from playground.finetuning.weight_drift import ModelDrift

RANKS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class RankPoint:
    """One fine-tuning with LoRA of one rank."""

    rank: int
    trainable: int
    """Trainable parameters."""
    score: Spread
    """Held-out accuracy, or loss in nats where there are no classes, with its interval."""
    drift: float
    """Norm of all changes over the norm of all weights that LoRA was put beside."""
    effective_rank: float
    """Mean over the changed matrices."""

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise UserError("A rank of {rank} is none; choose 1 or more.", rank=self.rank)


def rank_point(rank: int, trainable: int, score: Spread, drift: ModelDrift) -> RankPoint:
    """A point of the sweep, its drift taken over the matrices that moved."""
    moved = [weight for weight in drift.changed if weight.is_matrix]
    norm = np.sqrt(sum(weight.norm**2 for weight in moved))
    change = np.sqrt(sum(weight.change**2 for weight in moved))
    return RankPoint(
        rank=rank,
        trainable=trainable,
        score=score,
        drift=float(change / norm) if norm else 0.0,
        effective_rank=float(np.mean([weight.effective_rank for weight in moved])) if moved else 0.0,
    )


def possible_ranks(sides: Sequence[int]) -> tuple[int, ...]:
    """The ranks that are smaller than the shorter side of every matrix.

    >>> possible_ranks([24, 96])
    (1, 2, 4, 8, 16)
    """
    return tuple(rank for rank in RANKS if rank < min(sides))


def smallest_sufficient(points: Sequence[RankPoint], *, higher_is_better: bool) -> RankPoint | None:
    """The smallest rank whose interval holds the best rank's score; None without points."""
    if not points:
        return None
    ordered = sorted(points, key=lambda point: point.rank)
    best = (max if higher_is_better else min)(ordered, key=lambda point: point.score.value)
    return next(point for point in ordered if point.score.low <= best.score.value <= point.score.high)
