"""Head search: masks by hand, a planted head is found, and chance is what shuffling gives."""

import pytest
import torch

from playground.errors import UserError
from playground.lens.capture.site import Site
from playground.lens.inspect.head_search import (
    RankedHead,
    Ranking,
    best_head_finding,
    cross_pattern_mask,
    pattern_mask,
    rank_heads,
)

IDS = [4, 5, 6, 4, 5, 6, 9]
LABELS = ["a", "b", ".", "a", "b", ".", "c"]


def site(maps: torch.Tensor, layer: int = 0, kind: str = "decoder") -> Site:
    heads, queries, keys = maps.shape
    return Site(kind=kind, layer=layer, n_heads=heads, queries=queries, keys=keys, maps=maps)


def causal(seed: int, heads: int, tokens: int) -> torch.Tensor:
    scores = torch.randn(heads, tokens, tokens, generator=torch.Generator().manual_seed(seed))
    return scores.masked_fill(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf")).softmax(-1)


@pytest.mark.parametrize(
    ("pattern", "marked"),
    [
        ("previous", {(query, query - 1) for query in range(1, 7)}),
        ("first", {(query, 0) for query in range(1, 7)}),
        ("same token", {(3, 0), (4, 1), (5, 2)}),
        ("induction", {(3, 1), (4, 2), (5, 3)}),
        ("separator", {(query, key) for query in range(7) for key in (2, 5, 6) if key != query}),
    ],
)
def test_masks_by_hand(pattern, marked):
    mask = pattern_mask(pattern, IDS, LABELS, [False] * 6 + [True])
    assert {tuple(pair) for pair in mask.nonzero().tolist()} == marked


@pytest.mark.parametrize(
    ("pattern", "marked"),
    [
        ("first", {(0, 0), (1, 0), (2, 0)}),
        ("same token", {(0, 1), (2, 0), (2, 3)}),
        ("same place", {(0, 0), (1, 1), (2, 2)}),
        ("separator", {(0, 2), (1, 2), (2, 2)}),
    ],
)
def test_masks_across_two_texts_by_hand(pattern, marked):
    mask = cross_pattern_mask(pattern, [5, 9, 4], [4, 5, 6, 4], ["a", "b", ".", "a"], [False] * 4)
    assert {tuple(pair) for pair in mask.nonzero().tolist()} == marked


def test_a_planted_head_of_cross_attention_comes_first():
    maps = torch.full((2, 3, 4), 0.25)
    mask = cross_pattern_mask("same place", [5, 9, 4], [4, 5, 6, 4], ["a", "b", ".", "a"], [False] * 4)
    maps[1] = mask * 0.97 + 0.01 * ~mask
    ranking = rank_heads([site(maps, kind="cross")], mask)
    assert [head.head for head in ranking.heads] == [1, 0]
    assert ranking.heads[0].score == pytest.approx(0.97)


@pytest.mark.parametrize("pattern", ["previous", "first", "same token", "induction", "separator"])
def test_a_planted_head_comes_first(pattern):
    ids, labels = IDS * 3, LABELS * 3
    mask = pattern_mask(pattern, ids, labels, [False] * 21)
    planted = causal(0, 4, 21)
    seen = (mask & torch.ones(21, 21).tril().bool()).float()
    rows = seen.sum(-1) > 0
    planted[2, rows] = 0.9 * seen[rows] / seen[rows].sum(-1, keepdim=True) + 0.1 * planted[2, rows]
    ranking = rank_heads([site(causal(1, 4, 21)), site(planted, 1)], mask)
    best = ranking.heads[0]
    assert (best.layer, best.head) == (1, 2)
    assert best.score >= 0.9
    assert best in ranking.above_chance
    assert best.score > ranking.chance_level
    assert best.shuffled_mean < 0.6
    assert len(ranking.heads) == 8
    assert ranking.queries == int(rows.sum())


def test_a_head_that_looks_evenly_is_exactly_chance():
    even = torch.ones(1, 9, 9).tril()
    even = even / even.sum(-1, keepdim=True)
    ranking = rank_heads([site(even)], pattern_mask("previous", list(range(9)), ["x"] * 9, [False] * 9))
    assert ranking.heads[0].score == pytest.approx(ranking.heads[0].shuffled_mean, abs=1e-6)
    assert ranking.chance_level == pytest.approx(ranking.heads[0].score, abs=1e-6)
    assert not ranking.above_chance


def test_chance_keeps_what_cannot_be_seen_empty_and_rows_whole():
    """Of a mask that marks all that can be seen, every shuffle holds all the weight."""
    head = rank_heads([site(causal(3, 2, 8))], torch.ones(8, 8, dtype=torch.bool)).heads[0]
    assert (head.score, head.shuffled_mean, head.shuffled_high) == pytest.approx((1, 1, 1), abs=1e-5)


def test_no_head_s_own_level_exceeds_the_chance_level_of_all_heads():
    """The maximum over heads is at least each head's score in every shuffle, and so is its quantile."""
    mask = pattern_mask("previous", IDS * 3, LABELS * 3, [False] * 21)
    ranking = rank_heads([site(causal(layer, 4, 21), layer) for layer in range(3)], mask)
    assert ranking.shuffles == 200
    assert max(head.shuffled_high for head in ranking.heads) <= ranking.chance_level
    assert ranking.chance_level > max(head.shuffled_mean for head in ranking.heads)


def test_about_one_random_model_in_twenty_has_a_head_above_chance():
    mask = pattern_mask("previous", IDS * 2, LABELS * 2, [False] * 14)
    above = [bool(rank_heads([site(causal(seed, 6, 14))], mask, seed=seed).above_chance) for seed in range(60)]
    assert sum(above) <= 9  # binomial(60, 0.05) is at most 9 in 99.9 of 100 cases


def ranking_of(score: float, chance: float) -> Ranking:
    heads = [
        RankedHead(kind="decoder", layer=layer, head=1, score=value, shuffled_mean=0.1, shuffled_high=0.15, z_score=2.0)
        for layer, value in ((3, score), (0, 0.05))
    ]
    return Ranking(heads=tuple(heads), chance_level=chance, queries=9, shuffles=200)


def test_the_finding_says_whether_the_best_head_is_above_chance():
    assert str(best_head_finding(ranking_of(0.61, 0.21))) == (
        "Best: head 3.1 with 0.610, above the chance level 0.210. Heads above it: 1 of 2."
    )
    assert str(best_head_finding(ranking_of(0.2, 0.21))) == (
        "No head exceeds the chance level 0.210: the best, 3.1, reaches 0.200."
    )


def test_the_same_seed_ranks_alike_and_progress_is_told():
    mask = pattern_mask("previous", IDS, LABELS, [False] * 7)
    reports: list[tuple[int, int]] = []
    sites = [site(causal(layer, 2, 7), layer) for layer in range(3)]
    first = rank_heads(sites, mask, seed=3, on_progress=lambda *report: reports.append(report))
    assert first == rank_heads(sites, mask, seed=3)
    assert reports == [(1, 3), (2, 3), (3, 3)]


def test_a_mask_that_fits_nothing_is_refused():
    maps = site(causal(0, 2, 7))
    with pytest.raises(UserError, match="paint anew"):
        rank_heads([maps], torch.ones(6, 6, dtype=torch.bool))
    with pytest.raises(UserError, match="No query"):
        rank_heads([maps], torch.ones(7, 7).triu(1).bool())
    with pytest.raises(UserError, match="no attention"):
        rank_heads([], torch.ones(1, 1, dtype=torch.bool))
