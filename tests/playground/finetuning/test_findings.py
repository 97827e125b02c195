"""Sentences say the numbers of their pictures, and never more than the interval allows."""

import numpy as np
import pytest

from playground.evaluation.resampling import PairedSpread, Spread
from playground.finetuning.findings import (
    describe_drift,
    describe_forgetting,
    describe_heads,
    describe_label_curve,
    describe_matrix,
    describe_ranks,
    describe_samples,
    describe_scores,
    describe_stream,
    describe_tfidf,
)
from playground.finetuning.forgetting import Forgetting, Passage
from playground.finetuning.head_drift import head_drift
from playground.finetuning.held_out_scores import FINE_TUNED, MAJORITY, TFIDF, held_out_scores
from playground.finetuning.label_curve import LabelPoint
from playground.finetuning.rank_sweep import RankPoint
from playground.finetuning.sample_pairs import SamplePair
from playground.finetuning.stream_drift import stream_drift
from playground.finetuning.weight_drift import model_drift
from tests.helpers.model_pairs import QUERIES, pair_of

TRUE = ("a", "b") * 30


def forgetting_of(low: float, value: float, high: float) -> Forgetting:
    level = Spread(value=2.0, low=1.9, high=2.1, n=9)
    bits = PairedSpread(
        first=level,
        second=Spread(value=2.0 + value, low=1.9, high=2.3, n=9),
        difference=Spread(value=value, low=low, high=high, n=9),
        second_wins=0.5,
        gains=np.zeros(3),
        p_value=0.5,
    )
    passages = (Passage(text="x"),) * 9
    return Forgetting(passages=passages, nats=np.zeros((2, 9)), bytes=np.ones(9), is_masked=False, bits=bits)


def test_the_weight_that_moved_furthest_is_named():
    drift = model_drift(pair_of(rank=2, scale=0.3))
    said = str(describe_drift(drift))
    assert said.startswith("1 of ")
    assert f"{QUERIES} · query" in said
    assert "in about 1.9 of 24 directions" in said
    assert "rank 2 of 24" in str(describe_matrix(drift.changed[0]))
    assert "largest direction alone holds 80.0%" in str(describe_matrix(drift.changed[0]))


def test_a_copy_is_called_the_same():
    pair = pair_of(rank=0)
    drift = model_drift(pair)
    assert "No weight" in str(describe_drift(drift))
    assert "has not moved" in str(describe_matrix(drift.weights[0]))
    assert str(describe_heads(head_drift(pair, ["a cat"]))) == "No head attends otherwise than before."
    assert "the same after every layer" in str(describe_stream(stream_drift(pair, "a cat")))


def test_heads_and_states():
    pair = pair_of()
    assert "over 2 texts: head 1." in str(describe_heads(head_drift(pair, ["a cat", "two dogs"])))
    said = str(describe_stream(stream_drift(pair, "a cat")))
    assert "by 0.0% of its length after the first layer" in said
    assert "largest step is in layer 1" in said


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.1, 0.2, 0.3), "Forgotten: general text costs +0.200 bits"),
        ((-0.3, -0.2, -0.1), "even costs less"),
        ((-0.1, 0.1, 0.3), "No forgetting can be told on these 9 passages"),
    ],
)
def test_forgetting_is_claimed_where_the_interval_leaves_out_zero(interval, words):
    assert words in str(describe_forgetting(forgetting_of(*interval)))


def test_scores_name_the_best_of_the_others_and_whether_chance_explains_it():
    worse = TRUE[:50] + ("a",) * 10
    said = str(describe_scores(held_out_scores(TRUE, {FINE_TUNED: TRUE, TFIDF: worse, MAJORITY: ("a",) * 60})))
    assert "100.0% of 60 held-out rows" in said
    assert "TF-IDF + logistic regression, has 91.7%" in said
    assert "the difference of +8.3 points (+1.7 to +15.0) is more than chance" in said
    equal = str(describe_scores(held_out_scores(TRUE, {FINE_TUNED: TRUE, TFIDF: TRUE})))
    assert "no resample of the rows parts the two" in equal
    as_many = tuple("b" if row == 0 else label for row, label in enumerate(TRUE))
    close = str(describe_scores(held_out_scores(TRUE, {FINE_TUNED: TRUE, TFIDF: as_many})))
    assert "may be chance" in close
    assert "60 held-out rows are right" in str(describe_scores(held_out_scores(TRUE, {FINE_TUNED: TRUE})))


def test_it_is_said_where_counting_words_wins():
    wrong = ("a",) * 60
    assert "TF-IDF is ahead by 50.0 points" in str(
        describe_tfidf(held_out_scores(TRUE, {FINE_TUNED: wrong, TFIDF: TRUE}))
    )
    assert describe_tfidf(held_out_scores(TRUE, {FINE_TUNED: TRUE, TFIDF: wrong})) is None
    assert describe_tfidf(held_out_scores(TRUE, {FINE_TUNED: TRUE})) is None


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ((90, 60), "pre-trained model is ahead by 30.0 points (18."),
        ((60, 90), "scratch is ahead by 30.0 points (18."),
        ((80, 78), "neither is ahead beyond chance: +2.0 points (−9."),
    ],
)
def test_who_is_ahead_at_two_hundred_labels(rights, words):
    points = [
        LabelPoint(start=start, labels=200, seed=0, right=right, rows=100)
        for start, right in zip(("pretrained", "scratch"), rights, strict=True)
    ]
    assert words in str(describe_label_curve(points))
    assert describe_label_curve(points[:1]) is None


def test_ranks_and_samples():
    points = [
        RankPoint(
            rank=rank,
            trainable=rank,
            score=Spread(value=value, low=value - 0.05, high=value + 0.05, n=9),
            drift=0.01 * rank,
            effective_rank=1.0,
        )
        for rank, value in ((1, 0.7), (4, 0.9), (8, 0.92))
    ]
    assert str(describe_ranks(points, higher_is_better=True)).startswith("Rank 4 is the smallest")
    assert describe_ranks(points[:1], higher_is_better=True) is None
    alike = SamplePair(prompt="a", before="x", after="x", shared=3, lengths=(3, 3))
    other = SamplePair(prompt="a", before="x", after="y", shared=2, lengths=(3, 3))
    assert str(describe_samples([alike])) == "All 1 continuations are the same."
    assert "1 of 2 continuations are the same; the others part after 2.0 tokens" in str(
        describe_samples([alike, other])
    )
    assert str(describe_samples([other])) == "All 1 continuations differ; they part after 2.0 tokens on average."
