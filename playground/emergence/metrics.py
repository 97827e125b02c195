"""Every metric by name, and which study takes it. Needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A column of a study's table."""

    name: str
    is_share: bool = True
    """Whether it lies between 0 and 1."""


EXACT_MATCH = "exact_match"
EXPECTED_EXACT_MATCH = "expected_exact_match"
TOKEN_ACCURACY = "token_accuracy"
ANSWER_LENGTH = "answer_length"

ANSWER_METRICS: tuple[Metric, ...] = (
    Metric(name=EXACT_MATCH),
    Metric(name=TOKEN_ACCURACY),
    Metric(name="token_edit_distance", is_share=False),
    Metric(name="edit_distance"),
    Metric(name="token_probability"),
    Metric(name="answer_probability"),
    Metric(name="held_out_loss", is_share=False),
)
"""Metrics of answers of several tokens; expected_exact_match (p^L) and answer_length stand beside them."""

INDUCTION_METRICS: tuple[Metric, ...] = (
    Metric(name="repeat_accuracy"),
    Metric(name="repeat_probability"),
    Metric(name="repeat_loss", is_share=False),
    Metric(name="induction_score"),
    Metric(name="previous_score"),
)
GROKKING_METRICS: tuple[Metric, ...] = (
    Metric(name="train_accuracy"),
    Metric(name="test_accuracy"),
    Metric(name="train_loss", is_share=False),
    Metric(name="test_loss", is_share=False),
    Metric(name="restricted_loss", is_share=False),
    Metric(name="excluded_loss", is_share=False),
    Metric(name="embedding_gini"),
    Metric(name="squared_weights", is_share=False),
)
METRICS_OF_STUDY: dict[str, tuple[Metric, ...]] = {
    "addition": ANSWER_METRICS,
    "translation": ANSWER_METRICS,
    "induction": INDUCTION_METRICS,
    "grokking": GROKKING_METRICS,
}
"""The metrics that each study takes of its checkpoints."""


def columns_of(study: str) -> tuple[str, ...]:
    """Names of the metric columns of a study's table."""
    extra = (EXPECTED_EXACT_MATCH, ANSWER_LENGTH) if METRICS_OF_STUDY[study] is ANSWER_METRICS else ()
    return (*(metric.name for metric in METRICS_OF_STUDY[study]), *extra)
