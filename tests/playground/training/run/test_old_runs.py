"""Runs from before the names of today: they open, are resumed bit for bit, and are forked."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from playground.training.run.control import Command, read_commands, read_rates
from playground.training.run.folder import read_train_config, run
from playground.training.run.lineage import fork
from playground.training.run.metrics import read_metrics
from playground.training.run.runs import read_run
from playground.training.run.status import read_status

torch.set_num_threads(1)
BEGUN = ("config.json", "rates.jsonl", "tokenizer.json", "tokens.npz", "prepared.json")
"""What of a run's folder a new run of the same settings begins with."""
DATA = Path(__file__).parents[3] / "data" / "before-renaming"


@pytest.fixture
def runs(tmp_path):
    return Path(shutil.copytree(DATA / "runs", tmp_path / "runs"))


def hashes(folder: Path) -> dict[str, str]:
    """Of the bytes of each tensor in a checkpoint."""
    return {
        name: hashlib.sha256(tensor.tobytes()).hexdigest()
        for name, tensor in load_file(folder / "model.safetensors").items()
    }


def run_anew(config, folder: Path, fresh: Path) -> Path:
    """A run with the settings and data of a folder, from its first step to its last."""
    fresh.mkdir()
    for file in (path for path in folder.iterdir() if path.name in BEGUN):
        shutil.copy(file, fresh / file.name)
    list(run(config, fresh))
    return fresh


def agree_halfway(folder: Path, other: Path) -> bool:
    """Whether two runs came to the very same weights at step 10."""
    ours, theirs = (hashes(run / "snapshots" / "000010") for run in (folder, other))
    return ours == theirs


def computes_alike(config, folder: Path) -> bool:
    """Whether torch and CPU here come to the very weights that were stored at step 10."""
    return agree_halfway(run_anew(config, folder, folder.parent / "alike"), folder)


def test_a_stopped_run_is_resumed_bit_for_bit(runs):
    folder, expected = runs / "stopped", json.loads((DATA / "expected.json").read_text())
    config = read_train_config(folder / "config.json")
    assert (config.checkpoint_every, config.model.n_heads, config.model.norm_position) == (10, 2, "pre")
    status = read_status(folder)
    assert (status.state, status.checkpoint, status.message_template) == ("stopped", 10, "")
    assert status.sentence == status.message == "The run was stopped after step 10; it can go on from there."
    assert read_rates(folder) == [(5, 0.5)]
    is_exact = expected["torch"] == torch.__version__ and computes_alike(config, folder)
    assert [step.step for step in run(config, folder)] == list(range(11, 21))
    losses = read_metrics(folder)[0].columns["loss"]
    np.testing.assert_allclose(losses, expected["stopped"]["losses"], rtol=1e-3)
    if not is_exact:
        pytest.skip("another torch or CPU rounds otherwise")
    assert losses.tolist() == expected["stopped"]["losses"]
    assert hashes(folder / "snapshots" / "000020") == expected["stopped"]["weights"]


def test_a_run_is_read_in_todays_names(runs):
    old = read_run(runs / "grouped")
    assert (old.name, old.status.state, old.status.checkpoint) == ("Grouped keys", "finished", 8)
    assert (old.config["model"]["n_heads"], old.config["model"]["norm_position"]) == (2, "pre")
    assert old.config["checkpoint_every"] == 4
    commands, _end = read_commands(runs / "grouped", 0)
    assert [command.action for command in commands] == ["rate", "checkpoint"]
    assert commands[0] == Command(action="rate", factor=0.5)


def test_a_run_is_forked_and_keeps_the_shape_of_its_weights(runs):
    config = read_train_config(runs / "grouped" / "config.json")
    longer = dataclasses.replace(config, steps=9)
    new = fork(runs, "grouped", 4, longer, name="fork")
    assert [step.step for step in run(longer, runs / new)] == [5, 6, 7, 8, 9]
    other = dataclasses.replace(longer, model=dataclasses.replace(config.model, n_heads=1, key_value_heads=None))
    with pytest.raises(ValueError, match="the model keeps its shape"):
        fork(runs, "grouped", 4, other, name="another shape")
