"""BLEU, counted here so that each step can be shown; equal to sacrebleu, whose tokenizers it uses.

Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation", section 2;
Post 2018, "A Call for Clarity in Reporting BLEU Scores" (sacrebleu and its signature).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from playground.errors import UserError
from playground.evaluation.lines import ComparedLines, line_blocks
from playground.evaluation.shared_ngrams import shared_ngrams
from playground.progress import OnProgress, no_progress

ORDERS = 4
"""BLEU counts n-grams of one to four tokens."""
BleuTokenizer = Literal["13a", "zh", "char", "intl", "none"]
"""As sacrebleu calls them; zh: each Chinese character is a token."""
Smoothing = Literal["exp", "none"]
BleuStatistics = Int[np.ndarray, "*line 10"]
"""Of each line: hypothesis length, length of the closest reference, four matches, four totals."""


@dataclass(frozen=True, kw_only=True)
class BleuConfig:
    """How BLEU is counted; the defaults are sacrebleu's."""

    tokenizer: BleuTokenizer = "13a"
    effective_order: bool = False
    """Leave out orders that a text is too short for: for single sentences."""
    smoothing: Smoothing = "exp"
    """exp: the k-th order without a match counts 1 / 2^k matches (Chen and Cherry 2014, method 3)."""
    lowercase: bool = False

    def __post_init__(self) -> None:
        if self.tokenizer not in get_args(BleuTokenizer):
            raise UserError(
                "No tokenizer is called {name}; choose one of {known}.",
                name=self.tokenizer,
                known=", ".join(get_args(BleuTokenizer)),
            )
        if self.smoothing not in get_args(Smoothing):
            raise UserError("No smoothing is called {name}; choose exp or none.", name=self.smoothing)


@dataclass(frozen=True, kw_only=True)
class BleuParts:
    """A BLEU score with what it is the product of."""

    matches: tuple[int, ...]
    totals: tuple[int, ...]
    precisions: tuple[float, ...]
    """Of each order, 0 to 1, smoothed where nothing matched."""
    brevity_penalty: float
    """1, or exp(1 − r/c) for a hypothesis length c below the reference length r."""
    hypothesis_length: int
    reference_length: int
    order: int
    """How many orders the geometric mean is of."""
    score: float
    """0 to 100."""


def bleu_tokens(text: str, config: BleuConfig) -> list[str]:
    """The tokens that BLEU compares.

    >>> bleu_tokens("It's 3.5 m, no?", BleuConfig()), bleu_tokens("你好 world", BleuConfig(tokenizer="zh"))
    (["It's", '3.5', 'm', ',', 'no', '?'], ['你', '好', 'world'])
    """
    line = text.lower().rstrip() if config.lowercase else text.rstrip()
    if config.tokenizer != "13a" or "\n" in line:  # 13a joins what a hyphen divides at the end of a line
        return str(_tokenizer(config.tokenizer)(line)).split()
    return [token for word in line.split() for token in _tokens_of_word(word)]


def bleu_statistics(
    lines: ComparedLines, config: BleuConfig | None = None, on_progress: OnProgress = no_progress
) -> BleuStatistics:
    """The counts of each line; a corpus' counts are their sum."""
    config = config or BleuConfig()
    table = np.zeros((len(lines), 2 + 2 * ORDERS), dtype=np.int64)
    for block, columns in line_blocks(lines, on_progress):
        table[block] = _block_statistics([[bleu_tokens(text, config) for text in texts] for texts in columns])
    return table


def bleu_scores(statistics: BleuStatistics, config: BleuConfig | None = None) -> Float[np.ndarray, "*line"]:
    """BLEU, 0 to 100, of each row of counts: of sentences, or of resampled corpora.

    exp(mean of ln precision) times the brevity penalty; 0 where no token matches.
    """
    config = config or BleuConfig()
    precisions, _order = _precisions(statistics, config)
    orders = (statistics[..., 6:] > 0).sum(-1) if config.effective_order else np.full(precisions.shape[:-1], ORDERS)
    counted = np.arange(ORDERS) < orders[..., None]
    with np.errstate(divide="ignore"):
        logs = np.where(counted, np.log(np.where(counted, precisions, 1.0)), 0.0).sum(-1) / np.maximum(orders, 1)
    matched = statistics[..., 2:6].any(-1)
    scores: np.ndarray = np.where(matched, 100 * brevity_penalties(statistics) * np.exp(logs), 0.0)
    return scores


