"""The learning-rate finder: rates by hand, that nothing is touched, and that what it suggests learns well."""

import dataclasses

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.training import train
from playground.training.lr_finder import Trial, find_rate, suggested_rate
from playground.training.trainer import start_state
from tests.helpers.small_training import task_of, train_config

torch.set_num_threads(1)


def trials_of(*losses: float) -> list[Trial]:
    return [Trial(rate=10.0**index, loss=loss, smoothed=loss) for index, loss in enumerate(losses)]


def test_rates_rise_by_one_factor_and_the_smoothed_loss_is_the_mean_so_far(tmp_path):
    config = train_config(tmp_path)
    trials = list(find_rate(config, task_of(config), lowest=1e-5, highest=1e-3, steps=3))
    assert [trial.rate for trial in trials] == pytest.approx([1e-5, 1e-4, 1e-3])
    first, second = trials[0].loss, trials[1].loss
    assert trials[0].smoothed == pytest.approx(first)
    # Weights 0.09 and 0.1, of 0.19 in all.
    assert trials[1].smoothed == pytest.approx((0.09 * first + 0.1 * second) / 0.19)


def test_trying_leaves_a_running_training_as_it_was(tmp_path):
    config = train_config(tmp_path)
    task = task_of(config)
    whole = list(train(config, task))
    state = start_state(config)
    stream = train(config, task, state=state)
    first = [next(stream) for _ in range(3)]
    assert len(list(find_rate(config, task, state=state, steps=10))) > 1
    assert state.step == 3
    assert [*first, *stream] == whole


def test_it_ends_where_the_loss_runs_away(tmp_path):
    config = train_config(tmp_path, optimizer="sgd", clip=1e9)
    trials = list(find_rate(config, task_of(config), lowest=1e-3, highest=1e6, steps=60))
    assert len(trials) < 60
    assert np.isfinite([trial.loss for trial in trials]).all()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon"])
def test_what_it_suggests_learns_better_than_ten_times_less(tmp_path, optimizer):
    config = train_config(tmp_path, steps=60, warm_up=5, batch=4, optimizer=optimizer, final_learning_rate=0.0)
    task = task_of(config)
    rate = suggested_rate(list(find_rate(config, task, steps=80)))
    assert rate is not None
    found, less = (
        [step.loss for step in train(dataclasses.replace(config, learning_rate=chosen), task)][-10:]
        for chosen in (rate, rate / 10)
    )
    assert np.mean(found) < np.mean(less) - 0.1


def test_the_suggestion_by_hand():
    assert suggested_rate(trials_of(3.0, 2.0, 1.0, 4.0)) == pytest.approx(10.0)
    assert suggested_rate(trials_of(3.0, 3.0, 4.0)) is None
    assert suggested_rate([]) is None


@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 1.0), (1.0, 0.1), (0.1, 0.1)])
def test_rates_that_do_not_rise_are_refused(tmp_path, lowest, highest):
    config = train_config(tmp_path)
    with pytest.raises(UserError, match="do not rise"):
        next(find_rate(config, task_of(config), lowest=lowest, highest=highest))
