"""The learning rate of each step, by hand and by its invariants."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.tasks.text import TextTaskConfig
from playground.training import TrainConfig
from playground.training.optimizers import DECAYS, learning_rate
from playground.transformer import TransformerConfig


def config_of(**changes) -> TrainConfig:
    return TrainConfig(task=TextTaskConfig(sources=("a.txt",)), model=TransformerConfig(vocabulary=4096), **changes)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("cosine", {1: 0.25, 2: 0.5, 4: 1.0, 6: 0.882843, 8: 0.6, 10: 0.317157, 12: 0.2}),
        ("linear", {1: 0.25, 2: 0.5, 4: 1.0, 6: 0.8, 8: 0.6, 10: 0.4, 12: 0.2}),
        ("constant", {1: 0.25, 2: 0.5, 4: 1.0, 5: 1.0, 12: 1.0}),
    ],
)
def test_rates_by_hand(schedule, rates):
    """From 1 to 0.2 with 4 of 12 steps of warm-up: quarters up; then 8 steps down over a range of 0.8.

    Cosine: a quarter of the way is 0.2 + 0.8 * (1 + 0.707107) / 2 = 0.882843, half of it 0.2 + 0.4.
    """
    config = config_of(schedule=schedule, learning_rate=1.0, final_learning_rate=0.2, warm_up=4, steps=12)
    assert {step: learning_rate(config, step) for step in rates} == pytest.approx(rates, abs=1e-6)


def test_stable_decay_by_hand():
    """After 4 steps of warm-up 10 remain: 8 stay high, the last 2 go half of the way down each."""
    config = config_of(schedule="stable-decay", learning_rate=1.0, final_learning_rate=0.2, warm_up=4, steps=14)
    found = [learning_rate(config, step) for step in range(3, 15)]
    assert found == pytest.approx([0.75, *[1.0] * 9, 0.6, 0.2])


@pytest.mark.parametrize("schedule", DECAYS)
def test_a_run_that_is_all_warm_up_ends_at_the_top(schedule):
    config = config_of(schedule=schedule, learning_rate=0.5, warm_up=5, steps=5)
    assert [learning_rate(config, step) for step in range(1, 6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


@given(st.sampled_from(sorted(DECAYS)), st.integers(1, 200), st.data())
def test_the_rate_rises_over_the_warm_up_and_never_after(schedule, steps, data):
    warm_up = data.draw(st.integers(0, steps))
    highest = data.draw(st.floats(1e-4, 1.0))
    lowest = data.draw(st.floats(0, highest))
    config = config_of(
        schedule=schedule, learning_rate=highest, final_learning_rate=lowest, warm_up=warm_up, steps=steps
    )
    rates = [learning_rate(config, step) for step in range(1, steps + 1)]
    assert all(0 <= rate <= highest * (1 + 1e-9) for rate in rates)
    assert rates[:warm_up] == sorted(rates[:warm_up])
    falling = rates[max(0, warm_up - 1) :]
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(falling))
    if warm_up < steps:
        assert rates[-1] == pytest.approx(highest if schedule == "constant" else lowest)
