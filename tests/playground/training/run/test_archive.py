"""The .zip of a run: it loads, and repeats the run bit for bit."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from playground import load
from playground.errors import UserError
from playground.training.run import archive as module
from playground.training.run.archive import zip_run
from playground.training.run.control import write_rates
from playground.training.run.folder import run
from tests.helpers.small_training import train_config

torch.set_num_threads(1)
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    root = tmp_path_factory.mktemp("home")
    (root / "run").mkdir()
    write_rates(root / "run", [(1, 0.5), (4, 2.0)])
    list(run(train_config(root, checkpoint_every=3, frames=2), root / "run"))
    with zipfile.ZipFile(io.BytesIO(zip_run(root / "run"))) as archive:
        archive.extractall(root / "taken")
    return root / "taken"


def test_the_weights_load_like_any_model(unpacked):
    model = load(str(unpacked / "model"))
    assert (model.kind, model.layers, model.n_heads) == ("decoder", 1, 2)
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert names >= {"config.json", "metrics.jsonl", "samples.jsonl", "repeat.py", "README.md", "rates.jsonl"}
    assert "after step 6 of 6" in (unpacked / "README.md").read_text()


@pytest.mark.slow
def test_the_script_repeats_the_run_with_the_changes_of_its_rate(unpacked, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(unpacked / "repeat.py")]
    subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True)
    again = torch.load(tmp_path / "again.pt")
    taken = load_file(unpacked / "model" / "model.safetensors")
    assert all(torch.equal(tensor, again[name]) for name, tensor in taken.items())


def test_an_earlier_checkpoint_can_be_chosen_and_a_missing_one_cannot(unpacked):
    folder = unpacked.parent / "run"
    with zipfile.ZipFile(io.BytesIO(zip_run(folder, step=0))) as archive:
        assert json.loads(archive.read("model/config.json"))["width"] == 16
        early = archive.read("model/model.safetensors")
    assert early != (unpacked / "model" / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="no checkpoint to export"):
        zip_run(folder, step=1)


def test_a_run_that_is_too_large_is_not_packed(unpacked, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES_ZIPPED", 100)
    with pytest.raises(UserError, match="copy its folder"):
        zip_run(unpacked.parent / "run")
