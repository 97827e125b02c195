"""What a sweep trains: the cells of a design, their budgets, learning rates and branches."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.sweeps.forks import checkpoint_interval, last_stable_step
from playground.sweeps.grid import SweepConfig, cells, flops_per_token, heads_of_width, shape_of
from playground.training.config import TrainConfig
from playground.training.optimizers import learning_rate
from tests.helpers.small_sweep import sweep_config


def test_a_grid_has_every_combination_once_seeds_outermost_and_small_sizes_first():
    grid = cells(sweep_config(seeds=(3, 1), sizes=((16, 1), (8, 1))))
    assert len(grid) == len({cell.name for cell in grid}) == 12
    assert [cell.config.seed for cell in grid] == [3] * 6 + [1] * 6
    assert [cell.config.model.width for cell in grid[:6]] == [8, 8, 8, 16, 16, 16]
    assert [cell.tokens for cell in grid[:3]] == [2048, 512, 1024]


def test_counts_of_a_cell_by_hand():
    cell = cells(sweep_config(sizes=((8, 1),)))[0]
    vocabulary = cell.config.model.vocabulary
    # Projections 4 x 8 x 8, SwiGLU 3 x 8 x 32, three norms of 8; the embedding is the head's, too.
    assert cell.parameters_without_embeddings == 256 + 768 + 24
    assert cell.parameters == 256 + 768 + 24 + 8 * vocabulary
    # Twice for a product, three times with the backward pass; 16 positions see 16 each, in scores and values.
    forward = 2 * (256 + 768) + 2 * 2 * 16 * 8 + 2 * 8 * vocabulary
    assert cell.flops == 3 * forward * 2048


def test_the_rate_falls_with_the_width():
    config = sweep_config(learning_rate=0.004, learning_rate_width=32, sizes=((16, 1), (64, 1)))
    assert {cell.config.model.width: cell.config.learning_rate for cell in cells(config)} == {16: 0.008, 64: 0.002}
    flat = sweep_config(learning_rate=0.004, learning_rate_exponent=0.0, sizes=((16, 1), (64, 1)))
    assert {cell.config.learning_rate for cell in cells(flat)} == {0.004}


def test_cells_of_an_isoflop_design_cost_the_same_within_a_step():
    budgets = (2e9, 8e9)
    config = sweep_config(design="isoflop", flops=budgets, sizes=((8, 1), (16, 1), (16, 2), (32, 2)))
    grid = cells(config)
    assert len(grid) == 8
    for cell in grid:
        step = flops_per_token(config, cell.config.model) * config.tokens_per_step
        assert min(abs(cell.flops - budget) for budget in budgets) <= step / 2 + 1
    assert cells(config)[0].tokens > cells(config)[-1].tokens


def test_a_branch_has_the_rates_of_its_trunk_up_to_its_fork_and_not_beyond_its_decay():
    grid = cells(sweep_config(tokens=(1000, 3000, 40_000)))
    trunks = {cell.name: cell for cell in grid if cell.trunk is None}
    branches = [cell for cell in grid if cell.trunk is not None]
    assert branches
    for cell in branches:
        rates, others = (
            [learning_rate(one.config, step) for step in range(1, cell.config.steps + 1)]
            for one in (cell, trunks[cell.trunk])
        )
        assert rates[: cell.fork] == others[: cell.fork]
        assert rates[-1] == 0.0 < others[-1]
        assert cell.fork % cell.config.checkpoint_every == 0


@given(warm_up=st.integers(0, 50), steps=st.integers(1, 400), longer=st.integers(1, 400))
def test_up_to_the_last_stable_step_all_longer_runs_have_the_same_rates(warm_up, steps, longer):
    model = shape_of(sweep_config(), (8, 1))
    short, long = (
        TrainConfig(
            task=sweep_config().task, model=model, steps=count, warm_up=min(warm_up, count), schedule="stable-decay"
        )
        for count in (steps, steps + longer)
    )
    last = last_stable_step(steps, warm_up)
    assert all(learning_rate(short, step) == learning_rate(long, step) for step in range(1, last + 1))


@given(steps=st.lists(st.integers(1, 5000), min_size=1, max_size=6, unique=True), warm_up=st.integers(0, 100))
def test_a_trunk_has_few_checkpoints_and_branches_repeat_less_than_the_distance(steps, warm_up):
    steps = sorted(steps)
    every = checkpoint_interval(steps, warm_up)
    assert every >= 1
    assert steps[-1] // every <= 40


def test_heads_are_as_many_as_fit():
    assert [heads_of_width(width, 16) for width in (8, 16, 24, 32, 48, 96)] == [1, 1, 1, 2, 3, 6]
    assert heads_of_width(20, 5) == 2  # 4 heads of 5 would be odd


def test_a_config_survives_its_file():
    config = sweep_config(design="isoflop", flops=(1e9, 3e9), seeds=(0, 5))
    assert SweepConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


JUNK = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers(), max_size=3)
)


@given(name=st.sampled_from(sorted(set(sweep_config().to_dict()) - {"task"})), value=JUNK)
@settings(max_examples=300)
def test_any_value_of_a_field_makes_cells_or_a_sentence(name, value):
    values = {**json.loads(json.dumps(sweep_config().to_dict())), name: value}
    try:
        config = SweepConfig.from_dict(values)
    except UserError:
        return  # any other exception fails the test
    assert getattr(config, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"sizes": ()}, "at least one"),
        ({"sizes": ((9, 1),)}, "odd"),
        ({"sizes": ((8,),)}, "32x3"),
        ({"tokens": (0,)}, "at least 1"),
        ({"design": "isoflop"}, "at least one of its flops"),
        ({"design": "hexagon"}, "design"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"seeds": (-1,)}, "seed"),
        ({"seeds": tuple(range(900))}, "cells"),
    ],
)
def test_what_cannot_be_is_said(changes, part):
    with pytest.raises(UserError, match=part):
        sweep_config(**changes)


def test_cells_follow_the_largest_last():
    grid = cells(sweep_config(sizes=((32, 1), (8, 1), (16, 2))))
    sizes = [cell.parameters_without_embeddings for cell in grid]
    assert all(first <= second for first, second in pairwise(sizes))
