"""A sweep on a real Ray, started here on loopback with a folder of its own and ended again."""

import json
import os
import signal
import sys
import threading

import pytest

from benchmarks.browser import free_port
from playground.errors import UserError
from playground.jobs.executor import LocalExecutor
from playground.sweeps.folder import open_sweep, prepare_cell
from playground.sweeps.progress import read_sweep
from playground.sweeps.ray_executor import RayExecutor, connect
from playground.sweeps.sweep import run_sweep, start_sweep, stop_sweep, sweep_folder
from playground.training.run.status import read_status
from tests.helpers.ray_cluster import LOOPBACK, ray_cluster
from tests.helpers.small_sweep import sweep_config
from tests.helpers.waiting import until


@pytest.fixture(scope="module")
def address():
    """The address of a cluster of one node that says it has two CPUs and a GPU."""
    with ray_cluster() as running:
        yield running


@pytest.mark.slow
def test_a_killed_worker_on_the_cluster_is_replaced_and_nothing_is_lost(address, tmp_path):
    folder, killed, seen = tmp_path / "sweep", [], []
    config = sweep_config(tokens=(20_000, 40_000), sizes=((8, 1), (16, 1)))
    sweep = open_sweep(config, folder)
    victim = sweep.cells[0]

    def on_progress(progress):
        status = read_status(sweep.run_folder(victim))
        if not killed and status.state == "running" and status.step > 0:
            assert status.pid != os.getpid()
            seen.extend(view.state for view in read_sweep(folder).cells if view.cell.name == victim.name)
            os.kill(status.pid, signal.SIGKILL)
            killed.append(status.step)

    ending = run_sweep(config, folder, executor=RayExecutor(address), on_progress=on_progress)
    assert killed
    assert seen == ["running"]
    assert (ending.state, ending.done, ending.failed) == ("finished", 4, {})
    assert ending.retried == {victim.name: 1}
    lines = (sweep.run_folder(victim) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, victim.config.steps + 1))
    alone = run_sweep(config, tmp_path / "alone")
    assert alone.done == 4
    assert (tmp_path / "alone" / "points.csv").read_text() == (folder / "points.csv").read_text()


@pytest.mark.slow
def test_a_stopped_sweep_leaves_checkpoints_and_the_cluster_free(address, tmp_path):
    folder, free = tmp_path / "sweep", []
    config = sweep_config(tokens=(2_000_000,), sizes=((8, 1),))
    sweep = open_sweep(config, folder)
    (cell,) = sweep.cells

    def stop_when_running():
        until(lambda: read_status(sweep.run_folder(cell)).step > 0, "a step")
        free.append(sys.modules["ray"].available_resources())
        stop_sweep(folder)

    threading.Thread(target=stop_when_running).start()
    assert run_sweep(config, folder, executor=RayExecutor(address)).state == "stopped"
    # The one cell had the node's GPU: its device is auto.
    assert [(resources.get("CPU", 0), resources.get("GPU", 0)) for resources in free] == [(1, 0)]
    status = read_status(sweep.run_folder(cell))
    assert status.state == "stopped"
    assert status.checkpoint == status.step > 0


@pytest.mark.slow
def test_sweeps_of_the_page_share_one_connection_to_the_cluster(address, tmp_path):
    executor = LocalExecutor(tmp_path, slots=1)
    try:
        configs = [sweep_config(tokens=(512,), sizes=((8, 1),), seeds=(seed,)) for seed in (0, 1)]
        ids = [start_sweep(config, executor, ray=address) for config in configs]
        with pytest.raises(UserError, match="use that one"):
            start_sweep(configs[0], executor, ray=f"{LOOPBACK}:1")
        folders = [sweep_folder(executor, sweep_id) for sweep_id in ids]
        until(lambda: all(read_sweep(folder).progress.state == "finished" for folder in folders), "both sweeps")
        assert [len(read_sweep(folder).points) for folder in folders] == [1, 1]
        assert executor.working() == ()
        until(lambda: not sys.modules["ray"].is_initialized(), "the end of the connection")
    finally:
        executor.close()


@pytest.mark.slow
def test_a_failing_cell_is_named_with_its_sentence(address, tmp_path):
    folder = tmp_path / "sweep"
    config = sweep_config(tokens=(512,), sizes=((8, 1),))
    sweep = open_sweep(config, folder)
    (cell,) = sweep.cells
    prepare_cell(sweep, cell)
    (sweep.run_folder(cell) / "snapshots" / "000002").mkdir(parents=True)
    ending = run_sweep(config, folder, executor=RayExecutor(address))
    assert "damaged" in ending.failed[cell.name]


def test_where_no_cluster_is_a_sentence_says_how_to_start_one():
    with pytest.raises(UserError, match="ray start --head"):
        connect(f"{LOOPBACK}:{free_port()}")
    for wrong in ("nowhere", "host:", "host:99999", ""):
        with pytest.raises(UserError, match="HOST:PORT"):
            connect(wrong)


def test_without_ray_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"requirements-cluster\.txt"):
        connect(f"{LOOPBACK}:1")
