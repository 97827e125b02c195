"""Runs in processes of their own: in order, under control, and through every kind of bad end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from playground.errors import UserError
from playground.jobs.executor import LocalExecutor
from playground.jobs.limits import Limits
from playground.training.run.control import Command, rate_at, read_rates, write_rates
from playground.training.run.folder import run
from playground.training.run.metrics import last_recorded_step, read_metrics
from playground.training.run.paths import checkpoint_steps
from playground.training.run.runs import list_runs, read_run
from playground.training.run.status import birth_of, read_status
from tests.helpers.small_training import train_config as small_config
from tests.helpers.waiting import until

torch.set_num_threads(1)
ROOT = Path(__file__).parents[3]


def train_config(folder: Path, steps: int = 50_000, **changes):
    """A run that lasts until it is ended, with steps as fast as they come."""
    defaults = {"checkpoint_every": 100, "evaluate_every": 10_000, "frames": 5}
    return small_config(folder, steps=steps, **{**defaults, **changes})


@pytest.fixture
def executor(tmp_path):
    executor = LocalExecutor(tmp_path / "runs", slots=1)
    yield executor
    executor.close()


def ends(folder: Path) -> bool:
    return not read_run(folder).status.is_live


def final_weights(folder: Path) -> bytes:
    return (sorted((folder / "snapshots").iterdir())[-1] / "model.safetensors").read_bytes()


# From submitting to the first step


@pytest.mark.slow
def test_the_first_step_of_a_run_comes_at_once_and_the_run_finishes(executor, tmp_path):
    assert executor.is_warm(60)
    began = time.monotonic()
    run_id = executor.submit(train_config(tmp_path, steps=30), name="  first\n run ")
    folder = tmp_path / "runs" / run_id
    until(lambda: last_recorded_step(folder) >= 1, "the first step")
    assert time.monotonic() - began < 5
    until(lambda: ends(folder), "the end")
    finished = read_run(folder)
    assert (finished.name, finished.task, finished.status.state, finished.status.step) == (
        "first run",
        "text",
        "finished",
        30,
    )
    assert len(run_id) >= 20
    assert run_id.isalnum()
    with pytest.raises(UserError, match="has finished; fork it"):
        executor.resume(run_id)


@pytest.mark.slow
def test_runs_wait_in_order_and_two_slots_work_at_once(tmp_path):
    executor = LocalExecutor(tmp_path / "runs", slots=2, limits=Limits(queued=2))
    try:
        ids = [executor.submit(train_config(tmp_path, seed=seed), name=f"run {seed}") for seed in range(4)]
        folders = [tmp_path / "runs" / run_id for run_id in ids]
        assert executor.waiting() == (ids[2], ids[3])
        assert [read_status(folder).position for folder in folders] == [None, None, 0, 1]
        with pytest.raises(UserError, match="The queue is full, of length 2"):
            executor.submit(train_config(tmp_path), name="one too many")
        until(lambda: all(last_recorded_step(folder) for folder in folders[:2]), "both")
        executor.cancel(ids[2])
        assert (read_status(folders[2]).state, read_status(folders[3]).position) == ("stopped", 0)
        with pytest.raises(UserError, match="still in the queue"):
            executor.control(ids[3], Command(action="pause"))
        executor.control(ids[0], Command(action="stop"))
        until(lambda: last_recorded_step(folders[3]), "the third")
        assert read_status(folders[0]).state == "stopped"
        assert last_recorded_step(folders[2]) == 0
        assert {run.id for run in list_runs(tmp_path / "runs")} == set(ids)
    finally:
        executor.close()
    states = [read_status(folder).state for folder in folders]
    assert states == ["stopped", "interrupted", "stopped", "interrupted"]
    assert checkpoint_steps(folders[1])[-1] == read_status(folders[1]).step == last_recorded_step(folders[1])


# Commands


@pytest.mark.slow
def test_pause_step_rate_resume_rewind_and_stop(executor, tmp_path):
    run_id = executor.submit(train_config(tmp_path), name="obedient")
    folder = tmp_path / "runs" / run_id

    def ask(action, **details):
        executor.control(run_id, Command(action=action, **details))

    def is_paused_at(step):
        status = read_status(folder)
        return status.state == "paused" and status.step == last_recorded_step(folder) == step

    until(lambda: last_recorded_step(folder) > 5)
    ask("pause")
    until(lambda: read_status(folder).state == "paused")
    paused = read_status(folder).step
    assert paused in checkpoint_steps(folder)
    ask("step", steps=3)
    until(lambda: is_paused_at(paused + 3), "three steps")
    ask("rate", factor=0.5)
    ask("step")
    until(lambda: is_paused_at(paused + 4), "one step")
    rates = read_metrics(folder)[0].columns["learning_rate"]
    assert rates[-1] == pytest.approx(rates[-2] / 2, rel=1e-3)
    assert read_rates(folder) == [(paused + 4, 0.5)]
    ask("resume")
    until(lambda: last_recorded_step(folder) > paused + 20)
    ask("rewind")
    until(lambda: read_status(folder).state == "paused")
    assert (last_recorded_step(folder), checkpoint_steps(folder), read_rates(folder)) == (0, (0,), [])
    ask("step", steps=2)
    until(lambda: is_paused_at(2), "two steps anew")
    ask("stop")
    until(lambda: ends(folder))
    assert read_status(folder).message == "The run was stopped after step 2; it can be resumed from there."
    with pytest.raises(UserError, match="not running"):
        ask("pause")
    ask("step")
    until(lambda: is_paused_at(3), "one more, by a new worker")


@pytest.mark.slow
def test_a_fork_goes_on_from_a_checkpoint_with_other_settings(executor, tmp_path):
    run_id = executor.submit(train_config(tmp_path, steps=20, checkpoint_every=10), name="parent")
    parent = tmp_path / "runs" / run_id
    until(lambda: ends(parent))
    longer = train_config(tmp_path, steps=40, checkpoint_every=10, optimizer="sgd", learning_rate=0.02)
    new = executor.fork(run_id, 10, longer, name="child")
    child = tmp_path / "runs" / new
    until(lambda: ends(child))
    assert read_run(child).status.state == "finished"
    assert read_run(child).parent == (run_id, 10)
    before, after = read_metrics(parent)[0].columns, read_metrics(child)[0].columns
    assert list(after["step"]) == list(range(1, 41))
    assert (before["loss"][:10] == after["loss"][:10]).all()
    assert before["loss"][11] != after["loss"][11]
    assert checkpoint_steps(child) == (10, 20, 30, 40)


# Bad ends


@pytest.mark.slow
def test_whoever_reads_a_run_whose_worker_was_just_killed_learns_the_reason(executor, tmp_path):
    run_id = executor.submit(train_config(tmp_path), name="killed")
    folder = tmp_path / "runs" / run_id
    until(lambda: last_recorded_step(folder) > 5)
    os.kill(read_status(folder).pid, signal.SIGKILL)
    while (lost := executor.read(run_id)).status.is_live:
        pass
    assert lost.status.state == "interrupted"
    assert "killed by signal 9" in lost.status.message


@pytest.mark.slow
def test_a_run_whose_worker_is_killed_ends_bit_for_bit_like_one_that_is_not(executor, tmp_path):
    config = train_config(tmp_path, steps=1000)
    run_id = executor.submit(config, name="killed")
    folder = tmp_path / "runs" / run_id
    until(lambda: last_recorded_step(folder) > 120)
    executor.control(run_id, Command(action="rate", factor=0.25))
    until(lambda: read_rates(folder))
    changed = read_rates(folder)[0][0]
    until(lambda: last_recorded_step(folder) > changed + 20)
    os.kill(read_status(folder).pid, signal.SIGKILL)
    until(lambda: not executor.working())
    status = read_status(folder)
    assert status.state == "interrupted"
    assert "killed by signal 9" in status.message
    assert f"It can be resumed from step {checkpoint_steps(folder)[-1]}." in status.message
    assert changed + 20 < status.step < 1000
    executor.resume(run_id)
    until(lambda: ends(folder))
    assert read_status(folder).state == "finished"
    whole = tmp_path / "whole"
    whole.mkdir()
    write_rates(whole, [(changed, 0.25)])
    list(run(config, whole))
    assert final_weights(folder) == final_weights(whole)
    assert (folder / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
    assert rate_at(read_rates(folder), changed) == 0.25


SERVER = """
import resource, sys, time
from pathlib import Path
from playground.jobs.executor import LocalExecutor
from playground.training.run.folder import read_train_config
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
executor = LocalExecutor(Path(sys.argv[1]), slots=2)
print(*(executor.submit(read_train_config(Path(sys.argv[2])), name=name) for name in "abc"), flush=True)
time.sleep(600)
"""


def start_server(tmp_path: Path, config, *more: str) -> tuple[subprocess.Popen, list[Path]]:
    """A process with an executor of two slots and three runs; returns it and the runs' folders."""
    from playground.training.run.paths import write_json

    write_json(tmp_path / "config.json", config.to_dict())
    command = [sys.executable, "-c", SERVER, str(tmp_path / "runs"), str(tmp_path / "config.json"), *more]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    return server, [tmp_path / "runs" / run_id for run_id in server.stdout.readline().split()]


