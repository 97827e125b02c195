"""Sweeps that are really trained: branches, resuming, bad ends, what is written, and reading it."""

import csv
import dataclasses
import json
import os
import signal
import threading

import pytest
import torch

from playground.errors import UserError
from playground.jobs.executor import LocalExecutor
from playground.jobs.limits import Limits
from playground.sweeps import sweep as sweeps
from playground.sweeps.costs import CostTracker, sweep_cost
from playground.sweeps.executors import InProcess, dedicated_workers
from playground.sweeps.folder import find_sweep, open_sweep, prepare_cell
from playground.sweeps.grid import cells
from playground.sweeps.progress import SweepProgress, read_progress, read_sweep, write_progress
from playground.sweeps.scheduler import RETRIES
from playground.sweeps.sweep import run_sweep, stop_sweep
from playground.training.run.folder import run
from playground.training.run.paths import checkpoint_folders
from playground.training.run.status import Status, read_status, write_status
from playground.training.throughput import Throughput
from tests.helpers.small_sweep import sweep_config
from tests.helpers.waiting import until

torch.set_num_threads(1)
SPEED = Throughput(flops_per_second=1e10, seconds_per_value=1e-9, seconds_per_layer=1e-4)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished sweep."""
    folder = tmp_path_factory.mktemp("sweeps") / "done"
    assert run_sweep(sweep_config(), folder, command=f"the command --out {folder}").state == "finished"
    return folder


def records(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Counting(InProcess):
    """Keeps the names of the cells that were started."""

    def __init__(self):
        super().__init__()
        self.started = []

    def start(self, sweep, cell):
        self.started.append(cell.name)
        super().start(sweep, cell)


def test_the_points_have_the_columns_and_numbers_of_their_runs(done):
    points = records(done / "points.csv")
    assert list(points[0]) == [
        "run", "params", "params_without_embeddings", "tokens", "flops", "loss", "seed", "width", "layers",
        "learning_rate", "floor", "bits_per_byte",
    ]  # fmt: skip
    assert [point["run"] for point in points] == [cell.name for cell in cells(sweep_config())]
    for point in points:
        last = json.loads((done / "runs" / point["run"] / "metrics.jsonl").read_text().splitlines()[-1])
        assert float(point["loss"]) == pytest.approx(last["evaluation"]["held_out_loss"], abs=1e-6)
        assert int(point["tokens"]) == last["tokens"]


def test_curves_end_at_their_points(done):
    curves = records(done / "curves.csv")
    assert list(curves[0]) == ["run", "step", "tokens", "loss"]
    ends = {curve["run"]: (curve["tokens"], curve["loss"]) for curve in curves}
    assert ends == {point["run"]: (point["tokens"], point["loss"]) for point in records(done / "points.csv")}


def test_a_branch_is_bit_for_bit_the_run_it_would_have_been(done, tmp_path):
    cell = next(cell for cell in cells(sweep_config()) if cell.fork)
    assert cell.fork >= cell.config.steps // 2
    for _ in run(cell.config, tmp_path / "alone"):
        pass
    weights = [
        checkpoint_folders(folder)[-1] / "model.safetensors"
        for folder in (tmp_path / "alone", done / "runs" / cell.name)
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_finished_sweep_starts_nothing(done):
    executor = Counting()
    assert run_sweep(sweep_config(), done, executor=executor).done == 6
    assert executor.started == []


def test_a_stopped_sweep_leaves_what_it_has(tmp_path, done):
    folder, stopped = tmp_path / "sweep", []

    def on_progress(progress):
        if not stopped:
            stopped.append(stop_sweep(folder))

    long = sweep_config(tokens=(512, 1024, 200_000), sizes=((8, 1),))
    first = run_sweep(long, folder, on_progress=on_progress)
    assert first.state == "stopped"
    assert first.done < 3
    trunk = cells(long)[0]
    assert 0 < read_status(folder / "runs" / trunk.name).step < trunk.config.steps
    assert read_progress(folder).state == "stopped"


def test_only_what_has_not_finished_is_trained_again(tmp_path):
    folder, config = tmp_path / "sweep", sweep_config(tokens=(512, 1024))
    sweep = open_sweep(config, folder)
    for cell in sweep.cells[:2]:
        prepare_cell(sweep, cell)
        for _ in run(cell.config, sweep.run_folder(cell)):
            pass
    half = sweep.cells[2]
    prepare_cell(sweep, half)
    taken: list[int] = []
    for step in run(half.config, sweep.run_folder(half), interruption=lambda: "a test" if len(taken) == 20 else None):
        taken.append(step.step)
    executor = Counting()
    assert run_sweep(config, folder, executor=executor).state == "finished"
    assert executor.started == [cell.name for cell in sweep.cells[2:]]
    lines = (sweep.run_folder(half) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, half.config.steps + 1))


def test_a_failing_cell_is_tried_again_then_named_and_the_others_are_trained(tmp_path):
    folder, config = tmp_path / "sweep", sweep_config(tokens=(512, 1024))
    sweep = open_sweep(config, folder)
    bad = sweep.cells[0]
    prepare_cell(sweep, bad)
    (sweep.run_folder(bad) / "snapshots" / "000002").mkdir(parents=True)
    executor = Counting()
    ending = run_sweep(config, folder, executor=executor)
    assert list(ending.failed) == [bad.name]
    assert "damaged" in ending.failed[bad.name]
    assert ending.retried[bad.name] == RETRIES + 1
    assert executor.started.count(bad.name) == RETRIES + 1
    # Its branch is trained from the first step on.
    assert {point["run"] for point in records(folder / "points.csv")} == {cell.name for cell in sweep.cells[1:]}


def test_a_run_of_another_configuration_in_a_cells_place_is_named(tmp_path):
    folder, config = tmp_path / "sweep", sweep_config(tokens=(512,), sizes=((8, 1),))
    sweep = open_sweep(config, folder)
    (cell,) = sweep.cells
    prepare_cell(sweep, dataclasses.replace(cell, config=dataclasses.replace(cell.config, seed=9)))
    assert "another configuration" in run_sweep(config, folder).failed[cell.name]


def test_another_sweep_in_the_folder_is_refused(done, tmp_path):
    with pytest.raises(UserError, match="another configuration"):
        run_sweep(sweep_config(seeds=(7,)), done)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="not empty"):
        run_sweep(sweep_config(), tmp_path)


def test_a_sweep_that_is_running_is_refused(tmp_path):
    open_sweep(sweep_config(), tmp_path)
    write_progress(tmp_path, SweepProgress(state="running"))
    with pytest.raises(UserError, match=f"Process {os.getpid()} is running"):
        run_sweep(sweep_config(), tmp_path)


def test_a_driver_that_died_leaves_an_interrupted_sweep(tmp_path):
    write_progress(tmp_path, SweepProgress(state="running", done=3, working=("one",)))
    values = json.loads((tmp_path / "progress.json").read_text())
    (tmp_path / "progress.json").write_text(json.dumps({**values, "born": 1.0}))
    assert (read_progress(tmp_path).state, read_progress(tmp_path).working) == ("interrupted", ())
    # Another machine's process ids say nothing here: what counts is when it wrote last.
    (tmp_path / "progress.json").write_text(json.dumps({**values, "born": 1.0, "node": "another"}))
    assert (read_progress(tmp_path).state, read_progress(tmp_path).working) == ("running", ("one",))
    (tmp_path / "progress.json").write_text(json.dumps({**values, "node": "another", "updated": 1.0}))
    assert read_progress(tmp_path).state == "interrupted"
    (tmp_path / "progress.json").write_text('{"working": 3, "pid": "x", "state": "running"}')
    assert read_progress(tmp_path).state == "new"


def test_the_cost_is_that_of_the_steps_that_are_trained():
    grid = cells(sweep_config(tokens=(512, 4096), sizes=((8, 1),)))
    trunk, branch = grid
    cost = sweep_cost(grid, SPEED, workers=2, hourly_price=3600.0)
    each = sweep_cost((trunk,), SPEED).worker_seconds / trunk.config.steps
    assert cost.worker_seconds == pytest.approx(each * (trunk.config.steps + branch.config.steps - branch.fork))
    assert cost.flops == pytest.approx(trunk.flops + branch.flops * branch.steps / branch.config.steps)
    assert cost.seconds == pytest.approx(each * trunk.config.steps)
    assert cost.price == pytest.approx(cost.worker_seconds)


def test_a_cell_whose_worker_died_on_another_machine_is_retried(tmp_path):
    """Its folder still says that it runs."""

    class Losing(InProcess):
        lost = 0

        def start(self, sweep, cell):
            if self.lost:
                return super().start(sweep, cell)
            self.lost += 1
            write_status(sweep.run_folder(cell), Status(state="running", node="elsewhere", pid=1))
            return None

    config = sweep_config(tokens=(512,), sizes=((8, 1),))
    ending = run_sweep(config, tmp_path / "sweep", executor=Losing())
    assert (ending.state, ending.done, ending.failed) == ("finished", 1, {})
    assert list(ending.retried.values()) == [1]


def test_the_clock_goes_by_how_fast_the_cells_went(done, tmp_path):
    assert CostTracker(find_sweep(done), SPEED).worker_seconds()[1] == 0
    sweep = open_sweep(sweep_config(), tmp_path / "new")
    assert CostTracker(sweep, SPEED).worker_seconds() == (0, None)
    cell = sweep.cells[0]
    prepare_cell(sweep, cell)
    for _ in run(cell.config, sweep.run_folder(cell)):
        pass
    clock = CostTracker(sweep, SPEED)
    spent = read_status(sweep.run_folder(cell)).seconds
    rest = sum(clock.estimated.values()) - clock.estimated[cell.name]
    assert clock.worker_seconds() == pytest.approx((spent, rest * spent / clock.estimated[cell.name]))


def test_reading_tells_points_curves_and_cells(done):
    view = read_sweep(done)
    assert view.progress.state == "finished"
    assert [cell.state for cell in view.cells] == ["finished"] * 6
    assert len(view.points) == len(view.to_points()) == 6
    assert view.to_points(with_embeddings=True).params[0] == view.points[0].params
    assert view.partial_curves == ()


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_the_sweep_finishes(tmp_path):
    folder, killed = tmp_path / "sweep", []
    config = sweep_config(tokens=(20_000, 40_000), sizes=((8, 1), (16, 1)))
    sweep = open_sweep(config, folder)
    victim = sweep.cells[0]

    def on_progress(progress):
        status = read_status(sweep.run_folder(victim))
        if not killed and status.state == "running" and status.step > 0:
            os.kill(status.pid, signal.SIGKILL)
            killed.append(status.step)

    ending = run_sweep(config, folder, executor=dedicated_workers(folder, 2), on_progress=on_progress)
    assert killed
    assert (ending.state, ending.done, ending.failed) == ("finished", 4, {})
    assert ending.retried[victim.name] == 1
    lines = (sweep.run_folder(victim) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, victim.config.steps + 1))


@pytest.mark.slow
def test_a_sweep_of_the_page_is_made_of_ordinary_runs(tmp_path):
    executor = LocalExecutor(tmp_path, slots=1)
    try:
        sweep_id = sweeps.start_sweep(sweep_config(tokens=(512, 1024), sizes=((8, 1),)), executor)
        folder = sweeps.sweep_folder(executor, sweep_id)
        assert len(sweep_id) == 22
        until(lambda: read_sweep(folder).progress.state == "finished", "the sweep")
        view = read_sweep(folder)
        assert len(view.points) == 2
        assert all((tmp_path / cell.run_id / "config.json").exists() for cell in view.cells)
        until(lambda: not any(thread.name.startswith(sweeps.THREAD) for thread in threading.enumerate()))
        sweeps.delete_sweep(folder)
        assert [path.name for path in tmp_path.iterdir()] == []
    finally:
        executor.close()


def test_the_page_refuses_what_is_too_much(tmp_path):
    executor = LocalExecutor(tmp_path, slots=1, limits=Limits(steps=50))
    try:
        with pytest.raises(UserError, match="fewer steps"):
            sweeps.start_sweep(sweep_config(), executor)
        with pytest.raises(UserError, match="at most 100"):
            sweeps.start_sweep(sweep_config(seeds=tuple(range(30))), executor)
        with pytest.raises(UserError, match="no such sweep"):
            sweeps.sweep_folder(executor, "../elsewhere")
        assert list(tmp_path.iterdir()) == []
    finally:
        executor.close()


@pytest.mark.slow
def test_a_sweep_that_says_it_has_stopped_can_be_resumed_at_once(tmp_path):
    executor = LocalExecutor(tmp_path, slots=1)
    try:
        config = sweep_config(tokens=(20_000, 40_000), sizes=((8, 1), (16, 1)))
        folder = sweeps.sweep_folder(executor, sweeps.start_sweep(config, executor))
        until(lambda: executor.working(), "a cell at work")
        sweeps.stop_sweep(folder)
        until(lambda: read_progress(folder).state == "stopped", "the stop")
        assert executor.working() == executor.waiting() == ()
        sweeps.resume_sweep(folder, executor)
        until(lambda: read_progress(folder).state == "finished", "the end")
        assert (read_progress(folder).done, read_progress(folder).failed) == (4, {})
    finally:
        executor.close()
