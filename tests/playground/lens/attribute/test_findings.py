"""Sentences of attribution: their numbers on values made by hand, and when they are silent."""

import numpy as np
import pytest

from playground.lens.attribute.findings import carrying_tokens, completeness, largest_contributions


def test_the_three_largest_contributions_and_their_share():
    finding = largest_contributions(["embedding", "head 0.1", "MLP 0", "MLP 1"], [-4.0, 1.0, 3.0, 2.0], token="“␣John”")
    assert str(finding) == (
        "Largest contributions to the logit of “␣John”: embedding (−4.00), MLP 0 (+3.00), MLP 1 (+2.00); "
        "together 90% of the sum of absolute contributions."
    )
    assert largest_contributions(["a", "b", "c", "d"], [0.0] * 4, token="") is None
    assert largest_contributions(["a", "b"], [1.0, 2.0], token="") is None


def test_the_fewest_tokens_that_hold_half_are_named():
    names = [f"{index} w" for index in range(8)]
    finding = carrying_tokens(names, np.array([0.1, -0.5, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1]))
    assert str(finding) == "Carried by 4 w, 1 w: 70% of the sum of absolute values."


@pytest.mark.parametrize("values", [[1.0] * 8, [0.0] * 8, [np.nan] + [1.0] * 7, [1.0]])
def test_where_no_token_stands_out_none_is_named(values):
    assert carrying_tokens([str(index) for index in range(len(values))], np.array(values)) is None


def test_the_completeness_gap_is_a_share_of_the_change():
    assert str(completeness(0.05, -2.0)) == "Completeness gap 0.050, 2.5% of the logit's change."
    assert completeness(0.05, 0.0) is None
