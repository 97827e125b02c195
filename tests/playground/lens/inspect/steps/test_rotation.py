"""Angles read off turned vectors, against the angles that turned them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.lens.inspect.steps.rotation import Rotation, rotation_of


def pairs(turned, neighbours):
    numbers = np.arange(turned)
    return (numbers[::2], numbers[1::2]) if neighbours else (numbers[: turned // 2], numbers[turned // 2 :])


@given(seed=st.integers(0, 10**6), turned=st.sampled_from([2, 4, 8]), neighbours=st.booleans())
def test_finds_what_turned_them(seed, turned, neighbours):
    random = np.random.default_rng(seed)
    before = random.normal(size=(6, 8))
    first, second = pairs(turned, neighbours)
    rotation = Rotation(first=first, second=second, angles=random.uniform(0.1, 3, size=(6, turned // 2)))
    after = rotation.turn(before)
    recovered = rotation_of(before, after)
    np.testing.assert_allclose(recovered.turn(before), after, atol=1e-9)
    assert recovered.first.tolist() == first.tolist()
    np.testing.assert_allclose(recovered.angles, rotation.angles, atol=1e-9)


def test_a_quarter_turn_by_hand():
    recovered = rotation_of(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert recovered.angles[0, 0] == pytest.approx(np.pi / 2)


def test_what_is_stretched_is_no_rotation():
    assert rotation_of(np.array([[1.0, 2.0, 3.0]]), np.array([[2.0, 4.0, 6.0]])) is None
