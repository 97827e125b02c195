"""Wilson's interval against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from playground.evaluation.wilson import wilson


@given(st.integers(1, 2000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_the_interval_is_scipys(counts: tuple[int, int]) -> None:
    theirs = stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson(*counts) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_all_right_is_no_certainty() -> None:
    """Of 12 rows: the lower edge is 12 / (12 + z^2)."""
    assert wilson(12, 12) == (pytest.approx(12 / (12 + 1.959963984540054**2)), 1.0)
