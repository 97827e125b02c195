"""chrF: precision and recall of character n-grams; equal to sacrebleu's.

Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation", section 2.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from playground.evaluation.lines import ComparedLines, line_blocks
from playground.evaluation.shared_ngrams import shared_ngrams
from playground.progress import OnProgress, no_progress

CHARACTER_ORDERS = 6
BETA = 2
"""Recall counts BETA times as much as precision."""
ChrfStatistics = Int[np.ndarray, "*line 6 3"]
"""Of each order: n-grams of the hypothesis, of the reference, and of both."""


def chrf_statistics(lines: ComparedLines, on_progress: OnProgress = no_progress) -> ChrfStatistics:
    """The counts of each line, against the reference with the higher chrF."""
    table = np.zeros((len(lines), CHARACTER_ORDERS, 3), dtype=np.int64)
    for block, columns in line_blocks(lines, on_progress):
        # White space is left out; the characters of a string are its tokens.
        candidates = _block_statistics([["".join(text.split()) for text in texts] for texts in columns])
        best = chrf_scores(candidates).argmax(0)
        table[block] = candidates[best, np.arange(len(best))]
    return table


def chrf_scores(statistics: ChrfStatistics) -> Float[np.ndarray, "*line"]:
    """chrF, 0 to 100, of each row of counts: F-beta of the mean precision and the mean recall over the orders."""
    own, wanted, both = (statistics[..., column].astype(float) for column in range(3))
    counted = (own > 0) & (wanted > 0)
    n_orders = np.maximum(counted.sum(-1), 1)
    precision = (both / np.maximum(own, 1) * counted).sum(-1) / n_orders
    recall = (both / np.maximum(wanted, 1) * counted).sum(-1) / n_orders
    weighted = BETA**2 * precision + recall
    scores: np.ndarray = np.where(
        weighted > 0, 100 * (1 + BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1.0), 0.0
    )
    return scores


def chrf_signature(n_references: int) -> str:
    """sacrebleu's signature of chrF."""
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    metric.corpus_score(["a"], [["a"]] * n_references)
    return str(metric.get_signature())


def _block_statistics(texts: Sequence[Sequence[str]]) -> Int[np.ndarray, "reference line 6 3"]:
    """The counts of each line against each of its references; texts: hypotheses, then each set of references."""
    orders = []
    for shared in shared_ngrams(texts, CHARACTER_ORDERS):
        wanted = shared.totals[1:]
        # An order that the reference is too short for does not count against the hypothesis.
        own = np.where(wanted > 0, shared.totals[0], 0)
        orders.append(np.stack([own, wanted, shared.matches()], axis=-1))
    return np.stack(orders, axis=-2)
