"""A run on disk: what it holds, how it goes on, and what it says when it cannot."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from playground.errors import UserError
from playground.tasks.task import TextSample
from playground.tasks.text import TextTask
from playground.training import train
from playground.training.run import paths, session
from playground.training.run.checkpoints import latest_state, write_checkpoint
from playground.training.run.folder import open_task, read_train_config, run
from playground.training.run.paths import checkpoint_folders as checkpoints_of
from playground.training.run.paths import frame_files
from playground.training.run.status import read_status
from playground.training.trainer import start_state
from tests.helpers.full_disk import FAILURES, FULL, fill_disk
from tests.helpers.small_training import TEXT, task_of
from tests.helpers.small_training import train_config as small_config

torch.set_num_threads(1)
OF_THIS_TIME = {"status.json"}


def train_config(folder: Path, shape: dict | None = None, **changes):
    """Six steps with a checkpoint at every second one."""
    return small_config(folder, shape, **{"checkpoint_every": 2, "frames": 4, **changes})


def finished(config, folder: Path) -> Path:
    list(run(config, folder))
    return folder


def stopped_after(config, folder: Path, steps: int) -> Path:
    """A run whose consumer went away."""
    stream = run(config, folder)
    for _ in range(steps):
        next(stream)
    stream.close()
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".npz" and path.name not in OF_THIS_TIME
    } | {str(path.relative_to(folder)): film_of(path) for path in frame_files(folder)}


def film_of(path: Path) -> bytes:
    """A frame's arrays, without the time that the archive notes."""
    with np.load(path) as arrays:
        return b"".join(name.encode() + arrays[name].tobytes() for name in sorted(arrays))


def steps_of(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text(encoding="utf-8").split("\n") if line]


# What a run leaves


def test_a_finished_run_holds_what_it_promises(tmp_path):
    config = train_config(tmp_path)
    folder = finished(config, tmp_path / "run")
    assert read_train_config(folder / "config.json") == config
    assert steps_of(folder / "metrics.jsonl") == [1, 2, 3, 4, 5, 6]
    assert steps_of(folder / "samples.jsonl") == [3, 6]
    status = read_status(folder)
    assert (status.state, status.step, status.checkpoint, status.message) == ("finished", 6, 6, "")
    assert [path.name for path in checkpoints_of(folder)] == ["000000", "000002", "000004", "000006"]
    assert [path.stem for path in frame_files(folder)] == ["000000", "000001", "000006"]
    assert not list(folder.rglob("*.part"))
    assert not (folder / ".reserve").exists()


def test_the_folder_says_what_the_iterator_said(tmp_path):
    config = train_config(tmp_path)
    expected = list(train(config, task_of(config)))
    assert list(run(config, tmp_path / "run")) == expected
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [dataclasses.asdict(step) for step in expected]


@pytest.mark.parametrize("tied", [True, False])
def test_a_checkpoint_holds_every_weight_once_and_comes_back_whole(tmp_path, tied):
    config = train_config(tmp_path, {"tied": tied, "norm": "layer", "feed_forward": "gelu"})
    state = start_state(config)
    list(train(config, task_of(config), state=state))
    write_checkpoint(tmp_path, state, task_of(config).tokenizer)
    names = set(load_file(tmp_path / "snapshots/000006/model.safetensors"))
    assert names == {name for name, _ in state.model.named_parameters()}
    again = latest_state(config, tmp_path)
    assert again.step == 6
    expected = dict(state.model.named_parameters())
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again.model.named_parameters())
    before, after = state.optimizer.state_dict()["state"], again.optimizer.state_dict()["state"]
    assert before.keys() == after.keys()
    assert all(torch.equal(before[i][name], after[i][name]) for i in before for name in before[i])


# Going on


@pytest.mark.parametrize("done", [1, 2, 3, 5, 6])
def test_a_run_that_was_stopped_ends_bit_for_bit_like_one_that_was_not(tmp_path, done):
    config = train_config(tmp_path, {"norm": "layer", "feed_forward": "gelu", "positions": "learned"})
    whole = finished(config, tmp_path / "whole")
    parted = stopped_after(config, tmp_path / "parted", done)
    finished(config, parted)
    assert content(parted) == content(whole)


def test_a_finished_run_is_left_as_it_is(tmp_path):
    config = train_config(tmp_path)
    folder = finished(config, tmp_path / "run")
    before = content(folder)
    assert list(run(config, folder)) == []
    assert content(folder) == before


def test_a_run_goes_on_without_its_text(tmp_path):
    config = train_config(tmp_path)
    folder = stopped_after(config, tmp_path / "run", 3)
    Path(config.task.sources[0]).unlink()
    assert [step.step for step in run(config, folder)] == [3, 4, 5, 6]


def test_what_a_kill_left_half_written_is_passed_over(tmp_path):
    """Half a checkpoint, half a line of metrics, half a character of a sample."""
    config = train_config(tmp_path)
    whole = finished(config, tmp_path / "whole")
    folder = stopped_after(config, tmp_path / "run", 3)
    (folder / "snapshots" / "000004.part").mkdir()
    (folder / "snapshots" / "000004.part" / "model.safetensors").write_bytes(b"\x10\x00")
    (folder / "status.json.part").write_text('{"state"')
    with (folder / "metrics.jsonl").open("ab") as metrics:
        metrics.write(b'{"step": 4, "lo')
    with (folder / "samples.jsonl").open("ab") as samples:
        samples.write('{"step": 3, "text": "caf\u00e9'.encode()[:-1])
    finished(config, folder)
    assert content(folder) == content(whole)


