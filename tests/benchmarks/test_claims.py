"""Figures of README and docs: each quote stands in its document, and ten commands give what is written."""

import dataclasses

import pytest

from benchmarks.claims import Claim, problems, read_claims, some_claims, this_turn
from playground.errors import UserError


def test_every_claim_stands_in_its_document():
    claims = read_claims()
    assert len(claims) >= 30
    assert [claim.quote for claim in claims if not claim.stands()] == []
    assert all(claim.expected == claim.expected for claim in claims)


@pytest.mark.slow
def test_ten_figures_are_derived_again():
    assert problems(some_claims(read_claims(), 10, this_turn())) == []


def test_turns_go_round_all_quick_claims():
    claims = read_claims()
    quick = [claim for claim in claims if not claim.slow]
    seen = [claim for turn in range(len(quick)) for claim in some_claims(claims, 10, turn)]
    assert {id(claim) for claim in seen} == {id(claim) for claim in quick}


CLAIM = Claim(quote="277 configurations;", where="docs/configurations.md", command="print('so many: 1,277')")


def test_a_figure_that_is_not_so_is_told():
    assert problems([CLAIM]) == ["docs/configurations.md: 277 configurations;: derived 1277"]
    moved = dataclasses.replace(CLAIM, quote="278 configurations")
    assert problems([moved]) == ["docs/configurations.md does not say: 278 configurations"]
    (failed,) = problems([dataclasses.replace(CLAIM, command="raise SystemExit('no such thing')")])
    assert "no such thing" in failed


@pytest.mark.parametrize(
    ("bound", "tolerance", "derived", "agrees"),
    [
        ("", 0.0, 277, True),
        ("", 0.0, 276, False),
        ("", 0.01, 279, True),
        ("", 0.01, 281, False),
        ("most", 0.0, 200, True),
        ("most", 0.0, 278, False),
        ("least", 0.0, 300, True),
        ("least", 0.0, 276, False),
    ],
)
def test_tolerances_and_bounds(bound, tolerance, derived, agrees):
    assert dataclasses.replace(CLAIM, bound=bound, tolerance=tolerance).agrees(derived) is agrees


def test_a_quote_without_a_figure_needs_one():
    with pytest.raises(UserError, match="no figure"):
        _ = dataclasses.replace(CLAIM, quote="some").expected
