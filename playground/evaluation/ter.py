"""Translation edit rate: edits and shifts of blocks over the reference length; equal to sacrebleu's.

Snover et al. 2006, "A Study of Translation Edit Rate with Targeted Human Annotation", section 2.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from playground.evaluation.block_shifts import BEAM, ter_edits
from playground.evaluation.edit_distance import edit_distances
from playground.evaluation.lines import ComparedLines, line_blocks
from playground.evaluation.shared_ngrams import shared_ngrams
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
    for block, columns in line_blocks(lines, on_progress):
        own, *sets = ([ter_tokens(text) for text in texts] for texts in columns)
        (words,) = shared_ngrams([own, *sets], 1)
        edits = [_edits(own, wanted, shared) for wanted, shared in zip(sets, words.matches(), strict=True)]
        table[block] = np.stack([np.min(edits, axis=0), words.totals[1:].mean(0)], axis=1)
    on_progress(len(lines), len(lines))
    return table


def _edits(
    own: Sequence[list[str]], wanted: Sequence[list[str]], shared: Int[np.ndarray, " line"]
) -> Int[np.ndarray, " line"]:
    """Edits of each line to its reference; shared: the words that both have, wherever they stand."""
    longest = np.array([max(len(words), len(others)) for words, others in zip(own, wanted, strict=True)])
    edits = np.full(len(own), -1)
    # The beam cuts nothing off the tables of short lines.
    short = np.flatnonzero(longest <= BEAM).tolist()
    edits[short] = edit_distances([own[line] for line in short], [wanted[line] for line in short])
    # Shifts keep the words, so that none brings the distance below that of the words in any order; and each costs one.
    searched = np.flatnonzero((edits < 0) | (edits > longest - shared + 1)).tolist()
    edits[searched] = [ter_edits(own[line], wanted[line]).edits for line in searched]
    return edits


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
