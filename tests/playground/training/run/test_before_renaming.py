"""What a run wrote before the renaming is read: metrics, film, samples, settings, and what a page exported."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.scaling.points_csv import read_points
from playground.sweeps.collect import collect
from playground.sweeps.progress import read_sweep
from playground.training.config import TrainConfig
from playground.training.run.film import frame_steps, read_frame, read_probe
from playground.training.run.folder import read_train_config, run
from playground.training.run.metrics import read_metrics
from playground.training.run.runs import list_runs, read_run
from playground.training.run.samples import read_samples
from tests.playground.training.run.test_old_runs import agree_halfway, run_anew

torch.set_num_threads(1)
BEFORE = Path(__file__).parents[3] / "data" / "before-renaming"


def test_all_runs_are_listed_with_their_names_and_states():
    runs = {run.id: (run.name, run.status.state) for run in list_runs(BEFORE / "runs")}
    assert runs["grouped"] == ("Grouped keys", "finished")
    assert runs["pair"] == ("Sorted digits, norms after", "finished")
    assert runs["stopped"][1] == "stopped"
    assert read_run(BEFORE / "runs" / "forked").parent == ("grouped", 4)
    assert len(runs) == 7


@pytest.mark.parametrize(
    ("name", "steps", "kinds", "n_heads"),
    [
        ("grouped", (0, 1, 8), {"decoder"}, 2),
        ("encoder", (0, 1, 4), {"encoder"}, 2),
        ("pair", (0, 4), {"encoder", "decoder", "cross"}, 2),
        ("forked", (0, 1, 9), {"decoder"}, 2),
    ],
)
def test_the_film_is_read_with_its_scores(name, steps, kinds, n_heads):
    folder = BEFORE / "runs" / name
    probe = read_probe(folder)
    assert probe is not None
    assert frame_steps(folder) == steps
    for step in steps:
        frame = read_frame(folder, step)
        assert frame is not None
        assert frame.maps.keys() == frame.scores.keys() == kinds
        for kind, maps in frame.maps.items():
            assert maps.shape[1] == n_heads
            assert maps.shape[3] == len(probe.target_tokens or probe.tokens if kind == "decoder" else probe.tokens)
            np.testing.assert_allclose(((maps / 255.0) ** 2).sum(-1), 1, atol=0.03)
            assert all(scores.shape == maps.shape[:2] for scores in frame.scores[kind].values())


@pytest.mark.parametrize(("name", "steps"), [("grouped", 8), ("encoder", 4), ("pair", 4), ("forked", 9)])
def test_every_step_has_a_loss_and_the_last_evaluation_its_samples(name, steps):
    folder = BEFORE / "runs" / name
    metrics, _end = read_metrics(folder)
    assert metrics.columns["step"].tolist() == list(range(1, steps + 1))
    assert np.isfinite(metrics.columns["loss"]).all()
    last = read_samples(folder)[-1]
    assert last["step"] == steps
    assert {sample["kind"] for sample in last["samples"]} <= {"text", "answer", "masked", "spectrum"}


def test_a_resumed_run_ends_as_a_run_that_was_never_stopped(tmp_path):
    """On one machine, to the bit; the losses as they were then, to what a CPU rounds otherwise."""
    stopped = shutil.copytree(BEFORE / "runs" / "stopped", tmp_path / "stopped")
    config = read_train_config(stopped / "config.json")
    fresh = run_anew(config, stopped, tmp_path / "fresh")
    list(run(config, stopped))
    resumed, uninterrupted = (read_metrics(folder)[0].columns["loss"] for folder in (stopped, fresh))
    then = json.loads((BEFORE / "expected.json").read_text(encoding="utf-8"))["stopped"]["losses"]
    np.testing.assert_allclose(uninterrupted, then, rtol=0, atol=1e-5)
    np.testing.assert_allclose(resumed, then, rtol=0, atol=1e-5)
    if agree_halfway(fresh, stopped):
        assert resumed.tolist() == uninterrupted.tolist()


def test_exported_settings_are_those_of_the_run():
    exported = json.loads((BEFORE / "run-grouped.json").read_text(encoding="utf-8"))
    assert TrainConfig.from_dict(exported) == read_train_config(BEFORE / "runs" / "grouped" / "config.json")


def test_a_finished_sweep_is_read_and_collected_as_it_was(tmp_path):
    folder = BEFORE / "sweeps" / "tales"
    view = read_sweep(folder)
    assert (view.progress.state, view.progress.done, view.progress.total) == ("finished", 4, 4)
    assert {cell.state for cell in view.cells} == {"finished"}
    assert [point.loss for point in view.points] == [4.476125, 4.959427, 4.480665, 4.914175]
    collected = collect([folder], tmp_path / "collected")
    for table in ("points.csv", "curves.csv"):
        assert (collected / table).read_text() == (folder / table).read_text()


def test_a_sweep_that_the_page_began_is_read_beside_its_runs():
    view = read_sweep(BEFORE / "runs" / "pagesweep")
    assert (view.progress.state, view.progress.done) == ("finished", 2)
    assert len(view.points) == 2


def test_a_downloaded_table_is_points_again():
    table = read_points((BEFORE / "tables" / "points.csv").read_text(encoding="utf-8"))
    assert (len(table.points.loss), table.bad) == (105, ())
    assert table.points.loss[0] == 1.329008
