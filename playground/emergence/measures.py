"""Every measure by name, and which study takes it. Needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure, and whether it is a share from 0 to 1."""

    name: str
    is_share: bool = True


EXACT_MATCH = "exact_match"
EXPECTED = "expected_exact_match"
TOKEN_ACCURACY = "token_accuracy"
LENGTH = "answer_length"

ANSWERS: tuple[Measure, ...] = (
    Measure(name=EXACT_MATCH),
    Measure(name=TOKEN_ACCURACY),
    Measure(name="token_edit_distance", is_share=False),
    Measure(name="edit_distance"),
    Measure(name="token_probability"),
    Measure(name="answer_probability"),
    Measure(name="held_out_loss", is_share=False),
)
"""What is measured of answers; beside them stand expected_exact_match (p to the power of L) and answer_length."""

INDUCTION: tuple[Measure, ...] = (
    Measure(name="repeat_accuracy"),
    Measure(name="repeat_probability"),
    Measure(name="repeat_loss", is_share=False),
    Measure(name="induction_score"),
    Measure(name="previous_score"),
)
GROKKING: tuple[Measure, ...] = (
    Measure(name="train_accuracy"),
    Measure(name="test_accuracy"),
    Measure(name="train_loss", is_share=False),
    Measure(name="test_loss", is_share=False),
    Measure(name="restricted_loss", is_share=False),
    Measure(name="excluded_loss", is_share=False),
    Measure(name="embedding_gini"),
    Measure(name="squared_weights", is_share=False),
)
OF_STUDY: dict[str, tuple[Measure, ...]] = {
    "addition": ANSWERS,
    "translation": ANSWERS,
    "induction": INDUCTION,
    "grokking": GROKKING,
}
"""What is measured of the checkpoints of each study."""


def columns_of(study: str) -> tuple[str, ...]:
    """The measures that a study's table has to hold."""
    beside = (EXPECTED, LENGTH) if OF_STUDY[study] is ANSWERS else ()
    return (*(measure.name for measure in OF_STUDY[study]), *beside)
