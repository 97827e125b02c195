"""Hypotheses against references under every measure of translation, with intervals; and two systems side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.evaluation.bleu import BleuConfig, bleu_parts, bleu_scores, bleu_signature, bleu_statistics
from playground.evaluation.chrf import chrf_scores, chrf_signature, chrf_statistics
from playground.evaluation.lines import ComparedLines
from playground.evaluation.resampling import RESAMPLES, PairedSpread, Score, Spread, bootstrap_scores, paired_bootstrap
from playground.evaluation.ter import ter_scores, ter_signature, ter_statistics
from playground.progress import OnProgress, no_progress

LineMeasure = Literal["bleu", "chrf", "ter"]
LINE_MEASURES: tuple[LineMeasure, ...] = ("bleu", "chrf", "ter")


@dataclass(frozen=True, kw_only=True, eq=False)
class LineScores:
    """The counts of every line, and the corpus' scores."""

    lines: ComparedLines
    config: BleuConfig
    statistics: dict[LineMeasure, np.ndarray]
    """[line, …]; the own counts of each measure that was counted."""
    spreads: dict[LineMeasure, Spread]
    """0 to 100; higher is better but for TER."""
    signatures: dict[LineMeasure, str]

    def line_values(self, measure: LineMeasure) -> Float[np.ndarray, "line"]:
        """The score of each line alone; BLEU with the effective order, as sacrebleu advises for sentences."""
        return line_counting(measure, sentence_config(self.config)).score(self.statistics[measure])

    def with_measures(self, other: "LineScores") -> "LineScores":
        """These and those that another call counted on the same lines."""
        return replace(
            self,
            statistics=self.statistics | other.statistics,
            spreads=self.spreads | other.spreads,
            signatures=self.signatures | other.signatures,
        )

    def report(self) -> dict[str, object]:
        """All three measures as JSON takes them."""
        parts = bleu_parts(self.statistics["bleu"].sum(0), self.config)
        return {
            "n": len(self.lines),
            "references": self.lines.n_references,
            "bleu": {**vars(parts), "mean_of_sentences": float(self.line_values("bleu").mean())},
            **{f"{name}_interval": spread.interval for name, spread in self.spreads.items()},
            "chrf": self.spreads["chrf"].value,
            "ter": self.spreads["ter"].value,
            "signatures": dict(self.signatures),
        }


def sentence_config(config: BleuConfig) -> BleuConfig:
    """The same with the effective order."""
    return BleuConfig(
        tokenizer=config.tokenizer, effective_order=True, smoothing=config.smoothing, lowercase=config.lowercase
    )


@dataclass(frozen=True, kw_only=True)
class LineCounting:
    """How a measure counts lines, scores sums of its counts, and signs what was set."""

    count: Callable[[ComparedLines, OnProgress], np.ndarray]
    score: Score
    """Of lines, of a corpus or of resampled ones."""
    signature: Callable[[int], str]
    """For so many references."""


def line_counting(measure: LineMeasure, config: BleuConfig) -> LineCounting:
    """The counting of a measure; chrF and TER have no settings."""
    if measure == "bleu":
        return LineCounting(
            count=lambda lines, on_progress: bleu_statistics(lines, config, on_progress),
            score=lambda statistics: bleu_scores(statistics, config),
            signature=lambda n_references: bleu_signature(n_references, config),
        )
    if measure == "chrf":
        return LineCounting(count=chrf_statistics, score=chrf_scores, signature=chrf_signature)
    return LineCounting(count=ter_statistics, score=ter_scores, signature=ter_signature)


def line_scores(
    lines: ComparedLines,
    config: BleuConfig | None = None,
    *,
    measures: Sequence[LineMeasure] = LINE_MEASURES,
    n_resamples: int = RESAMPLES,
    on_progress: OnProgress = no_progress,
) -> LineScores:
    """Count, score and resample; progress in lines, each when all measures have counted it."""
    config = config or BleuConfig()

    def part(number: int) -> OnProgress:
        return lambda done, total: on_progress((number * total + done) // len(measures), total)

    countings = {name: line_counting(name, config) for name in measures}
    statistics = {name: how.count(lines, part(number)) for number, (name, how) in enumerate(countings.items())}
    scored = {name: (table, countings[name].score) for name, table in statistics.items()}
    return LineScores(
        lines=lines,
        config=config,
        statistics=statistics,
        spreads=bootstrap_scores(scored, n_resamples=n_resamples),
        signatures={name: how.signature(lines.n_references) for name, how in countings.items()},
    )


def compare_systems(
    first: LineScores, second: LineScores, n_resamples: int = RESAMPLES
) -> dict[LineMeasure, PairedSpread]:
    """The second system against the first, on the same resampled lines, in what was counted of both.

    Raises UserError where they did not answer the same lines in the same way of counting.
    """
    if first.config != second.config or first.lines.references != second.lines.references:
        raise UserError("Two systems are compared on the same references, counted in the same way.")
    return {
        name: paired_bootstrap(
            first.statistics[name],
            second.statistics[name],
            line_counting(name, first.config).score,
            n_resamples=n_resamples,
        )
        for name in LINE_MEASURES
        if name in first.statistics and name in second.statistics
    }
