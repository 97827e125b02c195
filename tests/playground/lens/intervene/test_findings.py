"""Sentences of ablation, patching and interaction: their numbers on tables made by hand, and when they are silent."""

import numpy as np
import pytest

from playground.lens.intervene.findings import (
    carried_from,
    costliest_ablation,
    deciding_heads,
    joint_against_singles,
    largest_recovery,
)
from playground.text import fill

HEADS, PARTS = ["head 0.0", "head 0.1"], ["attention 0", "MLP 0", "layer 0"]


def costliest(heads, parts, metric="divergence"):
    return costliest_ablation(HEADS, np.array(heads), PARTS, np.array(parts), metric=metric, title="KL (nats)")


def test_the_costliest_head_and_the_costliest_larger_part_are_named_with_their_effects():
    assert str(costliest([0.1, 0.4], [0.5, np.nan, 2.0])) == (
        "Costliest single ablations, KL (nats): of the heads, head 0.1 (+0.4); of the larger parts, layer 0 (+2)."
    )


def test_a_logit_that_falls_is_a_cost_and_one_that_rises_is_none():
    finding = costliest([-0.3, 0.9], [0.1, 0.2, 0.3], "logit")
    assert str(finding) == "Costliest single ablation: head 0.0, KL (nats) −0.3."
    assert costliest([0.3, 0.9], [0.1, 0.2, 0.3], "logit") is None


@pytest.mark.parametrize("heads", [[0.0, 0.0], [5e-5, -0.2], [np.nan, np.nan]])
def test_no_ablation_that_costs_something_is_no_sentence(heads):
    assert costliest(heads, [0.0, 0.0, 0.0], "loss") is None


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        ([], "No single head decides: without any one of them the same label wins."),
        (["1.0"], "One head decides: without head 1.0 another label wins."),
        (["1.0", "2.3"], "2 heads decide: without any one of 1.0, 2.3 another label wins."),
        (
            [f"0.{n}" for n in range(9)],
            "9 heads decide: without any one of 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, … another label wins.",
        ),
    ],
)
def test_the_heads_that_decide_are_listed(heads, said):
    assert str(deciding_heads(heads)) == said


RECOVERED = np.array([[0.0, 0.9, 0.0], [0.0, 0.7, 0.2], [0.0, 0.2, 0.6], [0.0, 0.0, 1.0]])


def place(row: int, column: int) -> str:
    return f"layer {row}, token {column}"


def test_the_largest_recovery_is_named_with_its_place():
    finding = largest_recovery(RECOVERED[:3], place, is_solved=True)
    assert str(finding) == "Patching recovers most at layer 0, token 1: 0.90 of the difference."
    raw = largest_recovery(RECOVERED[:3] * 0.24, place, is_solved=False)
    assert str(raw) == "Patching raises the logit difference most at layer 0, token 1: +0.216 logits."
    assert largest_recovery(-RECOVERED, place, is_solved=True) is None


def test_the_answer_is_carried_from_the_first_layer_after_which_its_position_always_decides():
    assert str(carried_from(RECOVERED, 2, "2 c")) == (
        "From layer 2 on, the stream at 2 c alone recovers at least half of it."
    )
    assert carried_from(RECOVERED, 0, "0 a") is None  # nothing arrives there
    assert carried_from(np.ones((3, 2)), 1, "1 b") is None  # the prompts differ there
    undecided = np.array([[0.0], [0.8], [0.1], [0.9]])
    assert "layer 3" in str(carried_from(undecided, 0, "0 a"))


@pytest.mark.parametrize(
    ("singles", "joint", "said"),
    [
        ([0.1, 0.2], 0.31, "add up"),
        ([0.0, 0.0], 1.0, "Redundancy"),
        ([1.0, 1.0], 1.0, "Synergy"),
        ([-0.1, -0.1], -2.0, "Redundancy"),
        ([0.5, -5e-5], 0.2, "Synergy"),
    ],
)
def test_joint_and_summed_effects_are_compared(singles, joint, said):
    finding = str(joint_against_singles(singles, joint, title="KL (nats)"))
    assert said in finding
    assert fill("jointly {joint:+.3g}", joint=joint) in finding


@pytest.mark.parametrize("joint", [0.0, float("nan")])
def test_no_effect_has_no_interaction(joint):
    assert joint_against_singles([0.0, 0.0], joint, title="KL (nats)") is None


@pytest.mark.parametrize(
    ("singles", "joint"),
    [
        ([-0.3, -0.2], 0.6),  # alone each helps, together they harm
        ([0.5, 0.5], -0.4),
        ([0.5, 0.5], 0.0),
        ([0.6, -0.5], -0.1),
        ([0.6, -0.5], 0.1),
        ([0.6, -0.5], 0.9),
    ],
)
def test_effects_of_both_signs_are_neither_redundancy_nor_synergy(singles, joint):
    assert joint_against_singles(singles, joint, title="logit") is None
