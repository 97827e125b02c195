"""The exponents that the quantization model predicts, against a simulation of its own words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.scaling.quantization import finite_exponents, quantized_exponents, unlearnt_share

MANY = 2_000_000


def slope(x, y) -> float:
    """Of log y over log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


@pytest.mark.parametrize("zipf", [1.5, 2.0, 2.5])
def test_a_model_with_room_for_n_skills_loses_the_tail(zipf):
    room = np.array([10, 30, 100, 300, 1000])
    loss = unlearnt_share(zipf, MANY)[room]
    assert -slope(room, loss) == pytest.approx(quantized_exponents(zipf).alpha, rel=0.05)


@pytest.mark.parametrize("zipf", [1.5, 2.0, 2.5])
def test_a_skill_is_learnt_once_the_data_show_it_often_enough(zipf):
    """Frequencies written out; a skill that occurs at least ten times in D tokens is known."""
    frequencies = np.arange(1, MANY + 1) ** -zipf
    frequencies /= frequencies.sum()
    tokens = np.geomspace(1e4, 1e8, 9)
    loss = [frequencies[count * frequencies < 10].sum() for count in tokens]
    assert -slope(tokens, loss) == pytest.approx(quantized_exponents(zipf).beta, rel=0.08)


@given(zipf=st.floats(1.01, 4.0))
def test_the_exponent_in_d_is_the_smaller_and_both_are_a_function_of_a(zipf):
    predicted = quantized_exponents(zipf)
    assert 0 < predicted.beta < predicted.alpha
    assert 1 / predicted.beta == pytest.approx(1 / predicted.alpha + 1)


def test_a_list_that_ends_falls_faster_and_approaches_the_endless_one():
    exponents = [finite_exponents(1.5, ranks).alpha for ranks in (20, 100, 10_000)]
    assert exponents == sorted(exponents, reverse=True)
    assert exponents[-1] > quantized_exponents(1.5).alpha
    assert finite_exponents(1.5, MANY).alpha == pytest.approx(0.5, rel=0.1)


def test_the_tail_by_hand():
    # 1 + 1/4 + 1/9 = 49/36: beyond the first 13/49, beyond the second 4/49.
    assert unlearnt_share(2.0, 3) == pytest.approx([1, 13 / 49, 4 / 49])


def test_what_has_no_exponent_is_refused():
    for zipf in (1.0, 0.0, float("nan")):
        with pytest.raises(UserError, match="above 1"):
            quantized_exponents(zipf)
    with pytest.raises(UserError, match="too few"):
        finite_exponents(1.5, 3)
