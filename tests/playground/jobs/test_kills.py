"""Kills at random moments: a run loses nothing beyond its last snapshot, and ends as one that was never killed.

`make kills` kills 500 times ($KILLS): two in three times a worker, else the server with all that it holds.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playground.models.loading import load
from playground.training.run.folder import run as train_into
from playground.training.run.metrics import last_recorded_step, read_metrics
from playground.training.run.paths import checkpoint_folders, checkpoint_steps, write_json
from playground.training.run.status import read_status
from tests.helpers.small_training import train_config
from tests.helpers.waiting import until

ROOT = Path(__file__).parents[3]
COUNT = int(os.environ.get("KILLS", "3"))
EVERY, STEPS = 40, min(1_000 + 400 * COUNT, 100_000)
SERVER = """
import sys, time
from pathlib import Path
from playground.jobs.executor import LocalExecutor
from playground.training.run.folder import read_train_config
from playground.training.run.runs import read_run
root = Path(sys.argv[1])
executor = LocalExecutor(root, slots=1)
name = sys.argv[3] if len(sys.argv) > 3 else executor.submit(read_train_config(Path(sys.argv[2])), name="killed")
print(name, flush=True)
while True:
    run = executor.read(name)
    if not run.status.is_live and run.status.state != "finished":
        executor.resume(name)
    time.sleep(0.05)
"""


@pytest.fixture
def start(tmp_path):
    """Start a server that starts a run, or goes on with one whenever it has ended early; also returns the run's folder.

    None outlives the test, however that ends.
    """
    servers = []

    def begin(*run_id: str) -> tuple[subprocess.Popen, Path]:
        command = [sys.executable, "-c", SERVER, str(tmp_path / "runs"), str(tmp_path / "config.json"), *run_id]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        servers.append(server)
        assert server.stdout is not None
        return server, tmp_path / "runs" / server.stdout.readline().strip()

    yield begin
    for server in servers:
        server.kill()
        server.wait()


def check(folder: Path) -> int:
    """What lies in a folder after a kill; returns the step up to which nothing is lost."""
    for checkpoint in checkpoint_folders(folder)[-2:]:
        assert load(str(checkpoint)).parameters > 0
    steps = read_metrics(folder)[0].columns["step"].tolist()
    assert steps == sorted(set(steps))
    kept = max(checkpoint_steps(folder), default=0)
    assert last_recorded_step(folder) - kept <= EVERY + 1
    return kept


def wait_beyond(folder: Path, step: int) -> None:
    until(lambda: read_status(folder).state == "running" and last_recorded_step(folder) > step, "a step")


def killed_worker(folder: Path) -> bool:
    """Kill the worker of a run; false if it has just ended by itself, as one does whose server was killed."""
    try:
        os.kill(read_status(folder).pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_is_not(tmp_path, start):
    config = train_config(
        tmp_path, steps=STEPS, checkpoint_every=EVERY, evaluate_every=10_000, frames=5, learning_rate=0.001
    )
    write_json(tmp_path / "config.json", config.to_dict())
    dice, kept = random.Random(COUNT), 0
    server, folder = start()
    for number in range(COUNT):
        wait_beyond(folder, kept)
        time.sleep(dice.uniform(0, 0.2))
        assert read_status(folder).state != "finished"
        if number % 3 == 2:
            server.kill()
        else:
            until(lambda: killed_worker(folder), "a worker to kill")
        after = check(folder)
        assert after >= kept
        kept = after
        if number % 3 == 2:
            server.wait()
            server, _folder = start(folder.name)
    while read_status(folder).state != "finished":
        time.sleep(0.05)
    server.kill()
    server.wait()
    whole = tmp_path / "whole"
    for _step in train_into(config, whole):
        pass
    last = checkpoint_folders(whole)[-1].name
    assert (folder / "snapshots" / last / "model.safetensors").read_bytes() == (
        whole / "snapshots" / last / "model.safetensors"
    ).read_bytes()
    assert (folder / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
