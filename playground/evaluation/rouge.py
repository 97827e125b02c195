"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum, counted here so that each step can be shown.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", sections 2 and 3. Equal to Google's rouge-score,
with and without its stemmer, on ASCII; that package drops all other letters, where here words of every script count,
and each Chinese or Japanese character is a token.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from playground.evaluation.confusion import SCORE_NAMES, ScoreName
from playground.evaluation.lcs import lcs_length, lcs_links
from playground.evaluation.lines import ComparedLines, line_blocks, split_lines
from playground.evaluation.ngrams import MarkState, ngrams_of
from playground.evaluation.resampling import Spread, bootstrap_scores, spreads_report
from playground.evaluation.shared_ngrams import shared_ngrams
from playground.evaluation.word_stem import word_stem
from playground.progress import OnProgress, no_progress

RougeKind = Literal["rouge1", "rouge2", "rougeL", "rougeLsum"]
ROUGE_KINDS: tuple[RougeKind, ...] = ("rouge1", "rouge2", "rougeL", "rougeLsum")
BY_CHARACTER = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Chinese and Japanese, which stand without spaces."""
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])\s*")
SHORTEST_STEMMED = 4
"""Characters; shorter words stay as they are."""


@dataclass(frozen=True, kw_only=True)
class RougeConfig:
    """What counts as the same word, and as a line; the defaults are rouge-score's."""

    stemmed: bool = False
    """Compare the stems of English words (rouge-score's use_stemmer)."""
    by_sentence: bool = False
    """ROUGE-Lsum takes each sentence for a line: what ends with . ! ? or … and white space, or with 。！？."""


PLAIN = RougeConfig()


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


def rouge_tokens(text: str, config: RougeConfig = PLAIN) -> list[str]:
    """Letters and digits in lower case; punctuation is dropped.

    >>> rouge_tokens("The cat's 2 hats!"), rouge_tokens("猫坐在 mat 上。")
    (['the', 'cat', 's', '2', 'hats'], ['猫', '坐', '在', 'mat', '上'])
    >>> rouge_tokens("नमस्ते दुनिया"), rouge_tokens("cats running", RougeConfig(stemmed=True))
    (['नमस्ते', 'दुनिया'], ['cat', 'run'])
    """
    tokens: list[str] = _token_pattern().findall(unicodedata.normalize("NFC", text.lower()))
    if not config.stemmed:
        return tokens
    return [
        word_stem(token) if len(token) >= SHORTEST_STEMMED and token.isascii() and "_" not in token else token
        for token in tokens
    ]


def summary_lines(text: str, config: RougeConfig = PLAIN) -> list[str]:
    """The lines that ROUGE-Lsum compares.

    >>> summary_lines("It rained. We left.\\nLate!", RougeConfig(by_sentence=True))
    ['It rained.', 'We left.', 'Late!']
    """
    lines = split_lines(text)
    return [part for line in lines for part in SENTENCE_END.split(line) if part] if config.by_sentence else lines


@cache
def _token_pattern() -> re.Pattern[str]:
    """A Chinese or Japanese character, or a run of letters, digits and the marks that belong to them."""
    marks = "".join(chr(code) for code in range(0x300, 0xFFFF) if unicodedata.category(chr(code)).startswith("M"))
    return re.compile(f"[{BY_CHARACTER}]|(?:[^\\W_{BY_CHARACTER}]|[{marks}])+")


def rouge(hypothesis: str, reference: str, config: RougeConfig = PLAIN) -> dict[RougeKind, RougeScore]:
    """All four scores of one pair.

    >>> scores = rouge("police killed the gunman", "police kill the gunman")
    >>> scores["rouge1"].recall, scores["rouge2"].recall.__round__(4), scores["rougeL"].f1
    (0.75, 0.3333, 0.75)
    """
    own, wanted = rouge_tokens(hypothesis, config), rouge_tokens(reference, config)
    lengths = {"hypothesis_total": len(own), "reference_total": len(wanted)}
    subsequence = RougeScore(hits=lcs_length(wanted, own), **lengths)
    is_one_line = not config.by_sentence and "\n" not in hypothesis and "\n" not in reference
    # Of one line each, the union of subsequences is the subsequence.
    union = subsequence.hits if is_one_line else union_of_lines(hypothesis, reference, config).hits
    return {
        "rouge1": _ngram_score(own, wanted, 1),
        "rouge2": _ngram_score(own, wanted, 2),
        "rougeL": subsequence,
        "rougeLsum": RougeScore(hits=union, **lengths),
    }


def rouge_table(
    lines: ComparedLines, config: RougeConfig = PLAIN, on_progress: OnProgress = no_progress
) -> dict[RougeKind, Float[np.ndarray, "line 3"]]:
    """Precision, recall and F1 of each line; a corpus' ROUGE is their mean."""
    table: dict[RougeKind, np.ndarray] = {kind: np.zeros((len(lines), 3)) for kind in ROUGE_KINDS}
    for block, (hypotheses, *references) in line_blocks(lines, on_progress):
        for kind, scores in _block_scores(hypotheses, references, config).items():
            # Of several references the one with the highest F1, as rouge-score's `score_multi`.
            best = scores[..., 2].argmax(0)
            table[kind][block] = scores[best, np.arange(len(best))]
    return table


