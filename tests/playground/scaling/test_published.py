"""Printed numbers against other numbers that the same papers print."""

import pytest

from playground.scaling.frontier import kaplan_closed_form
from playground.scaling.published import ALLOCATIONS, KAPLAN, LADDER, PETAFLOP_DAY

# Hoffmann et al. 2022, table 3: parameters and FLOPs of the compute-optimal models by approach 1.
TABLE_3 = ((4e8, 1.92e19), (1e9, 1.21e20), (1e10, 1.23e22), (67e9, 5.76e23), (175e9, 3.85e24), (1e12, 1.27e26))


@pytest.mark.parametrize(("params", "flops"), TABLE_3)
def test_the_first_approach_goes_through_the_rows_of_its_table(params, flops):
    first = ALLOCATIONS["hoffmann-1"]
    assert first.params * (flops / first.flops) ** first.exponent == pytest.approx(params, rel=0.04)


def test_kaplans_exponents_of_data_are_those_that_avoid_overfitting():
    # Equation 4.4: D grows as N to the power of 0.74.
    assert KAPLAN.parameters["alpha_N"] / KAPLAN.parameters["alpha_D"] == pytest.approx(0.74, abs=0.005)
    assert ALLOCATIONS["kaplan"].flops == PETAFLOP_DAY == 8.64e19
    assert kaplan_closed_form(KAPLAN.parameters).exponent < ALLOCATIONS["kaplan"].exponent


def test_the_middle_of_hoffmanns_runs_lies_between_their_smallest_and_their_largest():
    for key in ("hoffmann-1", "hoffmann-2", "hoffmann-3"):
        allocation = ALLOCATIONS[key]
        assert allocation.middle == pytest.approx((6e18 * allocation.largest) ** 0.5, rel=0.04)


def test_the_ladder_leads_from_kaplans_exponent_to_hoffmanns_and_forks_at_its_end():
    assert [rung.exponent for rung in LADDER] == [0.834, 0.701, 0.604, 0.571, 0.497]
    rungs = {rung.key: rung.changes for rung in LADDER}
    assert rungs["kaplan"] == frozenset()
    assert rungs["kaplan"] < rungs["head"] < rungs["warm-up"]
    assert rungs["decay"] & rungs["tuned"] == rungs["warm-up"]
