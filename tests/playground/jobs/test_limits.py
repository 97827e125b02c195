"""What a run may use: each limit refuses with what to change, however absurd the wish."""

import time

import pytest
import torch

from playground.errors import UserError
from playground.jobs.limits import Limits, check_limits
from tests.helpers.small_training import train_config

torch.set_num_threads(1)


def test_what_is_within_its_limits_passes(tmp_path):
    check_limits(train_config(tmp_path), Limits())
    check_limits(train_config(tmp_path, steps=6), Limits(steps=6))


@pytest.mark.parametrize(
    ("shape", "changes", "sentence"),
    [
        ({}, {"steps": 10**9}, "1,000,000,000 steps, and at most 100,000 are allowed here; choose fewer steps"),
        ({"layers": 1_000}, {}, "layers, and at most 64"),
        ({}, {"batch": 10**7}, "tokens in a step"),
        ({}, {"accumulation": 10**7}, "tokens in a step"),
        ({"context": 10**6}, {}, "tokens in a step"),
        ({"width": 65_536}, {}, "parameters, and at most"),
        ({"vocabulary": 10**6, "width": 1024}, {}, "parameters, and at most"),
        ({"hidden": 10**6}, {}, "parameters, and at most"),
        ({"width": 1024, "layers": 12}, {}, "parameters, and at most"),
    ],
)
def test_what_is_too_much_is_refused_at_once(tmp_path, shape, changes, sentence):
    config = train_config(tmp_path, shape, **changes)
    began = time.monotonic()
    with pytest.raises(UserError, match=sentence):
        check_limits(config, Limits())
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["steps", "minutes", "parameters", "layers", "tokens", "disk_bytes", "queued"])
def test_a_limit_is_more_than_nothing(name):
    with pytest.raises(UserError, match=f"limit {name} is 0"):
        Limits(**{name: 0})
