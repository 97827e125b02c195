"""What a token sees is told from the mask that passed the seam."""

import pytest
import torch

from playground.lens import trace
from playground.lens.capture.visibility import Visibility, describe_visibility, visibilities
from tests.helpers.families import small_model

TEXT = "the cat sat on the mat"


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("gpt2", {Visibility(kind="causal"): [0, 1]}),
        ("bert", {Visibility(kind="both ways"): [0, 1]}),
        ("mistral", {Visibility(kind="window", size=4): [0, 1]}),
        ("gemma2", {Visibility(kind="window", size=4): [0], Visibility(kind="causal"): [1]}),
        ("modernbert", {Visibility(kind="both ways"): [0], Visibility(kind="window both ways", size=2): [1]}),
    ],
)
def test_each_layer_of_a_family(family, expected):
    assert visibilities(trace(small_model(family), TEXT).sites) == expected


def test_what_crosses_is_not_described():
    traced = trace(small_model("t5"), TEXT, "le chat")
    assert visibilities(traced.layers("cross")) == {}
    assert visibilities(traced.layers("encoder")) == {Visibility(kind="both ways"): [0, 1]}


def mask(size, sees):
    return torch.tensor([[sees(query, key) for key in range(size)] for query in range(size)])


def test_masks_by_hand():
    chunks = mask(7, lambda query, key: key <= query and key // 3 == query // 3)
    assert describe_visibility(chunks) == Visibility(kind="chunks", size=3)
    prefix = mask(6, lambda query, key: key <= query or key < 3)
    assert describe_visibility(prefix) == Visibility(kind="prefix", size=3)
    holes = mask(6, lambda query, key: key <= query and (query + key) % 2 == 0)
    assert describe_visibility(holes) == Visibility(kind="other")
    assert describe_visibility(torch.ones(3, 5, dtype=torch.bool)) == Visibility(kind="other")
