"""Forks: what may change, what must stay, and that an unchanged fork ends like its parent."""

import dataclasses

import pytest
import torch

from playground.errors import UserError
from playground.tasks.registry import TASKS
from playground.training.presets import PRESETS
from playground.training.run.checkpoints import latest_state
from playground.training.run.film import frame_steps
from playground.training.run.folder import read_train_config, run
from playground.training.run.lineage import FIXED_IN_TASK, fork, new_run_id
from playground.training.run.metrics import read_metrics
from playground.training.run.paths import checkpoint_steps
from playground.training.run.runs import read_run
from playground.training.run.status import read_status
from playground.training.trainer import model_tensors
from tests.helpers.small_training import task_config, train_config

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    list(run(config_of(root), root / "parent"))
    return root


def config_of(root, shape=None, **changes):
    return train_config(root, shape, **{"checkpoint_every": 2, "frames": 4, **changes})


def test_an_unchanged_fork_ends_bit_for_bit_like_its_parent(root):
    config = config_of(root)
    new = fork(root, "parent", 2, config, name="again")
    assert checkpoint_steps(root / new) == (2,)
    assert list(read_metrics(root / new)[0].columns["step"]) == [1, 2]
    assert (read_run(root / new).name, read_run(root / new).parent) == ("again", ("parent", 2))
    assert [step.step for step in run(config, root / new)] == [3, 4, 5, 6]
    assert (root / new / "metrics.jsonl").read_bytes() == (root / "parent" / "metrics.jsonl").read_bytes()
    weights = [model_tensors(latest_state(config, root / name).model) for name in ("parent", new)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert frame_steps(root / new) == frame_steps(root / "parent")


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 9},
        {"learning_rate": 0.05, "schedule": "constant", "seed": 5},
        {"optimizer": "sgd"},
        {"optimizer": "muon", "batch": 3, "accumulation": 2},
        {"evaluate_every": 1, "frames": 0, "clip": 0.1},
    ],
)
def test_everything_but_the_weights_may_change(root, changes):
    config = config_of(root, **changes)
    new = fork(root, "parent", 4, config, name="changed")
    steps = [step.step for step in run(config, root / new)]
    assert steps == list(range(5, config.steps + 1))
    assert read_train_config(root / new / "config.json") == config


def test_dropout_may_change_too(root):
    config = config_of(root, {"dropout": 0.2})
    new = fork(root, "parent", 4, config, name="dropout")
    assert len(list(run(config, root / new))) == 2


def test_the_shape_of_the_weights_stays_and_the_error_knows_what_would_change(root):
    with pytest.raises(UserError, match="the model keeps its shape") as caught:
        fork(root, "parent", 2, config_of(root, {"width": 32, "n_heads": 4}), name="wider")
    assert caught.value.values["fields"] == ["n_heads", "width"]


CHANGES = {
    "text": {"repeats": 0.5, "copying_first": 3, "copying_rows": 7, "copying_beside": 2},
    "tales": {"exponent": 0.3},
    "masked": {"mask_share": 0.3, "row_length": 12, "class_weight": 0.2},
    "classification": {},
    "translation": {"exponent": 0.1},
    "induction": {"shortest": 4, "counted": "repeats"},
    "rewriting": {"operation": "sort", "shortest": 3},
    "addition": {"answer_order": "units-first"},
    "modular": {"train_share": 0.6, "split": 3},
}
"""Another value of every field that a fork leaves free."""


@pytest.mark.parametrize("name", list(TASKS))
def test_what_a_fork_may_change_in_its_task_leaves_the_models_shape_alone(name):
    kind = TASKS[name]
    fields = {field.name for field in dataclasses.fields(kind.config)}
    assert fields - FIXED_IN_TASK == set(CHANGES[name])
    config = next(config for make in PRESETS.values() if type((config := make()).task) is kind.config)
    for field, value in CHANGES[name].items():
        needs = dataclasses.replace(config.task, **{field: value}).needs()
        assert needs.context <= config.model.context, field
        assert dataclasses.replace(needs, context=0) == dataclasses.replace(config.task.needs(), context=0), field


@pytest.mark.parametrize("name", ["tales", "translation", "induction", "rewriting", "addition", "modular"])
def test_what_a_fork_may_change_in_its_task_leaves_the_vocabulary_alone(name):
    kind = TASKS[name]
    base = next(config.task for make in PRESETS.values() if type((config := make()).task) is kind.config)
    vocabulary = kind.prepare(base).tokenizer.to_str()
    for field, value in CHANGES[name].items():
        assert kind.prepare(dataclasses.replace(base, **{field: value})).tokenizer.to_str() == vocabulary, field


def test_steps_and_checkpoints_have_to_be_there(root):
    with pytest.raises(UserError, match="no checkpoint of step 3"):
        fork(root, "parent", 3, config_of(root), name="between")
    with pytest.raises(UserError, match="starts after step 6; give it more steps"):
        fork(root, "parent", 6, config_of(root), name="at its end")
    with pytest.raises(UserError, match="no such run"):
        fork(root, "../parent", 2, config_of(root), name="outside")
    with pytest.raises(UserError, match="1 to 100 characters"):
        fork(root, "parent", 2, config_of(root), name="")
    assert not list(root.glob(".staging-*"))


def test_another_task_must_have_the_same_vocabulary(root, tmp_path):
    same = dataclasses.replace(config_of(root), task=task_config(root, repeats=0.5))
    new = fork(root, "parent", 2, same, name="another task")
    assert len(list(run(same, root / new))) == 4
    other_text = tmp_path / "text.txt"
    other_text.write_text("vexing quiz: why jump?\n" * 60)
    other = dataclasses.replace(config_of(root), task=task_config(root, sources=(str(other_text),)))
    new = fork(root, "parent", 2, other, name="other words")
    with pytest.raises(UserError, match="trained with another vocabulary"):
        list(run(other, root / new))
    assert read_status(root / new).state == "failed"


def test_ids_are_long_and_random():
    ids = {new_run_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(run_id) == 22 and run_id.isalnum() and run_id.isascii() for run_id in ids)
