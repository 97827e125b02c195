"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum, counted here so that each step can be shown.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", sections 2 and 3. Equal to Google's rouge-score
(without its stemmer) on ASCII; that package drops all other letters, where here words of every script count, and each
Chinese or Japanese character is a token.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float

from playground.evaluation.lcs import lcs_length, lcs_links
from playground.evaluation.lines import ComparedLines, split_lines
from playground.evaluation.ngrams import ngrams_of
from playground.progress import OnProgress, no_progress

RougeKind = Literal["rouge1", "rouge2", "rougeL", "rougeLsum"]
ROUGE_KINDS: tuple[RougeKind, ...] = ("rouge1", "rouge2", "rougeL", "rougeLsum")
BY_CHARACTER = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Chinese and Japanese, which stand without spaces."""
REPORT_EVERY = 100


@dataclass(frozen=True, kw_only=True)
class RougeScore:
    """Shares from 0 to 1, and the counts behind them."""

    hits: int
    hypothesis_total: int
    reference_total: int

    @property
    def precision(self) -> float:
        """Share of the hypothesis that the reference has."""
        return self.hits / max(self.hypothesis_total, 1)

    @property
    def recall(self) -> float:
        """Share of the reference that the hypothesis has."""
        return self.hits / max(self.reference_total, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 without a hit."""
        if not self.hits:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def rouge_tokens(text: str) -> list[str]:
    """Letters and digits in lower case; punctuation is dropped.

    >>> rouge_tokens("The cat's 2 hats!"), rouge_tokens("猫坐在 mat 上。")
    (['the', 'cat', 's', '2', 'hats'], ['猫', '坐', '在', 'mat', '上'])
    >>> rouge_tokens("नमस्ते दुनिया")
    ['नमस्ते', 'दुनिया']
    """
    return _token_pattern().findall(unicodedata.normalize("NFC", text.lower()))


@cache
def _token_pattern() -> re.Pattern[str]:
    """A Chinese or Japanese character, or a run of letters, digits and the marks that belong to them."""
    marks = "".join(chr(code) for code in range(0x300, 0xFFFF) if unicodedata.category(chr(code)).startswith("M"))
    return re.compile(f"[{BY_CHARACTER}]|(?:[^\\W_{BY_CHARACTER}]|[{marks}])+")


def rouge(hypothesis: str, reference: str) -> dict[RougeKind, RougeScore]:
    """All four scores of one pair.

    >>> scores = rouge("police killed the gunman", "police kill the gunman")
    >>> scores["rouge1"].recall, scores["rouge2"].recall.__round__(4), scores["rougeL"].f1
    (0.75, 0.3333, 0.75)
    """
    own, wanted = rouge_tokens(hypothesis), rouge_tokens(reference)
    lengths = {"hypothesis_total": len(own), "reference_total": len(wanted)}
    subsequence = RougeScore(hits=lcs_length(wanted, own), **lengths)
    is_one_line = "\n" not in hypothesis and "\n" not in reference
    return {
        "rouge1": _ngram_score(own, wanted, 1),
        "rouge2": _ngram_score(own, wanted, 2),
        "rougeL": subsequence,
        # Of one line each, the union of subsequences is the subsequence.
        "rougeLsum": subsequence if is_one_line else RougeScore(hits=_union_hits(hypothesis, reference), **lengths),
    }


def best_rouge(hypothesis: str, references: Sequence[str]) -> dict[RougeKind, RougeScore]:
    """Of several references, for each kind the one with the highest F1, as rouge-score's `score_multi`."""
    scored = [rouge(hypothesis, reference) for reference in references]
    return {kind: max((scores[kind] for scores in scored), key=lambda score: score.f1) for kind in ROUGE_KINDS}


def rouge_table(
    lines: ComparedLines, on_progress: OnProgress = no_progress
) -> dict[RougeKind, Float[np.ndarray, "line 3"]]:
    """Precision, recall and F1 of each line; a corpus' ROUGE is their mean."""
    table: dict[RougeKind, np.ndarray] = {kind: np.zeros((len(lines), 3)) for kind in ROUGE_KINDS}
    for row, (hypothesis, references) in enumerate(zip(lines.hypotheses, lines.references, strict=True)):
        for kind, score in best_rouge(hypothesis, references).items():
            table[kind][row] = score.precision, score.recall, score.f1
        if row % REPORT_EVERY == 0:
            on_progress(row, len(lines))
    return table


def _ngram_score(own: Sequence[str], wanted: Sequence[str], order: int) -> RougeScore:
    mine, theirs = Counter(ngrams_of(own, order)), Counter(ngrams_of(wanted, order))
    return RougeScore(hits=(mine & theirs).total(), hypothesis_total=mine.total(), reference_total=theirs.total())


def _union_hits(hypothesis: str, reference: str) -> int:
    """Tokens of the reference's lines in a longest common subsequence with any line of the hypothesis (section 3.2).

    Each token of either text counts once, as in ROUGE 1.5.5.
    """
    own = [rouge_tokens(line) for line in split_lines(hypothesis)]
    wanted = [rouge_tokens(line) for line in split_lines(reference)]
    left_own, left_wanted = Counter(rouge_tokens(hypothesis)), Counter(rouge_tokens(reference))
    hits = 0
    for line in wanted:
        for position in sorted({i for other in own for i, _j in lcs_links(line, other)}):
            token = line[position]
            if left_own[token] > 0 and left_wanted[token] > 0:
                left_own[token] -= 1
                left_wanted[token] -= 1
                hits += 1
    return hits
