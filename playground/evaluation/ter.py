"""Translation edit rate, counted by sacrebleu: edits and shifts of blocks over the reference length.

Snover et al. 2006, "A Study of Translation Edit Rate with Targeted Human Annotation", section 2.
"""

import numpy as np
from jaxtyping import Float

from playground.evaluation.lines import ComparedLines
from playground.progress import OnProgress, no_progress

TerStatistics = Float[np.ndarray, "*line 2"]
"""Of each line: edits to the nearest reference, and the mean reference length."""


def ter_statistics(lines: ComparedLines, on_progress: OnProgress = no_progress) -> TerStatistics:
    """The counts of each line; a corpus' counts are their sum."""
    from sacrebleu.metrics.ter import TER

    metric, table = TER(), np.zeros((len(lines), 2))
    for row, (hypothesis, references) in enumerate(zip(lines.hypotheses, lines.references, strict=True)):
        score = metric.sentence_score(hypothesis, list(references))
        table[row] = score.num_edits, score.ref_length
        on_progress(row + 1, len(lines))
    return table


def ter_scores(statistics: TerStatistics) -> Float[np.ndarray, "*line"]:
    """TER, 0 for equal texts, in per cent of the reference length: it may exceed 100."""
    edits, length = statistics[..., 0], statistics[..., 1]
    scores: np.ndarray = 100 * np.where(length > 0, edits / np.where(length > 0, length, 1.0), edits > 0)
    return scores


def ter_signature(n_references: int) -> str:
    """sacrebleu's signature of TER."""
    from sacrebleu.metrics.ter import TER

    metric = TER()
    metric.corpus_score(["a"], [["a"]] * n_references)
    return str(metric.get_signature())
