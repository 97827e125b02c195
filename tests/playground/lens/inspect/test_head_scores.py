"""Head scores: a hand-worked example, and heads whose scores are known by construction."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from playground.lens import trace
from playground.lens.capture.site import Site
from playground.lens.inspect.head_scores import NAMES, score_site, striking_head
from tests.helpers.families import small_model

IDS = [5, 6, 5, 6]


def site_of(weights: list[list[float]] | torch.Tensor) -> Site:
    maps = torch.as_tensor(weights)[None]
    return Site(kind="decoder", layer=0, n_heads=1, queries=maps.shape[1], keys=maps.shape[2], maps=maps)


def test_a_hand_worked_head():
    """Tokens a b a b; each row below is one query's weights."""
    weights = [[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.2, 0.7, 0.1, 0.0], [0.1, 0.3, 0.4, 0.2]]
    scores = {name: float(value) for name, value in score_site(site_of(weights), IDS).items()}
    assert scores["previous"] == pytest.approx((0.5 + 0.7 + 0.4) / 3)
    assert scores["first"] == pytest.approx((0.5 + 0.2 + 0.1) / 3)
    # Query 2 is an "a" as token 0; query 3 a "b" as token 1.
    assert scores["duplicate"] == pytest.approx((0.2 + 0.3) / 2)
    # After the earlier "a" came token 1, after the earlier "b" token 2.
    assert scores["induction"] == pytest.approx((0.7 + 0.4) / 2)
    assert scores["local"] == pytest.approx(1.0)
    assert scores["distance"] == pytest.approx((0 + 0.5 + (0.4 + 0.7) + (0.3 + 0.6 + 0.4)) / 4)
    entropies = [-sum(w * math.log(w) for w in row if w > 0) for row in weights]
    assert scores["entropy"] == pytest.approx(sum(entropies) / 4, abs=1e-6)


def test_a_perfect_induction_head_scores_one_and_others_zero():
    ids = [*range(10), *range(10)]
    weights = torch.zeros(20, 20)
    for query in range(20):
        weights[query, query - 9 if query >= 10 else 0] = 1.0
    scores = score_site(site_of(weights), ids)
    assert float(scores["induction"]) == pytest.approx(1.0)
    assert float(scores["duplicate"]) == 0.0


def test_blocks_of_rows_add_up(monkeypatch):
    traced = trace(small_model("llama"), "The cat sat on the mat, the cat sat.")
    whole = score_site(traced.sites[0], traced.ids)
    monkeypatch.setattr("playground.lens.inspect.head_scores.BLOCK_BYTES", 0)
    blocks = score_site(traced.sites[0], traced.ids)
    for name, value in whole.items():
        assert torch.allclose(value, blocks[name], atol=1e-6), name


def test_what_is_not_defined_is_nan():
    scores = trace(small_model("gpt2"), "abc").head_scores()
    assert np.isnan(scores["induction"]).all()
    assert np.isfinite(scores["entropy"]).all()
    crossed = trace(small_model("bart"), "abc", "de").head_scores("cross")
    assert np.isnan(crossed["previous"]).all()
    assert np.isnan(crossed["distance"]).all()
    assert (crossed["entropy"] > 0).all()


def test_rows_name_every_head_once():
    rows = trace(small_model("gpt2"), "abcabc").head_scores().rows()
    assert [(row["layer"], row["head"]) for row in rows] == [(layer, head) for layer in range(2) for head in range(4)]


@pytest.mark.parametrize("family", ["llama", "mistral", "bert", "t5"])
def test_the_fast_way_and_the_exact_maps_agree(family):
    traced = trace(small_model(family), "The cat sat on the mat, the cat sat.")
    for site in traced.layers(traced.kinds[0]):
        ids = [token.id for token in traced.query_tokens(traced.kinds[0])]
        fast = score_site(site, ids)
        exact = score_site(dataclasses.replace(site, logsumexp=None), ids)
        assert site.logsumexp is not None
        for name, value in exact.items():
            assert torch.allclose(fast[name], value, atol=1e-5), name


def test_gathered_and_multiplied_weights_give_the_same_scores(monkeypatch):
    traced = trace(small_model("llama"), "the cat, the cat, the cat sat on the mat")
    tables = []
    for share in (0, 10**9):
        monkeypatch.setattr("playground.lens.inspect.head_scores.SPARSE", share)
        tables.append(score_site(traced.sites[0], traced.ids))
    for name in NAMES:
        torch.testing.assert_close(*(table[name] for table in tables), rtol=1e-5, atol=1e-6)


def head_looking_back(by: int, length: int) -> Site:
    """A head whose queries put all weight so many tokens back; the first ones on token 0."""
    weights = torch.zeros(length, length)
    for query in range(length):
        weights[query, max(0, query - by)] = 1.0
    return site_of(weights)


@pytest.mark.parametrize(("period", "expected"), [(10, (1, 0)), (100, (0, 0))])
def test_the_head_to_show_first_is_the_strongest_induction_head_else_previous_token_head(period, expected):
    """Ids repeat after 10: the second layer looks at what followed. Ids that never repeat: the first looks one back.

    Of 100 queries every fifth is read.
    """
    sites = [head_looking_back(1, 100), dataclasses.replace(head_looking_back(9, 100), layer=1)]
    assert striking_head(sites, [query % period for query in range(100)]) == expected


def test_where_no_score_is_above_zero_the_first_head_is_shown():
    assert striking_head([site_of([[1.0]])], None) == (0, 0)
