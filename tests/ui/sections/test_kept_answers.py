"""Two questions that differ in one input have two answers: of a live fit, of labels, of what a fine-tuning costs."""

import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from playground.scaling.points import Points
from playground.tasks.finetune.labels import LabelsConfig
from playground.training.finetune.finetune_config import FinetuneConfig
from ui.sections.finetune import data, held_out, new_run, series
from ui.sections.scaling import downstream, live_fit, method_comparison, zipf

POINTS = Points(
    params=np.geomspace(1e5, 1e7, 6),
    tokens=np.geomspace(2e6, 2e8, 6),
    loss=np.linspace(4, 3, 6),
    names=tuple("abcdef"),
    seeds=tuple(range(6)),
)


@pytest.mark.parametrize("column", ["params", "tokens", "loss", "flops"])
def test_a_live_fit_is_one_of_its_points(column):
    other = replace(POINTS, **{column: getattr(POINTS, column) * np.linspace(1, 1.3, 6)})
    views = [SimpleNamespace(to_points=lambda with_embeddings, points=points: points) for points in (POINTS, other)]
    first, second = (live_fit._fit_so_far(f"a sweep {column}", view) for view in views)
    assert first[0].points is POINTS
    assert second[0].points is other
    assert live_fit._fit_so_far(f"a sweep {column}", views[0]) is first


def test_fits_on_the_way_are_those_to_points_that_still_hold():
    """A run that was trained anew leaves as many points as before, and no fit to the old ones."""
    again = replace(POINTS, loss=POINTS.loss * np.array([1.01, 1, 1, 1, 1, 1]))
    for points in (POINTS.take([1, 2, 3, 4]), POINTS.take([0, 1, 2, 3, 4]), POINTS, again.take([0, 1, 2, 3, 4])):
        live_fit._fit_so_far(
            "a resumed sweep", SimpleNamespace(to_points=lambda with_embeddings, points=points: points)
        )
    now = live_fit.fits_on_the_way("a resumed sweep", again)
    assert sorted(now) == [4, 5]
    assert now[5][0].points.loss[0] == again.loss[0]
    before = live_fit.fits_on_the_way("a resumed sweep", POINTS)
    assert sorted(before) == [4, 5, 6]
    assert before[5][0].points.loss[0] == POINTS.loss[0]


@pytest.mark.parametrize("column", ["params", "tokens", "loss", "flops", "unique", "names", "seeds"])
def test_points_that_differ_in_one_column_have_fingerprints_of_their_own(column):
    value = getattr(POINTS, column)
    assert replace(POINTS, **{column: value[::-1]}).fingerprint != POINTS.fingerprint
    assert replace(POINTS, **{column: value}).fingerprint == POINTS.fingerprint


