"""Kinds of heads in words: each on scores made by hand, silence where nothing fits, and the nearest heads."""

import numpy as np
import pytest

from playground.lens import trace
from playground.lens.inspect.head_kind import (
    BROAD,
    FEWEST_QUERIES,
    MAJORITY,
    TextShape,
    count_repeats,
    describe_head,
    similar_heads,
)
from playground.models import load

TEXT = TextShape(queries=24, keys=24, is_causal=True, repeats=9)
PLAIN = {
    "previous": 0.1,
    "first": 0.2,
    "duplicate": 0.05,
    "induction": 0.1,
    "local": 0.5,
    "entropy": 1.0,
    "distance": 4.0,
}


def sentence(shape: TextShape = TEXT, **scores: float) -> str:
    finding = describe_head({**PLAIN, **scores}, shape)
    return "" if finding is None else str(finding)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (
            {"previous": 0.934},
            "Previous-token head on this text: 0.93 of the attention goes to the token before, 0.20 to the first "
            "token.",
        ),
        (
            {"induction": 0.57},
            "Induction head on this text: at the 9 tokens that occurred before, 0.57 of the attention goes to what "
            "followed them then; 0.20 goes to the first token.",
        ),
        (
            {"duplicate": 0.6},
            "Duplicate-token head on this text: at the 9 tokens that occurred before, 0.60 of the attention goes to "
            "their earlier copies; 0.20 goes to the first token.",
        ),
        ({"first": 0.88}, "Attention sink on this text: 0.88 of the attention goes to the first token."),
        ({"entropy": 2.2}, "Broad head on this text: the entropy of 2.20 nats is 96% of uniform attention's; 0.20"),
    ],
)
def test_a_head_is_named_with_its_numbers(scores, expected):
    assert sentence(**scores).startswith(expected)


def test_a_local_head_is_held_against_uniform_attention():
    """Of the keys 0 to i, those from i - 4 on are near: min(5, i + 1) of i + 1."""
    uniform = np.mean([min(5, seen) / seen for seen in range(1, 25)])
    assert f"0.85 of the attention stays within 4 tokens (uniform attention: {uniform:.2f})" in sentence(local=0.85)
    short = TextShape(queries=8, keys=8, is_causal=True, repeats=0)
    assert sentence(short, local=0.95) == "", "on a short text all is near"


def test_keys_are_counted_by_their_distance():
    encoder = TextShape(queries=7, keys=7, is_causal=False, repeats=0)
    assert encoder.visible(2).tolist() == [3, 4, 5, 5, 5, 4, 3]
    assert TextShape(queries=4, keys=4, is_causal=True, repeats=0).visible(2).tolist() == [1, 2, 3, 3]


def test_where_nothing_fits_nothing_is_said():
    assert sentence() == ""
    assert sentence(previous=MAJORITY) == "", "half is not most"
    assert sentence(TextShape(queries=FEWEST_QUERIES - 1, keys=4, is_causal=True, repeats=0), first=0.9) == ""


def test_few_repeats_say_nothing_about_induction():
    few = TextShape(queries=24, keys=24, is_causal=True, repeats=FEWEST_QUERIES - 1)
    assert sentence(few, induction=0.9) == ""


def test_the_place_with_the_most_attention_names_the_head():
    assert sentence(previous=0.55, first=0.6).startswith("Attention sink")
    assert sentence(previous=0.65, first=0.6).startswith("Previous-token head")


def test_uniform_attention_of_an_encoder_is_broad():
    text = TextShape(queries=10, keys=10, is_causal=False, repeats=0)
    assert "100% of uniform" in sentence(text, entropy=float(np.log(10)))
    assert sentence(text, entropy=(BROAD - 0.01) * float(np.log(10))) == ""


def test_what_is_not_defined_names_nothing():
    nothing = {name: float("nan") for name in ("previous", "duplicate", "induction", "local")}
    assert sentence(entropy=1.0, **nothing) == ""
    assert sentence(first=0.7, **nothing).startswith("Attention sink")


def test_the_nearest_heads_come_first():
    tables = {name: np.zeros((2, 2)) for name in PLAIN}
    tables["previous"] = np.array([[0.9, 0.1], [0.8, 0.2]])
    tables["induction"] = np.full((2, 2), np.nan)
    nearest = similar_heads(tables, 0, 0, count=2)
    assert [(found.row, found.head) for found in nearest] == [(1, 0), (1, 1)]
    assert nearest[0].distance == pytest.approx(0.1 / np.sqrt(4))


def test_known_heads_of_the_shipped_model():
    traced = trace(
        load("books-decoder"), "The cat sat on the mat, and the dog sat on the rug. The cat looked at the dog."
    )
    tables = traced.head_scores().scores
    shape = TextShape(queries=24, keys=24, is_causal=True, repeats=count_repeats(traced.ids))

    def kind(layer: int, head: int) -> str:
        finding = describe_head({name: float(table[layer, head]) for name, table in tables.items()}, shape)
        return "" if finding is None else str(finding).split(" on this text")[0]

    assert [kind(0, 0), kind(0, 1), kind(1, 1), kind(3, 4), kind(4, 0), kind(4, 4)] == [
        "Attention sink",
        "Previous-token head",
        "Induction head",
        "Local head",
        "Broad head",
        "",
    ]
