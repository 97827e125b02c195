"""Two questions that differ in one input have two answers: of a live fit, of labels, of what a fine-tuning costs."""

import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from playground.scaling.points import Points
from playground.tasks.finetune.labels import LabelsConfig
from playground.training.finetune.finetune_config import FinetuneConfig
from ui.sections.finetune import data, new_run
from ui.sections.scaling import live_fit

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
