"""The results of sweeps without their runs: of one, and of several that are joined."""

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.scaling.fits import fit_chinchilla
from playground.scaling.points import Points
from playground.sweeps.collect import collect
from playground.sweeps.folder import open_sweep
from playground.sweeps.progress import read_sweep
from playground.sweeps.results import read_points_file
from playground.sweeps.sweep import run_sweep
from playground.tasks.tales.tales_task import TalesConfig
from tests.helpers.small_sweep import sweep_config

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two finished sweeps that differ in their seeds and sizes."""
    root = tmp_path_factory.mktemp("sweeps")
    for name, changes in {"first": {}, "more": {"seeds": (1,), "sizes": ((16, 1), (24, 1))}}.items():
        assert (
            run_sweep(sweep_config(**changes), root / name, command=f"command --out {root / name} --x").state
            == "finished"
        )
    return root / "first", root / "more"


def test_a_collected_sweep_has_its_card_and_reads_like_the_whole(folders, tmp_path):
    first, _ = folders
    target = collect([first], tmp_path / "assets" / "small")
    assert {path.name for path in target.iterdir()} == {"sweep.json", "points.csv", "curves.csv", "card.md"}
    card = (target / "card.md").read_text()
    assert "`command --out first --x`" in card
    assert f"torch {torch.__version__}" in card
    assert "lowest possible loss" in card
    assert "###" not in card
    view = read_sweep(target)
    assert (view.points, view.curves) == (read_sweep(first).points, read_sweep(first).curves)
    assert (view.progress.done, view.progress.total) == (6, 6)


def test_joined_sweeps_read_like_one_and_say_where_each_comes_from(folders, tmp_path):
    first, more = folders
    target = collect([collect([first], tmp_path / "before"), more], tmp_path / "joined")
    view = read_sweep(target)
    assert set(view.points) == {*read_sweep(first).points, *read_sweep(more).points}
    assert set(view.curves) == {*read_sweep(first).curves, *read_sweep(more).curves}
    assert (view.config.seeds, view.config.sizes) == ((0, 1), ((8, 1), (16, 1), (24, 1)))
    assert [point.run for point in view.points] == [cell.cell.name for cell in view.cells if cell.state == "finished"]
    card = (target / "card.md").read_text()
    assert "# A sweep of 12 runs" in card
    assert "6 of the 18 cells of the design are not in it" in card
    assert (
        card.index("### 6 runs of seed 0")
        < card.index("`command --out first --x`")
        < card.index("### 6 runs of seed 1")
    )
    again = collect([target], tmp_path / "again")
    assert (again / "card.md").read_text() == card


def test_sweeps_that_differ_in_more_are_not_joined(folders, tmp_path):
    other = shutil.copytree(folders[1], tmp_path / "other")
    values = json.loads((other / "sweep.json").read_text())
    (other / "sweep.json").write_text(json.dumps({**values, "evaluate_rows": 4, "warm_up": 3}))
    with pytest.raises(UserError, match="differ in warm_up, evaluate_rows;"):
        collect([folders[0], other], tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_a_run_with_two_results_is_named(folders, tmp_path):
    other = collect([folders[0]], tmp_path / "other")
    run = read_points_file(other)[2].run
    lines = (other / "points.csv").read_text().splitlines()
    changed = [_with_loss(line) if line.startswith(run) else line for line in lines]
    (other / "points.csv").write_text("\n".join(changed))
    with pytest.raises(UserError, match=f"{run} has another result in .*other"):
        collect([folders[0], other], tmp_path / "joined")


def _with_loss(line: str) -> str:
    cells = line.split(",")
    cells[5] = "1.5"
    return ",".join(cells)


def test_nothing_to_collect_is_said(tmp_path):
    with pytest.raises(UserError, match="holds no sweep"):
        collect([tmp_path], tmp_path / "out")
    open_sweep(sweep_config(), tmp_path / "new")
    with pytest.raises(UserError, match="No cell"):
        collect([tmp_path / "new"], tmp_path / "out")


SHIPPED = sorted(path.parent for path in (Path(__file__).parents[3] / "assets" / "sweeps").glob("*/points.csv"))


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_sweep_is_whole(folder):
    view = read_sweep(folder)
    # A sweep that goes on may ship what is finished; its card then says how much is not.
    missing = len(view.cells) - len(view.points)
    said = f"{missing} of the {len(view.cells)} cells of the design are not in it"
    assert (said in (folder / "card.md").read_text()) == bool(missing)
    sizes = [point.params_without_embeddings for point in view.points]
    assert max(sizes) > 100 * min(sizes)
    for point in view.points:
        assert [one.loss for one in view.curves if one.run == point.run][-1] == point.loss
    card = (folder / "card.md").read_text()
    assert f"# A sweep of {len(view.points)} runs" in card
    commands = [line for line in card.splitlines() if "python -m playground" in line]
    # Names of folders alone: no machine's path.
    assert commands
    assert not any(" /" in line for line in commands)


def test_the_sweep_on_tales_has_three_seeds_of_everything():
    view = read_sweep(next(folder for folder in SHIPPED if folder.name == "tales"))
    assert len(view.points) == 105
    assert {point.seed for point in view.points} == {0, 1, 2}


@pytest.mark.parametrize(
    ("column", "alpha", "beta", "floor"),
    [("params_without_embeddings", 0.259, 0.471, 2.15), ("params", 0.435, 0.481, 2.31)],
)
def test_the_sweep_on_books_needs_both_terms_of_the_law_and_predicts_its_largest_runs(column, alpha, beta, floor):
    """Seven sizes over 2.5 decades, three seeds, each with every budget."""
    points = read_sweep(next(folder for folder in SHIPPED if folder.name == "books")).points
    assert list(Counter(point.params_without_embeddings for point in points).values()) == [5 * 3] * 7
    params, tokens, loss = (
        np.array([getattr(point, name) for point in points], float) for name in (column, "tokens", "loss")
    )
    fitted = fit_chinchilla(Points(params=params, tokens=tokens, loss=loss))
    assert fitted.parameters["alpha"] == pytest.approx(alpha, abs=1e-3)
    assert fitted.parameters["beta"] == pytest.approx(beta, abs=1e-3)
    assert fitted.parameters["E"] == pytest.approx(floor, abs=1e-2)
    assert fitted.heldout is not None
    assert fitted.heldout.error < 0.015


def test_the_zipf_sweeps_differ_in_the_exponent_alone():
    configs = [read_sweep(folder).config for folder in SHIPPED if folder.name.startswith("tales-zipf-")]
    assert [config.task.exponent for config in configs] == [1.25, 1.5, 2.0]
    plain = {dataclasses.replace(config, task=TalesConfig(), tokens=(1,)) for config in configs}
    assert len(plain) == 1
