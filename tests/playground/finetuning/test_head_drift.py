"""Heads before and after: only the changed layer's move, the interval is the resampled one, and order is by size."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.finetuning.head_drift import FIRST, HeadDrift, head_drift
from playground.lens.comparison import divergences
from playground.lens.trace import trace
from tests.helpers.model_pairs import pair_of

TEXTS = ("The cat sat on the mat.", "Where is Anna?", "It rains.", "Nobody knew why.")


@pytest.fixture(scope="module")
def drift() -> HeadDrift:
    return head_drift(pair_of(rank=2), TEXTS)


def test_each_number_is_the_divergence_of_the_two_maps(drift):
    pair = pair_of(rank=2)
    maps = [
        trace(model, TEXTS[1]).layers()[1].pattern(slice(None), slice(None)).numpy()
        for model in (pair.before, pair.after)
    ]
    assert drift.divergence[1, 1] == pytest.approx(divergences(*maps), abs=1e-7)


def test_the_layers_before_the_change_attend_as_before(drift):
    assert drift.divergence.shape == (4, 2, 4)
    assert not drift.divergence[:, 0].any()
    assert (drift.divergence[:, 1] > 0).all()


def test_the_interval_is_of_means_over_texts_drawn_with_replacement(drift):
    first = drift.ranked(1)[0]
    values = drift.divergence[:, first.layer, first.head]
    draws = np.random.default_rng(1).choice(values, (4000, len(values))).mean(1)
    assert first.divergence.value == pytest.approx(values.mean())
    assert (first.divergence.low, first.divergence.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), rel=0.1)
    assert first.divergence.n == 4


def test_the_most_changed_come_first(drift):
    ranked = drift.ranked()
    values = [change.divergence.value for change in ranked]
    assert values == sorted(values, reverse=True)
    assert len(ranked) == 8
    assert ranked[0].among_first == 1.0
    assert ranked[-1].among_first == 0.0
    assert sum(change.among_first for change in ranked) <= FIRST


def test_a_copy_has_not_changed():
    same = head_drift(pair_of("encoder", rank=0), TEXTS[:2])
    assert not same.divergence.any()
    assert same.ranked(1)[0].among_first == 0.0


def test_a_translator_is_compared_on_what_it_answered_before():
    found = head_drift(pair_of("encoder-decoder", rank=1, scale=3.0), TEXTS[:2], "cross")
    assert found.kind == "cross"
    assert np.isfinite(found.divergence).all()


@pytest.mark.parametrize("texts", [(), ("a",) * 51])
def test_too_few_or_too_many_texts(texts):
    with pytest.raises(UserError, match="1 to 50 texts"):
        head_drift(pair_of(), texts)
