"""Reading runs while they grow and when they are damaged; renaming, deleting; none of it loads torch."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.training.run.folder import run
from playground.training.run.metrics import Metrics, join_metrics, read_metrics
from playground.training.run.paths import checkpoint_steps
from playground.training.run.runs import (
    checked_name,
    delete,
    delete_aside,
    free_name,
    list_runs,
    purge,
    read_run,
    rename,
    restore,
    run_path,
    runs_aside,
    set_aside,
    write_about,
)
from playground.training.run.samples import read_samples
from tests.helpers.small_training import train_config

torch.set_num_threads(1)
ROOT = Path(__file__).parents[4]


def metrics_line(step: int, loss: float = 1.0, evaluation: dict | None = None) -> bytes:
    values = {"step": step, "loss": loss, "learning_rate": 0.1, "gradient_norm": 1.0, "tokens": 8 * step}
    return json.dumps({**values, "evaluation": evaluation}).encode() + b"\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    list(run(train_config(root, frames=3), root / "run1"))
    write_about(root / "run1", "my run", ("other", 7))
    return root / "run1"


def test_reading_runs_needs_no_torch(finished):
    code = (
        "import sys; from pathlib import Path; from playground.jobs import executor;"
        "from playground.training.run import archive, film, lineage, metrics, runs, samples;"
        "folder = Path(sys.argv[1]);"
        "runs.read_run(folder); assert len(metrics.read_metrics(folder)[0]) == 6;"
        "assert film.read_frames(folder) and samples.read_samples(folder);"
        "assert archive.zip_run(folder); print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(finished)]
    assert subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True).stdout == "False\n"


def test_a_run_as_its_folder_tells_it(finished):
    found = read_run(finished)
    assert (found.id, found.name, found.task, found.parent) == ("run1", "my run", "text", ("other", 7))
    assert (found.status.state, found.steps, found.config["model"]["width"]) == ("finished", 6, 16)
    assert checkpoint_steps(finished) == (0, 6)
    samples = read_samples(finished)
    assert [row["step"] for row in samples] == [3, 6]
    assert samples[0]["samples"][0]["kind"] == "text"
    assert read_samples(finished, last=1) == samples[-1:]


def test_metrics_are_read_in_pieces_as_they_grow(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert len(read_metrics(tmp_path)[0]) == 0
    path.write_bytes(metrics_line(1) + metrics_line(2, evaluation={"held_out_loss": 3.0}) + metrics_line(3)[:20])
    first, offset = read_metrics(tmp_path)
    assert list(first.columns["step"]) == [1, 2]
    path.write_bytes(path.read_bytes()[:offset] + metrics_line(3) + metrics_line(4, evaluation={"accuracy": 0.5}))
    second, end = read_metrics(tmp_path, offset)
    both = join_metrics(first, second)
    assert list(both.columns["step"]) == [1, 2, 3, 4]
    assert list(both.evaluation_steps) == [2, 4]
    np.testing.assert_array_equal(both.evaluations["held_out_loss"], [3.0, np.nan])
    np.testing.assert_array_equal(both.evaluations["accuracy"], [np.nan, 0.5])
    assert end == path.stat().st_size
    assert len(read_metrics(tmp_path, end)[0]) == 0
    assert join_metrics(both, Metrics()) is both


def test_what_is_measured_before_the_first_step_is_no_step(tmp_path):
    path = tmp_path / "metrics.jsonl"
    start = b'{"step": 0, "tokens": 0, "evaluation": {"held_out_loss": 4.0}}\n'
    path.write_bytes(start)
    first, offset = read_metrics(tmp_path)
    assert (len(first), list(first.evaluation_steps), offset) == (0, [0], len(start))
    path.write_bytes(start + metrics_line(1, loss=3.0) + metrics_line(2, evaluation={"held_out_loss": 2.0}))
    both = join_metrics(first, read_metrics(tmp_path, offset)[0])
    assert list(both.columns["step"]) == [1, 2]
    assert not np.isnan(both.columns["loss"]).any()
    assert (list(both.evaluation_steps), list(both.evaluations["held_out_loss"])) == ([0, 2], [4.0, 2.0])
    path.write_bytes(start)  # a rewind
    again = join_metrics(both, read_metrics(tmp_path, path.stat().st_size + 1)[0])
    assert (len(again), list(again.evaluation_steps)) == (0, [0])


def test_metrics_that_begin_anew_replace_what_was_read(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"".join(metrics_line(step, loss=5.0) for step in range(1, 6)))
    first, offset = read_metrics(tmp_path)
    path.write_bytes(metrics_line(1, loss=2.0))
    again, _ = read_metrics(tmp_path, offset)
    both = join_metrics(first, again)
    assert (list(both.columns["step"]), list(both.columns["loss"])) == ([1], [2.0])


def test_a_long_file_is_read_in_bounded_pieces(tmp_path, monkeypatch):
    from playground.training.run import metrics

    monkeypatch.setattr(metrics, "CHUNK", 500)
    (tmp_path / "metrics.jsonl").write_bytes(b"".join(metrics_line(step) for step in range(1, 41)))
    read, offset, pieces = Metrics(), 0, 0
    while True:
        more, offset = read_metrics(tmp_path, offset)
        if not len(more):
            break
        read, pieces = join_metrics(read, more), pieces + 1
    assert list(read.columns["step"]) == list(range(1, 41))
    assert pieces >= 8


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_damaged_lines_are_left_out(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("run")
    odd = [
        b"[1]",
        b"[" * 9999,
        b'{"step": true}',
        b'{"step": 1' + b"0" * 400 + b"}",
        b'{"step": "x"}',
        b'{"step": 3}',
        b'{"step": 2, "loss": 1' + b"0" * 400 + b', "evaluation": [1]}',
    ]
    content = b"\n".join([metrics_line(1).strip(), *lines, *odd, metrics_line(9, evaluation={"a": None}).strip(), b""])
    (folder / "metrics.jsonl").write_bytes(content)
    (folder / "samples.jsonl").write_bytes(content)
    found, _ = read_metrics(folder)
    steps = list(found.columns["step"])
    assert steps[0] == 1
    assert steps[-3:] == [3, 2, 9]
    assert np.isnan(found.columns["loss"][-3:-1]).all()
    assert read_samples(folder) == []


# Lists, names, deletion


def test_the_list_passes_over_what_is_no_run(tmp_path):
    for number, name in enumerate(("first", "second")):
        (tmp_path / name).mkdir()
        write_about(tmp_path / name, name)
        (tmp_path / name / "about.json").write_text(json.dumps({"name": name, "created": number}))
        (tmp_path / name / "config.json").write_text('{"task": {"name": "text"}, "newer": true}')
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    (tmp_path / "a file").write_text("")
    (tmp_path / ".staging-x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "first")
    assert [found.name for found in list_runs(tmp_path)] == ["second", "first"]
    assert list_runs(tmp_path / "nowhere") == []
    with pytest.raises(UserError, match="no configuration that can be read"):
        read_run(tmp_path / "damaged")
    with pytest.raises(UserError, match="is gone"):
        read_run(tmp_path / "nowhere")


def test_a_run_gets_another_name_and_keeps_the_rest(tmp_path, finished):
    import shutil

    shutil.copytree(finished, tmp_path / "run1")
    before = read_run(tmp_path / "run1")
    rename(tmp_path, "run1", "  une\nautre ")
    after = read_run(tmp_path / "run1")
    assert (after.name, after.created, after.parent) == ("une autre", before.created, before.parent)
    for name in ("", "  ", "x" * 101):
        with pytest.raises(UserError, match="1 to 100 characters"):
            rename(tmp_path, "run1", name)


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "../other", "a/b", "/etc", "link", "file", "nowhere", ".hidden", "a\nb"]
)
def test_only_a_run_below_the_root_can_be_deleted(tmp_path, run_id):
    root, other = tmp_path / "runs", tmp_path / "other"
    for folder in (root, other, root / ".hidden"):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
    (root / "link").symlink_to(other)
    (root / "file").write_text("mine")
    with pytest.raises(UserError, match="no such run"):
        delete(root, run_id)
    with pytest.raises(UserError, match="no such run"):
        run_path(root, run_id)
    assert (other / "config.json").exists()
    assert (root / "file").exists()


def test_deleting_removes_the_run_alone_and_follows_no_link_in_it(tmp_path):
    root, precious = tmp_path / "runs", tmp_path / "precious"
    for folder in (root / "run1", root / "run2", root / "folder", precious):
        folder.mkdir(parents=True)
    for name in ("run1", "run2"):
        (root / name / "config.json").write_text("{}")
    (precious / "file").write_text("mine")
    (root / "run1" / "link").symlink_to(precious)
    delete(root, "run1")
    assert sorted(path.name for path in root.iterdir()) == ["folder", "run2"]
    assert (precious / "file").read_text() == "mine"
    with pytest.raises(UserError, match="no run's folder"):
        delete(root, "folder")


# Names that differ, and deletions that can be undone


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=6), st.booleans())
def test_a_free_name_is_no_other_runs(title, taken, is_typed):
    title = title.strip() or "x"
    name = free_name(title, taken, is_typed=is_typed)
    assert name not in taken
    assert checked_name(name) == name
    again = [*taken, name]
    assert free_name(title, again, is_typed=is_typed) not in again


def test_numbers_go_on_from_the_highest():
    assert free_name("Copy", ["Copy 2", "Copy 10", "Copy b", "Other 99"]) == "Copy 11"
    assert free_name("Copy", ["Copy"]) == "Copy 2"
    assert free_name("  my\nrun ", ["Copy"], is_typed=True) == "my run"
    assert free_name("my run", ["my run", "my run 2"], is_typed=True) == "my run 3"


def set_up_runs(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "config.json").write_text('{"task": {"name": "text"}}')
        write_about(root / name, f"run {name}")


def test_a_run_that_is_set_aside_is_in_no_list_and_comes_back_whole(tmp_path):
    set_up_runs(tmp_path, "one", "two")
    set_aside(tmp_path, "one")
    assert [run.id for run in list_runs(tmp_path)] == ["two"]
    assert runs_aside(tmp_path) == {"one": "run one"}
    with pytest.raises(UserError, match="no such run"):
        run_path(tmp_path, "one")
    restore(tmp_path, "one")
    assert {run.name for run in list_runs(tmp_path)} == {"run one", "run two"}
    assert runs_aside(tmp_path) == {}
    with pytest.raises(UserError, match="deleted for good"):
        restore(tmp_path, "one")
    with pytest.raises(UserError, match="deleted for good"):
        restore(tmp_path, "../two")


def test_what_was_set_aside_long_ago_or_too_often_is_gone(tmp_path):
    set_up_runs(tmp_path, "one", "two", "three")
    for age, name in ((900, "one"), (300, "two"), (10, "three")):
        set_aside(tmp_path, name)
        then = time.time() - age
        os.utime(tmp_path / f".deleted-{name}", (then, then))
    purge(tmp_path)
    assert list(runs_aside(tmp_path)) == ["three", "two"]
    purge(tmp_path, kept=1)
    assert list(runs_aside(tmp_path)) == ["three"]
    delete_aside(tmp_path, "three")
    delete_aside(tmp_path, "three")
    assert list(tmp_path.iterdir()) == []