def rouge_spreads(table: dict[RougeKind, Float[np.ndarray, "line 3"]]) -> dict[RougeKind, dict[ScoreName, Spread]]:
    """The means over lines, each with its interval; all over the same resamples."""
    means = {
        (kind, part): (
            np.stack([scores[:, column], np.ones(len(scores))], axis=1),
            lambda sums: sums[:, 0] / sums[:, 1],
        )
        for kind, scores in table.items()
        for column, part in enumerate(SCORE_NAMES)
    }
    found = bootstrap_scores(means)
    return {kind: {part: found[kind, part] for part in SCORE_NAMES} for kind in table}


def rouge_report(
    lines: ComparedLines, config: RougeConfig = PLAIN, on_progress: OnProgress = no_progress
) -> dict[str, Any]:
    """Everything about the lines, as JSON takes it."""
    spreads = rouge_spreads(rouge_table(lines, config, on_progress))
    scores = {str(kind): spreads_report(found) for kind, found in spreads.items()}
    return {"n": len(lines), "references": lines.n_references, **vars(config), **scores}


def _block_scores(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], config: RougeConfig
) -> dict[RougeKind, Float[np.ndarray, "reference line 3"]]:
    """Precision, recall and F1 of some lines with each of their references; references: [reference][line]."""
    own = [rouge_tokens(text, config) for text in hypotheses]
    sets = [[rouge_tokens(text, config) for text in texts] for texts in references]
    first, second = shared_ngrams([own, *sets], 2)
    subsequence = np.array([[lcs_length(*pair) for pair in zip(wanted, own, strict=True)] for wanted in sets])
    union = subsequence.copy()
    for number, texts in enumerate(references):
        for line, (hypothesis, reference) in enumerate(zip(hypotheses, texts, strict=True)):
            if config.by_sentence or "\n" in hypothesis or "\n" in reference:
                union[number, line] = union_of_lines(hypothesis, reference, config).hits
    return {
        "rouge1": _shares(first.matches(), first.totals),
        "rouge2": _shares(second.matches(), second.totals),
        "rougeL": _shares(subsequence, first.totals),
        "rougeLsum": _shares(union, first.totals),
    }


def _shares(
    hits: Int[np.ndarray, "reference line"], totals: Int[np.ndarray, "text line"]
) -> Float[np.ndarray, "reference line 3"]:
    """Precision, recall and F1 (`RougeScore`) of hits; totals: of the hypotheses, then of each set of references."""
    precision = hits / np.maximum(totals[0], 1)
    recall = hits / np.maximum(totals[1:], 1)
    f1 = np.where(hits > 0, 2 * precision * recall / np.where(hits > 0, precision + recall, 1.0), 0.0)
    return np.stack([precision, recall, f1], axis=-1)


def _ngram_score(own: Sequence[str], wanted: Sequence[str], order: int) -> RougeScore:
    mine, theirs = Counter(ngrams_of(own, order)), Counter(ngrams_of(wanted, order))
    return RougeScore(hits=(mine & theirs).total(), hypothesis_total=mine.total(), reference_total=theirs.total())


@dataclass(frozen=True, kw_only=True)
class MarkedLine:
    """A line of a text, and what became of each of its tokens."""

    tokens: tuple[str, ...]
    states: tuple[MarkState, ...]
    """Counted; in a subsequence, but already counted as often as both texts have it; in none."""


@dataclass(frozen=True, kw_only=True)
class UnionOfLines:
    """Which tokens of a reference stand in a longest common subsequence of one of its lines with any line."""

    reference: tuple[MarkedLine, ...]
    hypothesis: tuple[MarkedLine, ...]
    """Its tokens count as matched where any subsequence has them."""

    @property
    def hits(self) -> int:
        """The tokens that count."""
        return sum(line.states.count("matched") for line in self.reference)


def union_of_lines(hypothesis: str, reference: str, config: RougeConfig = PLAIN) -> UnionOfLines:
    """ROUGE-Lsum's union of subsequences (Lin 2004, section 3.2).

    Each token of either text counts once, as in ROUGE 1.5.5.
    """
    own = [rouge_tokens(line, config) for line in summary_lines(hypothesis, config)]
    wanted = [rouge_tokens(line, config) for line in summary_lines(reference, config)]
    left = Counter(token for line in own for token in line) & Counter(token for line in wanted for token in line)
    linked: list[set[int]] = [set() for _line in own]
    marked = []
    for line in wanted:
        pairs = [lcs_links(line, other) for other in own]
        for places, links in zip(linked, pairs, strict=True):
            places.update(j for _i, j in links)
        marked.append(_mark_line(line, {i for links in pairs for i, _j in links}, left))
    hypothesis_lines = [
        MarkedLine(tokens=tuple(line), states=tuple("matched" if j in places else "absent" for j in range(len(line))))
        for line, places in zip(own, linked, strict=True)
    ]
    return UnionOfLines(reference=tuple(marked), hypothesis=tuple(hypothesis_lines))


def _mark_line(tokens: Sequence[str], found: set[int], left: Counter[str]) -> MarkedLine:
    """left: how often each token may still count; what counts is taken out of it."""
    states: list[MarkState] = []
    for place, token in enumerate(tokens):
        counts = place in found and left[token] > 0
        left[token] -= counts
        states.append("matched" if counts else "clipped" if place in found else "absent")
    return MarkedLine(tokens=tuple(tokens), states=tuple(states))
