"""Means and intervals over seeds and rows, against scipy."""

import numpy as np
import pytest
from scipy import stats

from playground.errors import UserError
from playground.evaluation.wilson import wilson
from playground.finetuning.label_curve import (
    LabelPoint,
    gain_at,
    label_baselines,
    label_counts,
    label_means,
)
from playground.tasks.finetune.rows import Rows, SplitRows


def point(start: str, labels: int, right: int, seed: int = 0) -> LabelPoint:
    return LabelPoint(start=start, labels=labels, seed=seed, right=right, rows=100)


def test_one_seed_has_wilsons_interval():
    (mean,) = label_means([point("scratch", 50, 40)])
    theirs = stats.binomtest(40, 100).proportion_ci(0.95, method="wilson")
    assert (mean.accuracy.low, mean.accuracy.high) == pytest.approx((theirs.low, theirs.high))
    assert mean.accuracy.n == 1
    assert wilson(40, 100) == (mean.accuracy.low, mean.accuracy.high)


def test_several_seeds_have_students_interval():
    values = [40, 50, 45]
    (mean,) = label_means([point("scratch", 50, right, seed) for seed, right in enumerate(values)])
    shares = np.array(values) / 100
    theirs = stats.t.interval(0.95, 2, shares.mean(), stats.sem(shares))
    assert (mean.accuracy.low, mean.accuracy.high) == pytest.approx(theirs)
    assert mean.accuracy.n == 3


def test_no_interval_of_an_accuracy_leaves_0_to_1():
    """Two seeds, 48 and 95 of 100: Student's t over them reaches 2.99 to both sides."""
    (mean,) = label_means([point("scratch", 50, right, seed) for seed, right in enumerate((48, 95))])
    assert (mean.accuracy.low, mean.accuracy.high) == (0.0, 1.0)


def test_the_gain_of_several_seeds_is_welchs():
    first, second = [80, 84, 90], [60, 71, 66]
    points = [point("pretrained", 200, right, seed) for seed, right in enumerate(first)]
    points += [point("scratch", 200, right, seed) for seed, right in enumerate(second)]
    gain = gain_at(points)
    theirs = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (gain.low, gain.high) == pytest.approx((theirs.low / 100, theirs.high / 100))


def test_the_gain_of_one_seed_counts_the_rows():
    gain = gain_at([point("pretrained", 200, 80), point("scratch", 200, 60)])
    reach = 1.96 * (0.8 * 0.2 / 100 + 0.6 * 0.4 / 100) ** 0.5
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.2, 0.2 - reach, 0.2 + reach), abs=1e-4)
    assert gain_at([point("pretrained", 200, 80)]) is None
    assert gain_at([point("pretrained", 100, 80), point("scratch", 200, 60)]) is None


def test_seeds_that_agree_have_no_spread():
    points = [
        point(start, 200, right, seed) for start, right in (("pretrained", 80), ("scratch", 60)) for seed in (0, 1)
    ]
    gain = gain_at(points)
    assert gain.low == gain.high == pytest.approx(0.2)


def test_means_stand_in_order_and_counts_end_with_all():
    means = label_means([point("scratch", 200, 5), point("pretrained", 50, 5), point("scratch", 50, 5)])
    assert [(mean.start, mean.labels) for mean in means] == [("pretrained", 50), ("scratch", 50), ("scratch", 200)]
    assert label_counts(1_600) == (50, 100, 200, 500, 1_000, 1_600)
    assert label_counts(50) == (50,)


@pytest.mark.parametrize("wrong", [{"labels": 0}, {"right": 101}, {"rows": 0, "right": 0}])
def test_what_is_no_measurement(wrong):
    with pytest.raises(UserError, match="no measurement"):
        LabelPoint(**{"start": "scratch", "labels": 5, "seed": 0, "right": 1, "rows": 100, **wrong})


def split(train: int, words: tuple[str, str] = ("cat", "dog")) -> SplitRows:
    texts = [f"the {words[n % 2]} sat {n}" for n in range(train + 10)]
    labels = [("cats", "dogs")[n % 2] for n in range(train)] + ["cats"] * 6 + ["dogs"] * 4
    texts[train:] = ["the cat lay"] * 6 + ["the dog lay"] * 4
    rows = Rows(texts=tuple(texts), labels=tuple(labels))
    return SplitRows(train=rows.only(range(train)), held_out=rows.only(range(train, train + 10)))


def test_counting_words_stands_beside_the_curves():
    found = label_baselines([split(20), split(8)])
    assert found.tfidf == ((8, 1.0), (20, 1.0))
    assert found.majority == 0.6  # as many cats as dogs: the first in the alphabet or the first seen
    assert label_baselines([split(8, ("?", "!"))]).majority == 0.6


def test_no_runs_have_no_baseline():
    with pytest.raises(UserError, match="no rows"):
        label_baselines([])
