"""The record of a run: what it refuses, and that it survives a file."""

import json

import pytest

from playground.errors import UserError
from playground.tasks.text import TextTaskConfig
from playground.training import TrainConfig
from playground.transformer import TransformerConfig

TASK = TextTaskConfig(sources=("a.txt", "b.zip"), repeats=0.25)
MODEL = TransformerConfig(vocabulary=4096, key_value_heads=2, norm="layer")


def test_the_record_survives_a_file():
    config = TrainConfig(task=TASK, model=MODEL, schedule="linear", betas=(0.8, 0.95), seed=7)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": -5}, "steps is -5"),
        ({"steps": 10.5, "warm_up": 0}, "steps is 10.5"),
        ({"batch": 0}, "batch is 0"),
        ({"evaluate_every": 0}, "evaluate_every is 0"),
        ({"evaluate_rows": 0}, "evaluate_rows is 0"),
        ({"warm_up": -1}, "warm_up is -1"),
        ({"warm_up": 11, "steps": 10}, "warm-up of 11 steps is longer than the run of 10"),
        ({"seed": -1}, "seed is -1"),
        ({"learning_rate": 0.0}, "learning rate of 0.0"),
        ({"learning_rate": 2.0}, "learning rate of 2.0"),
        ({"learning_rate": float("nan")}, "learning rate of nan"),
        ({"final_learning_rate": -0.1}, "final learning rate of -0.1"),
        ({"final_learning_rate": float("nan")}, "final learning rate of nan"),
        ({"clip": 0.0}, "clipped at 0.0"),
        ({"clip": float("nan")}, "clipped at nan"),
        ({"weight_decay": -0.1}, "weight decay of -0.1"),
        ({"weight_decay": float("inf")}, "weight decay of inf"),
        ({"betas": (0.9, 1.0)}, "betas are"),
        ({"betas": (0.9,)}, "betas are"),
        ({"betas": [0.9, 0.99]}, "betas are"),
        ({"betas": ("a", 0.9)}, "betas are"),
        ({"seed": 2**63}, "seed is"),
        ({"accumulation": 0}, "accumulation is 0"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0"),
        ({"frames": -1}, "frames is -1"),
        ({"optimizer": "adam"}, "adamw, sgd or muon"),
        ({"precision": "float16"}, "float32 or bfloat16"),
        ({"device": "tpu"}, "auto, cpu, cuda or mps"),
        ({"precision": "bfloat16", "device": "cpu"}, "two to three times slower"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; it must be a number"),
        ({"clip": None}, "clip is None; it must be a number"),
        ({"weight_decay": True}, "weight_decay is True; it must be a number"),
        ({"schedule": "exponential"}, "cosine, linear, stable-decay or constant"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TrainConfig(task=TASK, model=MODEL, **changes)


def values_without(*path: str) -> dict:
    values = json.loads(json.dumps(TrainConfig(task=TASK, model=MODEL).to_dict()))
    inner = values
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return values


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (("task",), "task"),
        (("model",), "model"),
        (("task", "sources"), "Name at least one text file"),
        (("model", "vocabulary"), "vocabulary"),
    ],
)
def test_a_missing_field_is_named(path, sentence):
    with pytest.raises(UserError, match=sentence):
        TrainConfig.from_dict(values_without(*path))


def test_what_has_a_default_may_be_left_out():
    assert TrainConfig.from_dict(values_without("betas")) == TrainConfig(task=TASK, model=MODEL)
    assert TrainConfig.from_dict(values_without("model", "norm")).model.norm == "rms"


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (None, "momentum", 0.9),
        ("task", "language", "en"),
        ("model", "experts", 2),
        ("model", "width", "128"),
        ("task", "held_out", "a lot"),
        ("task", "sources", "text.txt"),
        (None, "task", 3),
        (None, "model", []),
        (None, "betas", 0.9),
        (None, "learning_rate", None),
        (None, "steps", "many"),
    ],
)
def test_a_field_that_is_unknown_or_of_the_wrong_kind_is_refused(place, name, value):
    values = json.loads(json.dumps(TrainConfig(task=TASK, model=MODEL).to_dict()))
    (values if place is None else values[place])[name] = value
    with pytest.raises(UserError):
        TrainConfig.from_dict(values)


@pytest.mark.parametrize("values", [[], 3, None, "text"])
def test_something_that_is_no_record_is_refused(values):
    with pytest.raises(UserError):
        TrainConfig.from_dict(values)
