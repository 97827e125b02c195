"""A session: commands between two steps, bounds, and that whatever a hand does is repeatable."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from playground.errors import UserError
from playground.training.optimizers import learning_rate
from playground.training.run.checkpoints import latest_state
from playground.training.run.control import Command, read_rates, send
from playground.training.run.folder import run
from playground.training.run.limits import RunLimits
from playground.training.run.metrics import read_metrics
from playground.training.run.paths import bytes_in, checkpoint_steps, frame_files
from playground.training.run.status import read_status
from playground.training.trainer import model_tensors, start_state, train
from tests.helpers.small_training import task_of
from tests.helpers.small_training import train_config as small_config

torch.set_num_threads(1)


def train_config(folder, **changes):
    return small_config(folder, **{"steps": 10, "checkpoint_every": 4, "frames": 4, "evaluate_every": 100, **changes})


def after(asks: int):
    """An interruption that comes when it has been asked for so many times: it leads out of a pause."""
    left = [asks]

    def reason() -> str | None:
        left[0] -= 1
        return "the test is over" if left[0] < 0 else None

    return reason


def weights(config, folder) -> dict[str, torch.Tensor]:
    return model_tensors(latest_state(config, folder).model)


def is_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_paused_run_takes_as_many_steps_as_it_is_told(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    stream = run(config, folder, interruption=after(20))
    assert next(stream).step == 1
    send(folder, Command(action="pause"))
    send(folder, Command(action="step", steps=2))
    send(folder, Command(action="step"))
    assert [step.step for step in stream] == [2, 3, 4]
    status = read_status(folder)
    assert (status.state, status.step, status.checkpoint) == ("interrupted", 4, 4)
    assert status.message == "The run was interrupted after step 4: the test is over."
    assert sorted(path.name for path in (folder / "snapshots").iterdir()) == ["000000", "000001", "000004"]


def test_a_pause_gives_its_slot_back_after_a_while_and_the_run_goes_on_later(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    stream = run(config, folder, limits=RunLimits(paused_seconds=0.0), interruption=after(1000))
    assert next(stream).step == 1
    send(folder, Command(action="pause"))
    assert list(stream) == []
    status = read_status(folder)
    assert (status.state, status.checkpoint) == ("stopped", 1)
    assert "so that others got its slot; it can be resumed" in status.message
    assert [step.step for step in run(config, folder)][:2] == [2, 3]


def test_a_changed_rate_is_in_the_metrics_and_survives_a_kill_before_the_next_checkpoint(tmp_path):
    """The change comes at step 6, the only checkpoint to go on from is that of step 4."""
    config, folder = train_config(tmp_path), tmp_path / "run"
    stream = run(config, folder)
    for _ in range(5):
        next(stream)
    send(folder, Command(action="rate", factor=0.5))
    next(stream)
    stream.close()
    assert read_rates(folder) == [(6, 0.5)]
    assert [step.step for step in run(config, folder)] == [5, 6, 7, 8, 9, 10]
    rates = read_metrics(folder)[0].columns["learning_rate"]
    expected = [learning_rate(config, step) * (0.5 if step >= 6 else 1) for step in range(1, 11)]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_rewinding_forgets_what_came_and_the_same_comes_again(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    list(run(config, tmp_path / "whole"))
    stream = run(config, folder)
    for _ in range(5):
        next(stream)
    send(folder, Command(action="rate", factor=3.0))
    next(stream)
    for action in ("rewind", "resume"):
        send(folder, Command(action=action))
    assert [step.step for step in stream] == list(range(1, 11))
    assert (folder / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()
    assert is_same(weights(config, folder), weights(config, tmp_path / "whole"))
    assert [path.name for path in frame_files(folder)] == [path.name for path in frame_files(tmp_path / "whole")]


def test_a_command_is_not_repeated_by_the_next_sitting(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    stream = run(config, folder)
    next(stream)
    send(folder, Command(action="stop"))
    assert list(stream) == []
    assert read_status(folder).message == "The run was stopped after step 1; it can be resumed from there."
    assert [step.step for step in run(config, folder)] == list(range(2, 11))
    assert read_status(folder).state == "finished"


def test_a_checkpoint_on_demand_holds_the_weights_of_its_step(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    stream = run(config, folder)
    next(stream)
    send(folder, Command(action="checkpoint"))
    list(stream)
    assert checkpoint_steps(folder) == (0, 1, 4, 8, 10)
    state = start_state(config)
    next(train(config, task_of(config), state=state))
    saved = load_file(folder / "snapshots" / "000001" / "model.safetensors")
    assert is_same(saved, model_tensors(state.model))
    assert read_status(folder).checkpoint == 10


def test_a_run_stops_when_its_time_is_over_and_says_so(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    assert [step.step for step in run(config, folder, limits=RunLimits(seconds=0.0))] == [1]
    status = read_status(folder)
    assert (status.state, status.checkpoint) == ("stopped", 1)
    assert status.message.startswith(
        "The run was stopped after step 1: its 0 minutes are over. Open its last checkpoint"
    )


def test_checkpoints_are_thinned_before_the_folder_is_full(tmp_path):
    """The first and the last stay, and the folder keeps within its bound."""
    config = train_config(tmp_path, steps=40, checkpoint_every=2, frames=0)
    list(run(config, tmp_path / "whole"))
    size = bytes_in(tmp_path / "whole" / "snapshots" / "000002")
    bound = bytes_in(tmp_path / "whole") - 12 * size
    list(run(config, tmp_path / "run", limits=RunLimits(disk_bytes=bound)))
    names = [int(path.name) for path in sorted((tmp_path / "run" / "snapshots").iterdir())]
    assert (names[0], names[-1]) == (0, 40)
    assert 3 <= len(names) <= 9
    assert bytes_in(tmp_path / "run") <= bound
    assert is_same(weights(config, tmp_path / "run"), weights(config, tmp_path / "whole"))


def test_a_run_that_cannot_keep_within_its_disk_stops_with_a_sentence(tmp_path):
    config, folder = train_config(tmp_path), tmp_path / "run"
    with pytest.raises(UserError, match=r"after step 0: its folder may not grow beyond 0 MB"):
        list(run(config, folder, limits=RunLimits(disk_bytes=20_000)))
    assert read_status(folder).state == "stopped"


def test_a_deleted_folder_ends_the_run_and_does_not_come_back(tmp_path):
    import shutil

    config, folder = train_config(tmp_path), tmp_path / "run"
    stream = run(config, folder)
    next(stream)
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="was deleted, so the run has ended"):
        list(stream)
    assert not folder.exists()


def test_a_folder_at_which_another_process_is_at_work_is_refused(tmp_path):
    import os

    from playground.training.run.status import Status, birth_of, write_status

    config, folder = train_config(tmp_path), tmp_path / "run"
    folder.mkdir()
    parent = os.getppid()
    write_status(folder, Status(state="running", pid=parent, born=birth_of(parent)))
    with pytest.raises(UserError, match=f"Process {parent} is training into"):
        next(run(config, folder))
    assert json.loads((folder / "status.json").read_text())["pid"] == parent


def test_metrics_are_on_disk_soon_after_a_step(tmp_path, monkeypatch):
    from playground.training.run import metrics

    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.0)
    config, folder = train_config(tmp_path), tmp_path / "run"
    for step in run(config, folder):
        assert read_metrics(folder)[0].columns["step"][-1] == step.step


def test_the_first_step_is_written_down_at_once(tmp_path):
    steps = run(small_config(tmp_path), tmp_path / "run")
    next(steps)
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 1
