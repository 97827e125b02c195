"""The sentence about the strongest key, on a row of four keys."""

import numpy as np
import pytest

from playground.lens.inspect.steps.findings import describe_strongest_key
from playground.lens.inspect.steps.head import AttentionRow

STEPS = ["embedding", "scores", "scaling", "mask", "softmax"]
KEYS = ["0 a", "1 b", "2 c", "3 d"]


def row(products: list[float], weights: list[float], masked: list[float] | None = None) -> AttentionRow:
    numbers = np.array(products)
    return AttentionRow(
        query=np.ones(1),
        keys=numbers[:, None],
        values=numbers[:, None],
        products=numbers,
        scaling=1.0,
        scores=numbers,
        masked=np.array(products if masked is None else masked),
        weights=np.array(weights),
        z=np.zeros(1),
        model_z=None,
    )


def test_the_strongest_key_leads_from_the_scores_on() -> None:
    finding = describe_strongest_key(row([1, 3, 0, 0], [0.1, 0.7, 0.1, 0.1]), "1 b", KEYS, STEPS)
    assert str(finding) == (
        "1 b attends most to 1 b: 70.0% (uniform over its 4 keys: 25.0%). It has the largest score from step 2 on."
    )


def test_a_mask_or_a_bias_may_take_the_lead() -> None:
    hidden = row([1, 3, 0, 9], [0.1, 0.8, 0.1, 0.0], [1, 3, 0, -np.inf])
    said = str(describe_strongest_key(hidden, "2 c", KEYS, STEPS))
    assert "uniform over its 3 keys: 33.3%" in said
    assert said.endswith("It leads from step 4 on: before bias and mask, 3 d has a larger score.")


@pytest.mark.parametrize(
    ("weights", "masked"),
    [([0.4, 0.4, 0.1, 0.1], [1.0, 1.0, 0.0, 0.0]), ([1.0, 0.0, 0.0, 0.0], [1.0, -np.inf, -np.inf, -np.inf])],
)
def test_nothing_is_said_of_a_tie_or_of_a_single_key(weights: list[float], masked: list[float]) -> None:
    assert describe_strongest_key(row([1, 1, 0, 0], weights, masked), "0 a", KEYS, STEPS) is None
