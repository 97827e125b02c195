"""Sentences about predictions, on numbers small enough to check by hand."""

import math

import numpy as np
import pytest

from playground.lens.generate.findings import (
    compare_greedy,
    describe_answers,
    describe_depth,
    describe_mask,
    describe_next_token,
    describe_surprisal,
    percent,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.25, "25.00%"),
        (0.0, "0%"),
        (0.0000999, "<0.01%"),
        (0.0001, "0.01%"),
        (0.99995, ">99.99%"),
        (1.0, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, text: str) -> None:
    assert percent(share) == text


def test_the_next_tokens_entropy_is_held_against_the_uniform_maximum() -> None:
    finding = describe_next_token("5 ␣cat", "␣sat", 0.5, math.log(3), 9)
    assert str(finding) == (
        "Most probable after 5 ␣cat: ␣sat with 50.00%. Entropy 1.10 of at most 2.20 nats (uniform): as uncertain as a "
        "choice among 3.0 equally probable tokens."
    )
    assert describe_next_token("a", "b", 1.0, 0.0, 1) is None
    assert describe_next_token("a", "b", 1.0, math.nan, 5) is None


def test_the_most_surprising_token_is_named_with_mean_and_perplexity() -> None:
    nats = np.array([math.nan, math.log(2), math.log(8)])
    predicted = np.array([False, True, True])
    said = str(describe_surprisal(["a", "b", "c"], nats, predicted, is_masked=False))
    assert said == (
        "Most surprising: c with 2.08 nats (probability 12.50%). The mean is 1.39 nats per token, perplexity 4.0."
    )
    in_bits = str(describe_surprisal(["a", "b", "c"], nats, predicted, is_masked=False, in_bits=True))
    assert "c with 3.00 bits" in in_bits
    assert "mean is 2.00 bits per token, perplexity 4.0" in in_bits
    masked = str(describe_surprisal(["a", "b", "c"], nats, predicted, is_masked=True))
    assert "pseudo-perplexity 4.0 (each token masked alone, Salazar et al. 2020)" in masked
    assert describe_surprisal(["a", "b"], nats[:2], predicted[:2], is_masked=False) is None


@pytest.mark.parametrize(
    ("ranks", "said"),
    [
        (
            [5, 0, 2, 0, 0],
            "first appears as top-1 after layer 1 of 4 (0: the embedding) and stays top-1 from layer 3 on.",
        ),
        ([5, 3, 0, 0], "first appears as top-1 after layer 2 of 3, and stays so."),
        ([0, 0, 0], "is top-1 from the embedding on, through all 2 layers."),
        ([1, 0, 4], "is top-1 after layer 1 of 2, but not at the end."),
        ([7, 6, 4], "is top-1 in none of the 2 layers; best rank 5."),
        ([0, 0], "is top-1 from the embedding on, through the only layer."),
        ([7, 6], "is not top-1 in the only layer; best rank 7."),
    ],
)
def test_where_an_answer_appears_and_from_where_it_stays(ranks: list[int], said: str) -> None:
    assert str(describe_depth("2 ␣sat", "␣on", np.array(ranks))) == f"After 2 ␣sat, ␣on {said}"


def test_without_layers_nothing_is_said_of_them() -> None:
    assert describe_depth("a", "b", np.array([0])) is None


def test_a_mask_names_what_stood_there() -> None:
    tokens, shares = ["dog", "cat"], [0.6, 0.3]
    assert str(describe_mask(4, tokens, shares, 0.9, None)) == (
        "Position 4: dog with 60.00%, then cat with 30.00%; entropy 0.90 nats."
    )
    assert "dog with 60.00%, which stood there" in str(describe_mask(4, tokens, shares, 0.9, ("dog", 0.6)))
    assert "mat, which stood there, has <0.01%" in str(describe_mask(4, tokens, shares, 0.9, ("mat", 1e-6)))
    assert describe_mask(4, tokens[:1], shares[:1], 0.9, None) is None


def test_the_best_answer_has_a_margin() -> None:
    assert str(describe_answers([-0.5, -0.75], [-2.0, -3.0], [4, 4])) == (
        "Best of 2 answers: log probability −2.00 nats over 4 tokens, score −0.500, 0.250 above the second."
    )
    assert str(describe_answers([-0.5], [-2.0], [4])).startswith("The only answer: log probability −2.00")
    assert describe_answers([], [], []) is None


@pytest.mark.parametrize(
    ("greedy", "said"),
    [
        (-2.0, "Greedy decoding finds an answer as probable."),
        (-3.5, "Greedy decoding finds a less probable one: 1.50 nats lower."),
        (-1.0, "Greedy decoding finds a more probable one, 1.00 nats higher, which the length penalty ranks lower."),
    ],
)
def test_greedy_decoding_is_compared(greedy: float, said: str) -> None:
    assert str(compare_greedy(greedy, -2.0)) == said
    assert compare_greedy(math.nan, -2.0) is None
