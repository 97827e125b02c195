"""Macro F1: by hand, and against precision and recall."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.evaluation.f1 import macro_f1


def test_macro_f1_by_hand():
    """Class 0: 2 hits, predicted 3, true 2: 4/5. Class 1: 0 hits, true 1: 0. Class 2: 1 hit, 1 and 1: 1. Class 3: 0."""
    predicted, true = np.array([0, 0, 0, 2, 3]), np.array([0, 0, 1, 2, 3])
    assert macro_f1(predicted, true) == pytest.approx((4 / 5 + 0 + 1 + 1) / 4)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_macro_f1_is_the_mean_of_precision_and_recalls_harmonic_means(pairs):
    predicted, true = (np.array(part) for part in zip(*pairs, strict=True))
    scores = []
    for label in sorted({*predicted.tolist(), *true.tolist()}):
        hits = sum(p == t == label for p, t in pairs)
        n_predicted, n_true = (predicted == label).sum(), (true == label).sum()
        precision, recall = hits / n_predicted if n_predicted else 0.0, hits / n_true if n_true else 0.0
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    assert macro_f1(predicted, true) == pytest.approx(sum(scores) / len(scores))
