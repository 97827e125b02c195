"""Which losses stand on one axis."""

from pathlib import Path

from playground.training.run.comparable_runs import loss_basis, split_comparable
from playground.training.run.runs import Run
from playground.training.run.status import Status


def run(name: str, task: dict, *, vocabulary: int = 10, **model: int) -> Run:
    config = {"task": task, "model": {"kind": "decoder", "vocabulary": vocabulary, "classes": 0, **model}}
    return Run(id=name, folder=Path(name), name=name, task=task["name"], config=config, status=Status(), created=0.0)


TEXT = {"name": "text", "text": "a b", "repeats": 0.0}


def test_size_and_training_mixture_leave_losses_comparable():
    wide, mixed = run("wide", TEXT, width=64), run("mixed", {**TEXT, "repeats": 0.5})
    assert loss_basis(wide.config) == loss_basis(mixed.config)
    assert split_comparable([wide, mixed]) == ([wide, mixed], [])


def test_another_text_task_or_vocabulary_is_left_out():
    first, second = run("first", TEXT), run("second", TEXT, width=8)
    other_text, other_task = run("third", {**TEXT, "text": "c"}), run("fourth", {"name": "tales"})
    larger = run("fifth", TEXT, vocabulary=11)
    kept, left_out = split_comparable([other_task, first, larger, second, other_text])
    assert kept == [first, second]
    assert left_out == [other_task, larger, other_text]


def test_of_two_that_differ_the_first_is_kept_and_of_none_none():
    first, second = run("first", TEXT), run("second", {"name": "tales"})
    assert split_comparable([first, second]) == ([first], [second])
    assert split_comparable([]) == ([], [])
