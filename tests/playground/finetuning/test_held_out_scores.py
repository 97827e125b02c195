"""Systems on the same rows: accuracies, paired differences by hand, and the baselines of the Evaluate page."""

import pytest

from playground.errors import UserError
from playground.evaluation.baselines import baselines
from playground.evaluation.wilson import wilson
from playground.finetuning.held_out_scores import (
    FINE_TUNED,
    MAJORITY,
    SCRATCH,
    TFIDF,
    baseline_predictions,
    held_out_scores,
)

TRUE = ("a", "b") * 30


def test_gains_are_paired():
    """Every row that scratch has right is right: the gain is 20 of 60 rows, and its interval leaves out 0."""
    scratch = TRUE[:40] + tuple("b" if label == "a" else "a" for label in TRUE[40:])
    scores = held_out_scores(TRUE, {SCRATCH: scratch, FINE_TUNED: TRUE})
    own, other = scores.systems
    assert (own.name, own.gain, own.spreads.accuracy.value) == (FINE_TUNED, None, 1.0)
    assert other.spreads.accuracy.value == pytest.approx(40 / 60)
    assert (other.spreads.accuracy.low, other.spreads.accuracy.high) == wilson(40, 60)
    assert own.spreads.accuracy.low < 0.95
    assert other.gain.difference.value == pytest.approx(20 / 60)
    assert other.gain.is_told_apart
    assert scores.of(SCRATCH) is other
    assert scores.of(TFIDF) is None


def test_systems_alike_cannot_be_told_apart():
    scores = held_out_scores(TRUE, {FINE_TUNED: TRUE, SCRATCH: TRUE})
    assert not scores.systems[1].gain.is_told_apart


def test_the_baselines_learn_from_the_training_rows_alone():
    train = ([f"good {n}" for n in range(12)] + [f"bad {n}" for n in range(8)], ["+"] * 12 + ["-"] * 8)
    held_out = (["good day", "bad day", "good luck"], ["+", "-", "+"])
    found = baseline_predictions(train, held_out)
    assert found[MAJORITY] == ("+", "+", "+")
    assert found[TFIDF] == ("+", "-", "+")
    theirs = baselines(
        [*train[0], *held_out[0]], [*train[1], *held_out[1]], [True] * len(train[0]) + [False] * len(held_out[0])
    )
    assert found[TFIDF] == theirs.tfidf


def test_the_fine_tuned_model_has_to_be_there():
    with pytest.raises(UserError, match="no predictions of the fine-tuned model"):
        held_out_scores(TRUE, {SCRATCH: TRUE})
    with pytest.raises(UserError, match="give one for each"):
        held_out_scores(TRUE, {FINE_TUNED: TRUE[:3]})
