"""The shipped runs with and without residual connections and norms, and how a damaged file is refused."""

import dataclasses
import json
import math

import pytest
import torch

from playground.errors import UserError
from playground.tasks.registry import task_kind_of
from playground.training import train
from playground.training.presets import no_residuals
from playground.training.residual_study import describe_residual_study, read_residual_study


def test_the_preset_stands_still_and_the_others_do_not():
    study = read_residual_study()
    guess = math.log(study.vocabulary)
    alone = study.run(residual=False, norm=False).losses
    assert len(alone) == no_residuals().steps
    assert max(abs(loss - guess) for loss in alone) < 0.01
    both = study.run(residual=True, norm=True).losses
    assert both[-1] < 0.2 < study.run(residual=True, norm=False).losses[-1] < both[0]
    assert study.run(residual=False, norm=True).losses[-1] > 2
    assert f"{alone[-1]:.2f} without either" in str(describe_residual_study(study))


def test_the_first_steps_are_trained_again():
    """The same config and seed give the same losses, here as where they were measured."""
    torch.set_num_threads(1)
    study, base = read_residual_study(), no_residuals()
    for run in (study.run(residual=True, norm=True), study.run(residual=False, norm=False)):
        model = dataclasses.replace(base.model, residual=run.residual, norm=run.norm)
        config = dataclasses.replace(base, model=model)
        steps = train(config, task_kind_of(config.task).prepare(config.task))
        losses = [next(steps).loss for _step in range(3)]
        assert losses == pytest.approx(run.losses[:3], abs=2e-3)


@pytest.mark.parametrize("text", ["", "{}", '{"runs": 3}', '{"runs": [{"residual": true}]}'])
def test_a_damaged_file_is_refused(tmp_path, text):
    path = tmp_path / "residuals.json"
    path.write_text(text)
    with pytest.raises(UserError, match="benchmarks"):
        read_residual_study(path)
    with pytest.raises(UserError, match="benchmarks"):
        read_residual_study(tmp_path / "missing.json")


def test_a_study_without_a_run_is_refused(tmp_path):
    path = tmp_path / "residuals.json"
    values = {"runs": [], "seed": 0, "model": {"layers": 2, "vocabulary": 9}, "versions": {"torch": "2"}}
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match="lacks a run"):
        read_residual_study(path).run(residual=True, norm=True)
