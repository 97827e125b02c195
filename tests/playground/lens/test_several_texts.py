"""Head scores over several texts: an interval worked out by hand, and texts read one by one."""

import numpy as np
import pytest

from playground.lens import trace
from playground.lens.several_texts import MOST_TEXTS, interval, score_texts, split_texts
from playground.models import load


def test_lines_are_texts():
    assert split_texts("  one\n\n two words \r\nthree") == ["one", "two words", "three"]
    assert len(split_texts("a\n" * (MOST_TEXTS + 1))) == MOST_TEXTS


def test_an_interval_by_hand():
    """Mean 0.4 and deviation 0.2 of three: t(2, 97.5%) is 4.3027."""
    found = interval(np.array([0.2, 0.4, np.nan, 0.6]))
    assert found is not None
    assert (found.count, found.mean) == (3, pytest.approx(0.4))
    reach = 4.302653 * 0.2 / np.sqrt(3)
    assert (found.low, found.high) == (pytest.approx(0.4 - reach), pytest.approx(0.4 + reach))


def test_one_text_has_no_interval_and_none_no_mean():
    alone = interval(np.array([0.3]))
    assert alone is not None
    assert alone.mean == pytest.approx(0.3)
    assert np.isnan(alone.low)
    assert interval(np.array([np.nan])) is None


def test_each_text_is_read_alone():
    model, texts = load("books-decoder"), ["The cat sat on the mat.", "A dog."]
    seen: list[tuple[int, int]] = []
    scores = score_texts(model, texts, "decoder", lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2)]
    assert scores["previous"].shape == (2, model.layers, model.n_heads)
    np.testing.assert_array_equal(scores["previous"][1], trace(model, texts[1]).head_scores().scores["previous"])
    assert np.isnan(scores["induction"][1]).all(), "no token of the second text occurred before"
    assert score_texts(model, [], "decoder") == {}
