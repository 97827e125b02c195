"""chrF: precision and recall of character n-grams; equal to sacrebleu's.

Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation", section 2.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from playground.evaluation.lines import ComparedLines
from playground.progress import OnProgress, no_progress

CHARACTER_ORDERS = 6
BETA = 2
"""Recall counts BETA times as much as precision."""
ChrfStatistics = Int[np.ndarray, "*line 6 3"]
"""Of each order: n-grams of the hypothesis, of the reference, and of both."""
REPORT_EVERY = 200


def chrf_statistics(lines: ComparedLines, on_progress: OnProgress = no_progress) -> ChrfStatistics:
    """The counts of each line, against the reference with the higher chrF."""
    table = np.zeros((len(lines), CHARACTER_ORDERS, 3), dtype=np.int64)
    for row, (hypothesis, references) in enumerate(zip(lines.hypotheses, lines.references, strict=True)):
        own = _character_counts(hypothesis)
        candidates = np.stack([_overlap(own, _character_counts(reference)) for reference in references])
        table[row] = candidates[int(np.argmax(chrf_scores(candidates)))]
        if row % REPORT_EVERY == 0:
            on_progress(row, len(lines))
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


def _character_counts(text: str) -> list[Counter[str]]:
    """Counts of character n-grams, white space left out."""
    plain = "".join(text.split())
    return [
        Counter(plain[i : i + order] for i in range(len(plain) - order + 1)) for order in range(1, CHARACTER_ORDERS + 1)
    ]


def _overlap(own: Sequence[Counter[str]], wanted: Sequence[Counter[str]]) -> Int[np.ndarray, "6 3"]:
    # An order that the reference is too short for does not count against the hypothesis.
    rows = [
        (mine.total() if theirs else 0, theirs.total(), sum(min(n, theirs[ngram]) for ngram, n in mine.items()))
        for mine, theirs in zip(own, wanted, strict=True)
    ]
    return np.array(rows, dtype=np.int64)
