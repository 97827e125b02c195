"""The check notices each kind of wrong number, says at which layer, and gives reasons instead of numbers."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.lens import trace
from playground.lens.capture import verification
from playground.lens.capture.overview import cell_bounds
from playground.lens.capture.verification import checked_cells, exact_cells
from playground.lens.inspect.attention_view import ViewOptions, axes, coded_maps
from playground.lens.inspect.picture_check import check_picture
from tests.helpers.families import small_model

TEXT = "the cat sat on the mat, the cat sat"


@pytest.fixture(scope="module", params=["gpt2", "gpt_oss", "bert", "t5"])
def traced(request):
    return trace(small_model(request.param), TEXT)


def by_name(check):
    return {step.name: step for step in check.steps}


def test_every_step_of_a_right_trace_agrees(traced):
    check = traced.check(sums=True)
    assert check.passed
    steps = by_name(check)
    assert list(steps) == ["heads", "rows", "thumbnails", "stream", "parts"]
    for step in steps.values():
        assert step.passed or step.reason
    # T5 and GPT-2 norm before each layer, so that their streams are sums; BERT's are not.
    assert (steps["stream"].difference is None) == (traced.model.family == "bert")


def changed(traced, layer, **fields):
    other = trace(traced.model, TEXT)
    sites = list(other.sites)
    sites[layer] = dataclasses.replace(sites[layer], **fields)
    other.sites = tuple(sites)
    return other


def test_a_wrong_output_is_found_in_its_layer(traced):
    other = changed(traced, 1, z=traced.sites[1].z + 0.5)
    (step,) = other.check().failed
    assert (step.name, step.layer) == ("heads", 1)
    assert step.difference == pytest.approx(0.5, abs=1e-3)


def test_wrong_thumbnails_are_found_although_the_maps_are_right():
    traced = trace(small_model("gpt2"), TEXT)
    other = changed(traced, 1, logsumexp=traced.sites[1].logsumexp + 1.0)
    (step,) = other.check().failed
    assert (step.name, step.layer) == ("thumbnails", 1)
    assert step.difference > 0.1


def test_layers_that_are_checked_together_say_what_each_says_alone(traced):
    sites, dtype = traced.sites, traced.model.dtype
    together = by_name(verification.check_sites(sites, dtype, 4))
    for site in sites:
        for step in verification.check_sites([site], dtype, 4).steps:
            if step.difference is not None:
                assert step.difference <= together[step.name].difference + 1e-6
                assert together[step.name].allowed >= step.allowed


def test_rows_that_do_not_sum_to_one_are_found():
    traced = trace(small_model("gpt2"), TEXT)
    maps = traced.sites[0].pattern(slice(None), slice(None)) * 0.9
    _heads, step = verification.check_maps(
        [dataclasses.replace(traced.sites[0], call=None, maps=maps)], 1, torch.float32
    )
    assert not step.passed
    assert step.difference == pytest.approx(0.1, abs=1e-5)


def test_a_number_that_is_none_does_not_pass():
    traced = trace(small_model("gpt2"), TEXT)
    z = torch.full_like(traced.sites[0].z, float("nan"))
    assert not changed(traced, 0, z=z).check().passed


@pytest.mark.parametrize("budget", [10**6, 9000, 3000])
@pytest.mark.parametrize("exclude_first", [False, True])
def test_painted_cells_are_the_exact_weights_at_every_packing(traced, budget, exclude_first):
    for kind in traced.kinds:
        options = ViewOptions(kind=kind, exclude_first=exclude_first)
        coded = coded_maps(traced, options, budget)
        shown = axes(traced, options)
        step = check_picture(traced.layers(kind), shown, options, coded, 4)
        assert step.passed
        wrong = dataclasses.replace(coded, maps=coded.maps // 2)
        assert not check_picture(traced.layers(kind), shown, options, wrong, 4).passed


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 400))
def test_checked_cells_stand_for_the_queries_that_were_asked_for(length: int, cells: int, queries: int):
    bounds = cell_bounds(length, min(cells, length))
    rows = checked_cells(bounds, queries)
    assert rows[0] == 0
    assert rows[-1] < len(bounds) - 1
    assert len(rows) >= min(2, len(bounds) - 1)
    if queries >= length:
        assert len(rows) == len(bounds) - 1


def test_cells_hold_their_largest_weights():
    maps = torch.arange(12.0).reshape(1, 3, 4)
    assert exact_cells(maps, [1, 2], [0, 2, 4]).tolist() == [[[1.0, 3.0], [9.0, 11.0]]]
