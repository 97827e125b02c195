"""What a picture shows: codes, packing, hidden tokens, the sink set aside, averages."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.lens.inspect.attention_view import ViewOptions, axes, coded_maps, head_map, without_first_key
from playground.models.loading import LoadedModel
from tests.helpers.families import small_model

TEXT = "The cat sat on the mat, the cat sat."
PLAIN = ViewOptions(kind="decoder")


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return small_model("llama")


@pytest.fixture(scope="module")
def traced(model):
    return trace(model, TEXT)


def decoded(coded) -> np.ndarray:
    """The weights behind the codes: weight = (code / largest code)^2."""
    return (coded.maps / np.iinfo(coded.maps.dtype).max) ** 2


@pytest.mark.parametrize(("budget", "dtype", "step"), [(900_000, np.uint16, 2e-5), (8_000, np.uint8, 5e-3)])
def test_codes_give_every_weight_back(traced, budget, dtype, step):
    coded = coded_maps(traced, PLAIN, budget)
    assert (coded.packing, coded.pooled, coded.maps.dtype) == ("lower", False, dtype)
    exact = traced.attention(1, 2)[np.tril_indices(len(traced.ids))]
    assert np.abs(decoded(coded)[1, 2] - exact).max() < step


def test_beyond_the_budget_cells_are_pooled(traced):
    coded = coded_maps(traced, PLAIN, 1000)
    assert coded.pooled
    assert coded.maps.nbytes <= 1000
    lower = np.zeros((coded.rows, coded.columns))
    lower[np.tril_indices(coded.rows)] = decoded(coded)[0, 1]
    size = len(traced.ids) / coded.rows
    last_cell = traced.attention(0, 1)[int((coded.rows - 1) * size) :, : int(size)].max()
    assert lower[-1, 0] == pytest.approx(last_cell, abs=6e-3)


def test_cross_attention_is_sent_whole():
    traced = trace(small_model("bart"), TEXT, "A mat!")
    coded = coded_maps(traced, ViewOptions(kind="cross"))
    assert coded.packing == "full"
    found = decoded(coded)[1, 3].reshape(coded.rows, coded.columns)
    assert np.abs(found - traced.attention(1, 3, "cross")).max() < 2e-5


@pytest.mark.parametrize("combine", ["layer mean", "layer max", "all mean", "all max"])
def test_averages_are_those_of_numpy(traced, combine):
    layers = [1] if combine.startswith("layer") else [0, 1]
    every = np.array([traced.attention(layer, head) for layer in layers for head in range(4)])
    expected = every.max(0) if combine.endswith("max") else every.mean(0)
    assert np.allclose(head_map(traced, PLAIN, layer=1, head=0, combine=combine), expected, atol=1e-6)


def test_the_sink_set_aside_leaves_rows_that_sum_to_one(traced):
    options = ViewOptions(kind="decoder", exclude_first=True)
    shown = head_map(traced, options, layer=0, head=1)
    exact = traced.attention(0, 1)
    assert (shown[:, 0] == 0).all()
    assert shown[0].sum() == 0
    assert np.allclose(shown[1:].sum(1), 1, atol=1e-5)
    assert np.allclose(shown[5, 1:], exact[5, 1:] / (1 - exact[5, 0]), atol=1e-5)


def test_a_hand_worked_sink():
    assert torch.allclose(without_first_key(torch.tensor([[[0.8, 0.15, 0.05]]])), torch.tensor([[[0.0, 0.75, 0.25]]]))


def test_hidden_special_tokens_leave_numbers_alone():
    traced = trace(small_model("bart"), "<s>abc</s>", "de")
    options = ViewOptions(kind="encoder", hide_special=True)
    queries, keys = axes(traced, options)
    assert [token.text for token in queries.tokens] == ["a", "b", "c"]
    exact = traced.attention(0, 0, "encoder")[np.ix_(queries.positions, keys.positions)]
    assert np.array_equal(head_map(traced, options, layer=0, head=0), exact)


def test_pooling_what_is_left_when_tokens_are_hidden():
    traced = trace(small_model("bart"), "<s>" + TEXT, "de")
    options = ViewOptions(kind="encoder", hide_special=True, exclude_first=True)
    coded = coded_maps(traced, options, 300)
    assert coded.pooled
    shown = head_map(traced, options, layer=1, head=1)
    first = shown[: shown.shape[0] // coded.rows, : shown.shape[1] // coded.columns].max()
    assert decoded(coded)[1, 1].reshape(coded.rows, coded.columns)[0, 0] == pytest.approx(first, abs=6e-3)


def test_a_head_that_is_not_there_is_refused(traced):
    with pytest.raises(UserError, match="no head 9"):
        head_map(traced, PLAIN, layer=0, head=9)
