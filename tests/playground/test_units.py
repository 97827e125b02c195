"""Times and amounts in words, and where one unit gives way to the next."""

import doctest

import pytest

from playground import units
from playground.units import duration, prefixed


def test_the_examples_hold():
    assert doctest.testmod(units).failed == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h"), (3 * 3600, "3.0 h"), (172_800, "2.0 days")],
)
def test_a_time_is_said_in_the_unit_of_a_person(seconds, words):
    assert duration(seconds) == words


def test_an_amount_never_has_four_digits_before_its_prefix():
    assert [prefixed(amount, "B") for amount in (0, 12, 999, 999.7, 1e6, 3.4e12)] == [
        "0 B",
        "12 B",
        "999 B",
        "1 kB",
        "1 MB",
        "3.4 TB",
    ]
    assert prefixed(5e22, "FLOP") == "50,000 EFLOP"