def brevity_penalties(statistics: BleuStatistics) -> Float[np.ndarray, "*line"]:
    """1 where the hypothesis is at least as long as its closest reference, else exp(1 − r/c)."""
    length, wanted = statistics[..., 0].astype(float), statistics[..., 1].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        shorter = np.where(length > 0, np.exp(1 - wanted / np.maximum(length, 1)), 0.0)
    penalties: np.ndarray = np.where(length < wanted, shorter, 1.0)
    return penalties


def bleu_parts(statistics: Int[np.ndarray, "10"], config: BleuConfig | None = None) -> BleuParts:
    """The score of one row of counts, with the numbers that are multiplied."""
    config = config or BleuConfig()
    precisions, order = _precisions(statistics, config)
    return BleuParts(
        matches=tuple(statistics[2:6].tolist()),
        totals=tuple(statistics[6:].tolist()),
        precisions=tuple(precisions.tolist()),
        brevity_penalty=float(brevity_penalties(statistics)),
        hypothesis_length=int(statistics[0]),
        reference_length=int(statistics[1]),
        order=int(order) if config.effective_order else ORDERS,
        score=float(bleu_scores(statistics, config)),
    )


def bleu_signature(n_references: int, config: BleuConfig | None = None) -> str:
    """sacrebleu's signature: what another must set to get the same number."""
    from sacrebleu.metrics.bleu import BLEU

    config = config or BleuConfig()
    metric = BLEU(
        tokenize=config.tokenizer,
        effective_order=config.effective_order,
        smooth_method=config.smoothing,
        lowercase=config.lowercase,
        force=True,
    )
    metric.corpus_score(["a"], [["a"]] * n_references)
    return str(metric.get_signature())


def _block_statistics(texts: Sequence[Sequence[list[str]]]) -> BleuStatistics:
    """The counts of some lines; texts: the hypotheses, then each set of references."""
    shared = list(shared_ngrams(texts, ORDERS))
    length, wanted = shared[0].totals[0], shared[0].totals[1:]
    # Of two references as close, the shorter one: as the first of a sorted pair.
    distance = np.abs(wanted - length) * (wanted.max() + 1) + wanted
    closest = np.take_along_axis(wanted, distance.argmin(0)[None], axis=0)[0]
    columns = [length, closest, *(each.clipped() for each in shared), *(each.totals[0] for each in shared)]
    return np.stack(columns, axis=1)


def _precisions(statistics: BleuStatistics, config: BleuConfig) -> tuple[np.ndarray, np.ndarray]:
    """Smoothed precisions of each order, and how many orders the text is long enough for."""
    matches, totals = statistics[..., 2:6], statistics[..., 6:]
    present = totals > 0
    missed = present & (matches == 0)
    halves = 2.0 ** -np.cumsum(missed, axis=-1) if config.smoothing == "exp" else 0.0
    # Nothing matched at all: smoothing must not make up a score (sacrebleu issue 141).
    smoothed = np.where(missed & matches.any(-1, keepdims=True), halves, matches)
    return smoothed / np.maximum(totals, 1) * present, present.sum(-1)


@lru_cache(maxsize=1 << 16)
def _tokens_of_word(word: str) -> tuple[str, ...]:
    """13a, whose rules look no further than white space, of a word: most words of a corpus occur again."""
    return tuple(str(_tokenizer("13a")(word)).split())


@cache
def _tokenizer(name: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=name, force=True).tokenizer


def mean_sentence_bleu(statistics: BleuStatistics, config: BleuConfig | None = None) -> float:
    """The mean of the sentences' BLEU: another number than the corpus' BLEU, which sums the counts first."""
    return math.fsum(bleu_scores(statistics, config)) / len(statistics)