def test_a_sample_with_a_line_separator_in_it_survives_resuming(tmp_path, monkeypatch):
    config = train_config(tmp_path, evaluate_every=1)
    sample = TextSample(prompt="", text="a\u2028b\x85c")
    monkeypatch.setattr(TextTask, "samples", lambda *_: [sample])
    folder = stopped_after(config, tmp_path / "run", 5)
    finished(config, folder)
    lines = (folder / "samples.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line) for line in lines if line] == [
        {"step": n, "samples": [dataclasses.asdict(sample)]} for n in range(1, 7)
    ]


def test_a_kill_while_the_metrics_are_cut_loses_none_of_them(tmp_path, monkeypatch):
    """The rewritten file is moved into place whole: stop at the moment of the move."""
    config = train_config(tmp_path)
    folder = stopped_after(config, tmp_path / "run", 5)
    before = (folder / "metrics.jsonl").read_bytes()

    replace = paths.os.replace

    def stop(source, target):
        if Path(target).name == "metrics.jsonl":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(paths.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        next(run(config, folder))
    assert (folder / "metrics.jsonl").read_bytes() == before


def test_checkpoints_are_in_the_order_of_their_numbers(tmp_path):
    for name in ("999999", "1000000", "000500", "1000001.part"):
        (tmp_path / "snapshots" / name).mkdir(parents=True)
    assert [path.name for path in checkpoints_of(tmp_path)] == ["000500", "999999", "1000000"]


# A full disk


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("which", ["model.safetensors", "optimizer.safetensors"])
def test_a_full_disk_gives_a_sentence_and_keeps_the_last_checkpoint(tmp_path, monkeypatch, failure, which):
    config = train_config(tmp_path)
    whole = finished(config, tmp_path / "whole")
    folder = tmp_path / "run"

    fill_disk(monkeypatch, which, failure)
    with pytest.raises(UserError, match=r"checkpoint of step 4 .*No space left on device.*Make room"):
        finished(config, folder)
    assert sorted(path.name for path in (folder / "snapshots").iterdir()) == ["000000", "000002"]
    assert latest_state(config, folder).step == 2
    status = read_status(folder)
    assert (status.state, status.checkpoint, status.step) == ("failed", 2, 4)
    monkeypatch.undo()
    assert [step.step for step in run(config, folder)] == [3, 4, 5, 6]
    assert content(folder) == content(whole)


def test_a_disk_that_is_full_elsewhere_gives_a_sentence_too(tmp_path, monkeypatch):
    def full(*_):
        raise FULL

    monkeypatch.setattr(session, "append_samples", full)
    with pytest.raises(UserError, match="cannot be read or written: No space left on device"):
        finished(train_config(tmp_path), tmp_path / "run")


def test_an_error_of_the_consumer_is_left_alone(tmp_path):
    def consume() -> None:
        for _ in run(train_config(tmp_path), tmp_path / "run"):
            raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        consume()


# Refusals


def test_a_folder_with_another_run_is_refused_and_left_as_it_is(tmp_path):
    folder = finished(train_config(tmp_path), tmp_path / "run")
    before = content(folder)
    with pytest.raises(UserError, match="another configuration; choose a new folder"):
        finished(train_config(tmp_path, learning_rate=0.02), folder)
    assert content(folder) == before


def test_a_refused_text_leaves_the_folder_free(tmp_path):
    with pytest.raises(UserError, match="or a longer text"):
        finished(train_config(tmp_path, {"context": 2000}), tmp_path / "run")
    assert len(list(run(train_config(tmp_path), tmp_path / "run"))) == 6


@pytest.mark.parametrize(
    ("name", "damage", "sentence"),
    [
        ("config.json", b'{"task": ', "is not JSON"),
        ("config.json", b"\xff\xfe", "is not UTF-8"),
        ("config.json", b'{"steps": 4}', "lacks the field 'task'"),
        ("config.json", b"[]", "wrong kind"),
        ("tokenizer.json", b"{}", "is damaged"),
        ("tokenizer.json", b"\xff", "is damaged"),
        ("tokens.npz", b"PK\x03\x04", "is damaged"),
        ("tokens.npz", b"", "is damaged"),
        ("snapshots/000006/model.safetensors", b"\x00", "remove it to resume from the one before"),
        ("snapshots/000006/resume/optimizer.safetensors", b"", "remove it to resume from the one before"),
    ],
)
def test_a_damaged_file_gives_a_sentence(tmp_path, name, damage, sentence):
    config = train_config(tmp_path)
    folder = finished(config, tmp_path / "run")
    (folder / name).write_bytes(damage)
    with pytest.raises(UserError, match=sentence):
        finished(config, folder)


@pytest.mark.parametrize("name", ["tokens.npz", "tokenizer.json", "snapshots/000006/model.safetensors"])
def test_a_file_that_is_gone_gives_a_sentence(tmp_path, name):
    config = train_config(tmp_path)
    folder = finished(config, tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(UserError):
        finished(config, folder)


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    config = train_config(tmp_path)
    folder = finished(config, tmp_path / "run")
    other = train_config(tmp_path, {"width": 8})
    with pytest.raises(UserError, match="remove it"):
        latest_state(other, folder)


def test_opening_gives_the_same_task_both_times(tmp_path):
    config = train_config(tmp_path)
    first, again = (open_task(config, tmp_path / "run") for _ in range(2))
    assert (first.train_ids == again.train_ids).all()
    assert (first.held_out_ids == again.held_out_ids).all()
    assert first.held_out_bytes == again.held_out_bytes
    assert first.tokenizer.to_str() == again.tokenizer.to_str()
    assert first.train_ids.dtype == again.train_ids.dtype
    assert len(first.train_ids) + len(first.held_out_ids) == len(TEXT.strip())
