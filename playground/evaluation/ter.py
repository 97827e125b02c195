"""Translation edit rate: edits and shifts of blocks over the reference length; equal to sacrebleu's.

Snover et al. 2006, "A Study of Translation Edit Rate with Targeted Human Annotation", section 2.
"""

import numpy as np
from jaxtyping import Float

from playground.evaluation.block_shifts import ter_edits
from playground.evaluation.lines import ComparedLines
from playground.progress import OnProgress, no_progress

TerStatistics = Float[np.ndarray, "*line 2"]
"""Of each line: edits to the nearest reference, and the mean reference length."""


def ter_tokens(text: str) -> list[str]:
    """Words between white space in lower case, as sacrebleu's TER compares them.

    >>> ter_tokens("The cat  sat.")
    ['the', 'cat', 'sat.']
    """
    return text.lower().split()


def ter_statistics(lines: ComparedLines, on_progress: OnProgress = no_progress) -> TerStatistics:
    """The counts of each line; a corpus' counts are their sum."""
    table = np.zeros((len(lines), 2))
    for row, (hypothesis, references) in enumerate(zip(lines.hypotheses, lines.references, strict=True)):
        own, wanted = ter_tokens(hypothesis), [ter_tokens(reference) for reference in references]
        edits = min(ter_edits(own, tokens).edits for tokens in wanted)
        table[row] = edits, sum(map(len, wanted)) / len(wanted)
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
