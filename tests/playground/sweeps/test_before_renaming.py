"""A sweep that was stopped before the renaming: it opens, goes on, and ends as it would have ended then."""

import shutil
from pathlib import Path

import pytest
import torch

from playground.sweeps.collect import collect
from playground.sweeps.folder import find_sweep
from playground.sweeps.progress import read_sweep
from playground.sweeps.results import read_points_file
from playground.sweeps.sweep import run_sweep

torch.set_num_threads(1)
BEFORE = Path(__file__).resolve().parents[2] / "data" / "before-renaming" / "sweeps" / "stopped"
THEN = {"w4-l1-t256-s0": 2.691406, "w4-l1-t128-s0": 2.832119, "w8-l1-t256-s0": 2.745031, "w8-l1-t128-s0": 2.862709}
"""Each run's loss where the code of then resumed the sweep."""


def test_a_sweep_of_before_shows_its_progress_and_cells():
    view = read_sweep(BEFORE)
    assert (view.progress.state, view.progress.done, view.progress.total) == ("stopped", 2, 4)
    assert [cell.state for cell in view.cells] == ["finished", "finished", "interrupted", "unknown"]
    assert [(point.run, point.loss) for point in view.points] == list(THEN.items())[:2]
    assert view.config.sizes == ((4, 1), (8, 1))
    assert view.cells[2].step == 6
    assert "the sweep was stopped" in view.cells[2].message


def test_a_sweep_of_before_is_resumed_to_the_losses_of_then(tmp_path):
    folder = shutil.copytree(BEFORE, tmp_path / "sweep")
    progress = run_sweep(find_sweep(folder).config, folder)
    assert (progress.state, progress.done, progress.failed) == ("finished", 4, {})
    assert {result.run: result.loss for result in read_points_file(folder)} == pytest.approx(THEN, abs=1e-4)
    card = (collect([folder], tmp_path / "collected") / "card.md").read_text()
    assert "# A sweep of 4 runs" in card


def test_the_shipped_sweeps_card_of_before_still_names_its_sources(tmp_path):
    shipped = Path(__file__).resolve().parents[3] / "assets" / "sweeps" / "tales"
    card = (collect([shipped], tmp_path / "again") / "card.md").read_text()
    assert card.count("### ") == 3
    assert "begun 24 November 2026" in card