@pytest.mark.slow
def test_workers_leave_with_a_checkpoint_when_the_server_is_killed(tmp_path):
    config = train_config(tmp_path, steps=2400)  # not through before the server is killed, on a busy machine either
    server, folders = start_server(tmp_path, config)
    until(lambda: all(last_recorded_step(folder) > 20 for folder in folders[:2]))
    pids = [read_status(folder).pid for folder in folders[:2]]
    server.kill()
    server.wait()
    assert until(lambda: not any(birth_of(pid) for pid in pids), "the workers to leave") < 10
    for folder in folders[:2]:
        status = read_status(folder)
        assert (status.state, status.checkpoint, status.step) == (
            "interrupted",
            status.step,
            last_recorded_step(folder),
        )
        assert status.message == f"The run was interrupted after step {status.step}: the server went away."
    assert read_run(folders[2]).status.state == "interrupted"
    again = LocalExecutor(tmp_path / "runs", slots=1)
    try:
        assert "while it waited: the server went away" in read_status(folders[2]).message
        again.resume(folders[0].name)
        until(lambda: ends(folders[0]))
    finally:
        again.close()
    list(run(config, tmp_path / "whole"))
    assert final_weights(folders[0]) == final_weights(tmp_path / "whole")
    assert (folders[0] / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_a_run_that_cannot_write_on_says_so_and_goes_on_when_it_can(tmp_path):
    """No file may pass 60 kB: the metrics do after some hundred steps, as on a disk that is full."""
    server, folders = start_server(tmp_path, train_config(tmp_path, steps=500), "60000")
    try:
        until(lambda: ends(folders[0]))
    finally:
        server.kill()
        server.wait()
    status = read_status(folders[0])
    assert status.state == "failed"
    assert "cannot be read or written: File too large" in status.message
    again = LocalExecutor(tmp_path / "runs", slots=1)
    try:
        again.resume(folders[0].name)
        until(lambda: ends(folders[0]))
    finally:
        again.close()
    assert read_status(folders[0]).state == "finished"
    assert list(read_metrics(folders[0])[0].columns["step"]) == list(range(1, 501))


@pytest.mark.slow
def test_a_deleted_run_ends_quietly_and_touches_nothing_else(executor, tmp_path):
    run_id = executor.submit(train_config(tmp_path), name="deleted")
    next_id = executor.submit(train_config(tmp_path, steps=10), name="next")
    until(lambda: last_recorded_step(tmp_path / "runs" / run_id) > 5)
    executor.delete(run_id)
    until(lambda: ends(tmp_path / "runs" / next_id), "the next run")
    assert read_status(tmp_path / "runs" / next_id).state == "finished"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [next_id]


@pytest.mark.slow
def test_a_run_that_is_refused_when_its_text_is_read_says_why(executor, tmp_path):
    config = train_config(tmp_path)
    Path(config.task.sources[0]).unlink()
    folder = tmp_path / "runs" / executor.submit(config, name="without text")
    until(lambda: ends(folder))
    status = read_status(folder)
    assert (status.state, status.step) == ("failed", 0)
    assert status.message.startswith("There is no file")


# Before anything is started


def test_slots_are_a_positive_number():
    with pytest.raises(UserError, match="slots"):
        LocalExecutor(Path("nowhere"), slots=0)


# A share for everybody


@pytest.mark.slow
def test_a_visitor_has_a_share_of_the_queue_and_a_full_disk_refuses_all(tmp_path):
    executor = LocalExecutor(tmp_path / "runs", slots=1, limits=Limits(runs_each=2))
    try:
        first = executor.submit(train_config(tmp_path), name="one", owner="anna")
        executor.submit(train_config(tmp_path), name="two", owner="anna")
        with pytest.raises(UserError, match="wait or train already: 2,"):
            executor.submit(train_config(tmp_path), name="three", owner="anna")
        executor.submit(train_config(tmp_path), name="other", owner="ben")
        executor.submit(train_config(tmp_path), name="nobody's")
        assert read_run(tmp_path / "runs" / first).owner == "anna"
    finally:
        executor.close()
    executor = LocalExecutor(tmp_path / "runs", slots=1, limits=Limits(all_bytes=10))
    try:
        with pytest.raises(UserError, match="no room for more runs"):
            executor.submit(train_config(tmp_path), name="four", owner="carl")
    finally:
        executor.close()


def test_a_run_that_does_not_fit_into_the_free_memory_is_refused_with_both_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("playground.jobs.executor.available_bytes", lambda: 2000)
    executor = LocalExecutor(tmp_path / "runs", slots=2)
    try:
        with pytest.raises(UserError, match=r"needs about .* GB, and 0\.0 GB are free"):
            executor.submit(train_config(tmp_path), name="large")
        assert list_runs(tmp_path / "runs") == []
    finally:
        executor.close()


@pytest.mark.slow
def test_a_long_pause_gives_the_slot_to_the_next_and_the_run_can_be_resumed(tmp_path):
    executor = LocalExecutor(tmp_path / "runs", slots=1, limits=Limits(paused_minutes=0.02))
    try:
        paused = executor.submit(train_config(tmp_path), name="paused")
        folder = tmp_path / "runs" / paused
        until(lambda: last_recorded_step(folder) >= 1, "the first step")
        executor.control(paused, Command(action="pause"))
        other = executor.submit(train_config(tmp_path), name="next")
        until(lambda: last_recorded_step(tmp_path / "runs" / other) >= 1, "the next run's first step")
        status = read_status(folder)
        assert (status.state, status.checkpoint) == ("stopped", status.step)
        assert "others got its slot" in status.message
        executor.delete(other)
        executor.control(paused, Command(action="step"))
        until(lambda: last_recorded_step(folder) == status.step + 1, "one more step")
    finally:
        executor.close()