def rewritten(path, text):
    """The file with another text and a later time, as a second upload or an editor leaves it."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before, before + 10**9))


def test_labels_and_costs_are_asked_again_when_a_file_was_written_again(tmp_path, monkeypatch):
    table, base = tmp_path / "labels.csv", tmp_path / "base"
    base.mkdir()
    (base / "model.safetensors").write_text("a")
    table.write_text("text,label\na,x\nb,y\n")
    task = LabelsConfig(source="table", sources=(str(table),))
    keys = [data.data_key(task)]
    rewritten(table, "text,label\na,y\nb,x\n")
    keys.append(data.data_key(task))
    assert keys[0] != keys[1] == data.data_key(task)

    asked = []
    monkeypatch.setattr(new_run, "compute", lambda key, *_rest, **_more: asked.append(key))
    config = FinetuneConfig(base=str(base), task=task)
    new_run._estimate(config)
    rewritten(base / "model.safetensors", "b")
    new_run._estimate(config)
    rewritten(table, "text,label\nc,y\nd,x\n")
    new_run._estimate(config)
    new_run._estimate(config)
    assert len(set(asked)) == 3


@pytest.fixture
def asked(monkeypatch):
    """The keys under which series and counts were asked for; nothing is computed."""
    keys = []
    for module in (series, method_comparison, zipf, downstream):
        monkeypatch.setattr(module, "compute", lambda key, *_rest, **_more: keys.append(key))
    return keys


def test_a_series_is_judged_again_when_its_texts_or_models_are_others(tmp_path, monkeypatch, asked):
    run, model = tmp_path / "run", tmp_path / "model"
    for folder, file in ((run, "rows.jsonl"), (model, "model.safetensors")):
        folder.mkdir()
        (folder / file).write_text("a")
    monkeypatch.setattr(series, "label_points", lambda _folders: [])
    monkeypatch.setattr(series, "before_and_after", lambda folder: ("books-encoder", str(model)))
    cell = SimpleNamespace(measures={"held_out_loss": 2.0})

    def ask(cells):
        series._draw_labels([run], cells)
        series._draw_ranks([run], cells)
        return asked[-2:]

    first = ask([cell])
    assert ask([cell]) == first
    rewritten(run / "rows.jsonl", "b")
    rewritten(model / "model.safetensors", "b")
    second = ask([cell])
    assert all(one != other for one, other in zip(first, second, strict=True))
    assert ask([SimpleNamespace(measures={"held_out_loss": 1.0})])[1] != second[1]


def test_held_out_scores_are_asked_again_with_other_rows_or_another_rival(tmp_path):
    (tmp_path / "rows.jsonl").write_text("a")
    rival = tmp_path / "rival"
    rival.mkdir()
    (rival / "model.safetensors").write_text("a")
    subject = SimpleNamespace(run=tmp_path, key=lambda *parts: parts)
    keys = [held_out.scores_key(subject, None), held_out.scores_key(subject, str(rival))]
    rewritten(rival / "model.safetensors", "b")
    keys.append(held_out.scores_key(subject, str(rival)))
    rewritten(tmp_path / "rows.jsonl", "b")
    keys.append(held_out.scores_key(subject, str(rival)))
    assert len(set(keys)) == 4
    assert held_out.scores_key(subject, str(rival)) == keys[-1]


def test_runs_are_counted_again_when_their_sweep_has_other_shapes(tmp_path, asked):
    (tmp_path / "sweep.json").write_text("{}")
    study = SimpleNamespace(fingerprint=POINTS.fingerprint, folder=tmp_path)
    method_comparison.fetch_exponents(study)
    rewritten(tmp_path / "sweep.json", '{"sizes": []}')
    method_comparison.fetch_exponents(study)
    method_comparison.fetch_exponents(study)
    assert asked[0] != asked[1] == asked[2]


def replaced_unseen(path, before, after):
    """The file with another text as long, and its time kept, as an archive or a clock of whole seconds leave."""
    text, kept = path.read_text(), path.stat()
    assert before in text
    assert len(before) == len(after)
    path.write_text(text.replace(before, after, 1))
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


@pytest.mark.parametrize("file", ["points.csv", "sweep.json"])
def test_stories_are_fitted_again_when_a_file_keeps_its_time(tmp_path, monkeypatch, asked, file):
    folder = tmp_path / "tales"
    shutil.copytree(zipf.SHIPPED / "tales-zipf-2", folder)
    monkeypatch.setattr(zipf, "SHIPPED", tmp_path)
    for _again in range(2):
        zipf._fetch_fits(counts_embeddings=True)
    replaced_unseen(folder / file, "2", "3")
    zipf._fetch_fits(counts_embeddings=True)
    zipf._fetch_fits(counts_embeddings=False)
    assert asked[0] == asked[1]
    assert len(set(asked)) == 3


def test_the_law_from_loss_to_task_is_fitted_again_when_its_table_keeps_its_time(tmp_path, monkeypatch, asked):
    task = next(iter(downstream.TASKS))
    shutil.copy(downstream.FOLDER / f"{task}.csv", tmp_path)
    monkeypatch.setattr(downstream, "FOLDER", tmp_path)
    for _again in range(2):
        downstream._fetch(task, "exact_match")
    replaced_unseen(tmp_path / f"{task}.csv", "0.", "1.")
    downstream._fetch(task, "exact_match")
    assert asked[0] == asked[1] != asked[2]
