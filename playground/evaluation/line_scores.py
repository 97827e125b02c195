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
from playground.evaluation.resampling import RESAMPLES, PairedSpread, Spread, bootstrap_scores, paired_bootstrap
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
        if measure == "bleu":
            return bleu_scores(self.statistics["bleu"], sentence_config(self.config))
        return score_function(measure, self.config)(self.statistics[measure])

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


def score_function(measure: LineMeasure, config: BleuConfig) -> Callable[[np.ndarray], np.ndarray]:
    """From counts, of lines or of resampled corpora, to scores."""
    if measure == "bleu":
        return lambda statistics: bleu_scores(statistics, config)
    return chrf_scores if measure == "chrf" else ter_scores


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

    statistics = {name: _count(name, lines, config, part(number)) for number, name in enumerate(measures)}
    scored = {name: (table, score_function(name, config)) for name, table in statistics.items()}
    return LineScores(
        lines=lines,
        config=config,
        statistics=statistics,
        spreads=bootstrap_scores(scored, n_resamples=n_resamples),
        signatures={name: _signature(name, lines.n_references, config) for name in measures},
    )


def _count(measure: LineMeasure, lines: ComparedLines, config: BleuConfig, on_progress: OnProgress) -> np.ndarray:
    if measure == "bleu":
        return bleu_statistics(lines, config, on_progress)
    return (chrf_statistics if measure == "chrf" else ter_statistics)(lines, on_progress)


def _signature(measure: LineMeasure, n_references: int, config: BleuConfig) -> str:
    if measure == "bleu":
        return bleu_signature(n_references, config)
    return (chrf_signature if measure == "chrf" else ter_signature)(n_references)


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
            score_function(name, first.config),
            n_resamples=n_resamples,
        )
        for name in LINE_MEASURES
        if name in first.statistics and name in second.statistics
    }
