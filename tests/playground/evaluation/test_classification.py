"""The measures of classifiers: a table of ten rows by hand, and scikit-learn on random ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

from playground.errors import UserError
from playground.evaluation.baselines import baselines, majority_label
from playground.evaluation.calibration import calibration_spreads, reliability
from playground.evaluation.confusion import AVERAGES, SCORE_NAMES, average_score, confusion, label_scores
from playground.evaluation.label_spreads import label_spreads
from playground.evaluation.resampling import bootstrap_score
from playground.evaluation.slices import slice_scores
from playground.evaluation.thresholds import curve_spreads, numbers_of, threshold_curve
from playground.evaluation.wilson import wilson

TRUE = ["spam", "ham", "ham", "spam", "ham", "ham", "spam", "ham", "ham", "ham"]
PREDICTED = ["spam", "ham", "spam", "ham", "ham", "ham", "spam", "ham", "ham", "spam"]


def test_ten_rows_counted_by_hand():
    """TP 2, FP 2, FN 1, TN 5: spam has precision 2/4, recall 2/3, F1 4/7; ham 5/6, 5/7, 10/13."""
    counted = confusion(TRUE, PREDICTED)
    assert counted.labels == ("ham", "spam")
    assert counted.counts.tolist() == [[5, 2], [1, 2]]
    assert counted.accuracy == 0.7
    scores = label_scores(counted.counts)
    assert scores["precision"].tolist() == [5 / 6, 2 / 4]
    assert scores["recall"].tolist() == [5 / 7, 2 / 3]
    assert scores["f1"].tolist() == [10 / 13, 4 / 7]
    assert average_score(counted.counts, "f1", "macro") == pytest.approx((10 / 13 + 4 / 7) / 2)
    assert average_score(counted.counts, "precision", "weighted") == pytest.approx(0.7 * 5 / 6 + 0.3 * 2 / 4)
    assert average_score(counted.counts, "recall", "micro") == pytest.approx(0.7)


labels = st.sampled_from(["a", "b", "c", "d"])
tables = st.lists(st.tuples(labels, labels), min_size=1, max_size=40)


@settings(max_examples=60)
@given(tables)
def test_every_average_is_scikit_learns(rows):
    true, predicted = zip(*rows, strict=True)
    counted = confusion(true, predicted)
    if len(counted.labels) > 1:  # scikit-learn warns of one label
        assert counted.counts.tolist() == metrics.confusion_matrix(true, predicted, labels=counted.labels).tolist()
    for average in (*AVERAGES, None):
        theirs = metrics.precision_recall_fscore_support(true, predicted, average=average, zero_division=0)
        for name, wanted in zip(SCORE_NAMES, theirs, strict=False):
            ours = (
                label_scores(counted.counts)[name] if average is None else average_score(counted.counts, name, average)
            )
            assert np.allclose(ours, wanted, atol=1e-12)


scored = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({is_positive for _score, is_positive in rows}) == 2
)


@settings(max_examples=60)
@given(scored)
def test_every_curve_is_scikit_learns(rows):
    scores, truth = np.array([score / 20 for score, _ in rows]), np.array([is_positive for _, is_positive in rows])
    curve = threshold_curve(scores, truth)
    rates = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert np.allclose(curve.false_positive_rate, rates[0])
    assert np.allclose(curve.recall, rates[1])
    assert np.allclose(curve.thresholds[1:], rates[2][1:])
    assert curve.area == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    assert curve.average_precision == pytest.approx(metrics.average_precision_score(truth, scores), abs=1e-12)
    precision, recall, _thresholds = metrics.precision_recall_curve(truth, scores)
    assert np.allclose(curve.precision[::-1], precision)
    assert np.allclose(curve.recall[::-1], recall)
    binned = reliability(scores, truth)
    observed, predicted = calibration_curve(truth, scores, n_bins=10)
    assert np.allclose(binned.observed, observed)
    assert np.allclose(binned.predicted, predicted)
    assert binned.brier == pytest.approx(metrics.brier_score_loss(truth, scores))
    assert binned.counts.sum() == len(rows)


def test_intervals_of_the_curves_surround_their_values():
    """Each resample is scored as its rows would be: the means stay, and resampling row by row gives the same."""
    generator = np.random.default_rng(0)
    truth = generator.random(200) < 0.4
    scores = np.round(generator.normal(size=200) + truth, 1)
    spreads = curve_spreads(scores, truth, n_resamples=100, seed=3)
    again, areas, precisions = np.random.default_rng(3), [], []
    for _ in range(100):
        rows = again.integers(0, 200, 200)
        areas.append(metrics.roc_auc_score(truth[rows], scores[rows]))
        precisions.append(metrics.average_precision_score(truth[rows], scores[rows]))
    assert (spreads.area.low, spreads.area.high) == pytest.approx(np.quantile(areas, [0.025, 0.975]))
    by_hand = np.quantile(precisions, [0.025, 0.975])
    assert (spreads.average_precision.low, spreads.average_precision.high) == pytest.approx(by_hand)


def test_the_calibrations_intervals_are_those_of_resampled_rows():
    generator = np.random.default_rng(1)
    scores = generator.random(150)
    truth = generator.random(150) < scores**2
    spreads = calibration_spreads(scores, truth)
    again = np.random.default_rng(0)
    errors = [
        reliability(scores[rows], truth[rows]).error for rows in (again.integers(0, 150, 150) for _ in range(1000))
    ]
    assert (spreads.error.low, spreads.error.high) == pytest.approx(np.quantile(errors, [0.025, 0.975]))
    assert spreads.brier.low < spreads.brier.value == pytest.approx(metrics.brier_score_loss(truth, scores))


def test_drawing_cells_is_drawing_rows():
    """The intervals from the matrix, and from the rows one by one."""
    generator = np.random.default_rng(1)
    true = generator.choice(["a", "b"], 300).tolist()
    predicted = [label if generator.random() < 0.8 else "a" for label in true]
    hits = np.array([[one == other, 1] for one, other in zip(true, predicted, strict=True)], dtype=float)
    by_rows = bootstrap_score(hits, lambda sums: sums[:, 0] / sums[:, 1])
    spreads = label_spreads(confusion(true, predicted))
    assert spreads.accuracy.value == pytest.approx(by_rows.value)
    assert (spreads.accuracy.low, spreads.accuracy.high) == pytest.approx((by_rows.low, by_rows.high), abs=0.02)
    assert [spread.value for spread in spreads.labels["recall"]] == pytest.approx(
        metrics.recall_score(true, predicted, average=None)
    )
    assert spreads.labels["recall"][1].low < spreads.labels["recall"][1].value < spreads.labels["recall"][1].high


def test_shares_have_wilsons_interval_and_f1_that_of_resamples():
    """Of 12 rows all are right: to resample them is to draw the same score each time, which is no certainty."""
    true = ["a", "b", "b"] * 4
    spreads = label_spreads(confusion(true, true))
    counts = {"accuracy": (spreads.accuracy, 12), "recall": (spreads.labels["recall"][0], 4)}
    counts["precision"] = (spreads.labels["precision"][1], 8)
    for spread, rows in counts.values():
        theirs = stats.binomtest(rows, rows).proportion_ci(0.95, method="wilson")
        assert (spread.low, spread.high, spread.n) == pytest.approx((theirs.low, theirs.high, rows))
    assert (spreads.macro_f1.low, spreads.macro_f1.high) == (1.0, 1.0)
    never = label_spreads(confusion("aab", "aaa")).labels["precision"][1]
    assert (never.value, never.low, never.high, never.n) == (0.0, 0.0, 1.0, 0)


def test_slices_have_their_own_scores():
    rows = slice_scores(TRUE, PREDICTED, ["old"] * 6 + ["new"] * 4)
    assert [(row.value, row.accuracy.n) for row in rows] == [("old", 6), ("new", 4)]
    assert [row.accuracy.value for row in rows] == [4 / 6, 3 / 4]
    assert [(row.accuracy.low, row.accuracy.high) for row in rows] == [wilson(4, 6), wilson(3, 4)]
    with pytest.raises(UserError, match="31 different values"):
        slice_scores(["a"] * 31, ["a"] * 31, [str(row) for row in range(31)])


def test_the_baselines_predict_what_they_have_not_read():
    texts = [f"{word} {n}" for n in range(15) for word in ("good", "bad", "good")]
    truth = ["yes", "no", "yes"] * 15
    learned = baselines(texts, truth)
    assert learned.rows == tuple(range(45))
    assert set(learned.majority) == {"yes"}
    assert list(learned.tfidf) == truth
    # The label of the test part contradicts the training part: who had read it would know.
    is_train = [True] * 30 + [False] * 15
    turned = truth[:30] + ["no" if label == "yes" else "yes" for label in truth[30:]]
    assert list(baselines(texts, turned, is_train).tfidf) == truth[30:]
    assert majority_label(["b", "a"]) == "a"
    rare = baselines([f"text {n}" for n in range(20)], ["common"] * 19 + ["rare"])
    assert set(rare.tfidf) == set(rare.majority) == {"common"}


def test_what_cannot_be_measured_is_refused_with_its_line():
    with pytest.raises(UserError, match="2 predictions for 1 labels"):
        confusion(["a"], ["a", "b"])
    with pytest.raises(UserError, match="rows of both classes"):
        threshold_curve(np.array([0.1, 0.2]), np.array([True, True]))
    with pytest.raises(UserError, match="line 7 is 'high'"):
        numbers_of(["0.1", "high"], [5, 7])
    for lines, named in ((None, "2"), ((4, 9), "9")):
        with pytest.raises(UserError, match=rf"line {named} is 1\.5"):
            reliability(np.array([0.5, 1.5]), np.array([True, False]), lines=lines)
    with pytest.raises(UserError, match="101 different values"):
        confusion([str(row) for row in range(101)], ["0"] * 101)
    with pytest.raises(UserError, match="one label only"):
        baselines(["a"] * 20, ["x"] * 20)
    with pytest.raises(UserError, match="4 rows"):
        baselines(["a"] * 4, ["x", "y"] * 2)
