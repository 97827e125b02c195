"""Snapshots of real runs under all metrics: against the tasks' own metrics, in order, and damaged."""

import dataclasses
import math
import shutil

import numpy as np
import pytest
import torch

from playground.emergence import checkpoints
from playground.emergence.builder import build_study
from playground.emergence.checkpoints import load_model, measure_run, measure_step, measurer, open_run
from playground.emergence.grokking import all_pairs, grokking_metrics, key_frequencies_of
from playground.emergence.metrics import columns_of
from playground.emergence.studies import STUDIES, Study, StudyRun, study_for, study_of
from playground.emergence.tables import read_study, read_study_provenance
from playground.emergence.tracker import RunTracker
from playground.errors import UserError
from playground.tasks.rewriting import RewritingConfig
from tests.helpers.small_study import small_study, trained

torch.set_num_threads(1)
studies = pytest.mark.parametrize("name", list(STUDIES))


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many held-out questions as a test has patience for."""
    monkeypatch.setattr(checkpoints, "ROWS", 24)
    monkeypatch.setattr(checkpoints, "INDUCTION_ROWS", 4)


@studies
def test_every_snapshot_is_measured_under_everything(name, tmp_path):
    rows = list(measure_run(open_run(trained(name, tmp_path / "run"), "a run")))
    assert [row.step for row in rows] == [0, 2, 4]
    assert {row.run for row in rows} == {"a run"}
    assert set(rows[0].metrics) == set(columns_of(name))
    assert all(math.isfinite(value) for row in rows for value in row.metrics.values())
    assert rows[0].metrics != rows[-1].metrics


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("addition", ["token_accuracy", "exact_match", "held_out_loss"]),
        ("translation", ["token_accuracy", "exact_match", "held_out_loss"]),
        ("grokking", ["train_accuracy", "test_accuracy"]),
        ("induction", ["repeat_accuracy", "repeat_loss", "induction_score"]),
    ],
)
def test_measures_agree_with_the_tasks_own(name, shared, tmp_path):
    """Written apart from each other: the task's evaluation, and this package's."""
    run = open_run(trained(name, tmp_path / "run"))
    metrics = measure_step(run, 4, measurer(run)).metrics
    rows = 4 if name == "induction" else 24
    own = run.task.evaluate(load_model(run, 4), rows=rows, length=run.config.model.context)
    for measure in shared:
        assert metrics[measure] == pytest.approx(own[measure], abs=1e-5)


def test_a_right_answer_written_token_by_token_is_one_whose_every_token_is_the_most_probable(tmp_path):
    """Greedy writing meets the right answer exactly where every token is right with the right ones before it."""
    run = open_run(trained("addition", tmp_path / "run"))
    metrics = measure_step(run, 4, measurer(run)).metrics
    assert metrics["exact_match"] <= metrics["token_accuracy"]
    assert metrics["edit_distance"] == pytest.approx(metrics["token_edit_distance"] / 4)
    assert metrics["expected_exact_match"] == pytest.approx(metrics["token_accuracy"] ** 4)
    assert metrics["answer_probability"] <= metrics["token_probability"]


def test_all_pairs_stand_where_their_numbers_say(tmp_path):
    """The answer of a + b at (a, b), in the order of the numbers; trained pairs are the task's."""
    run = open_run(trained("grokking", tmp_path / "run"))
    model = load_model(run, 4)
    pairs = all_pairs(run.task, model)
    assert pairs.is_trained.sum() == run.task.config.train_pairs
    for row in run.task.test_rows[:5]:
        first, second, answer = (int(run.task.tokenizer.id_to_token(int(row[place]))) for place in (1, 3, 5))
        assert (first + second) % 7 == answer
        assert not pairs.is_trained[first, second]
        logit = model(row[None, :-1])[0, -1, row[5]]
        assert pairs.logits[first, second, answer] == pytest.approx(float(logit), abs=1e-5)


def test_all_frequencies_kept_and_none_excluded(tmp_path):
    """Without key frequencies the excluded loss is the training loss, and the restricted one that of the mean."""
    run = open_run(trained("grokking", tmp_path / "run"))
    model = load_model(run, 4)
    metrics = grokking_metrics(run.task, model, ())
    assert metrics["excluded_loss"] == pytest.approx(metrics["train_loss"])
    assert metrics["restricted_loss"] == pytest.approx(np.log(7), abs=0.2)
    assert metrics["squared_weights"] == pytest.approx(sum(float((p**2).sum()) for p in model.parameters()))
    assert set(key_frequencies_of(run.task, model)) <= {1, 2, 3}


def test_a_damaged_or_missing_snapshot_is_refused_by_its_step(tmp_path):
    run = open_run(trained("addition", tmp_path / "run"))
    (run.folder / "snapshots" / "000002" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="step 2"):
        load_model(run, 2)
    with pytest.raises(UserError, match="step 3"):
        load_model(run, 3)
    shutil.rmtree(run.folder / "snapshots")
    with pytest.raises(UserError, match="no checkpoint"):
        list(measure_run(run))


def test_a_task_without_such_answers_is_refused():
    with pytest.raises(UserError, match="Only addition"):
        study_for(RewritingConfig())
    with pytest.raises(UserError, match="choose addition"):
        study_of("chess")
    with pytest.raises(UserError, match="no run 'x'"):
        study_of("addition").run("x")


@studies
def test_every_study_has_runs_by_different_names_among_them_the_live_one(name):
    study = study_of(name)
    assert study.name == study_for(study.runs[0].config.task) == name
    assert len({study_run.name for study_run in study.runs}) == len(study.runs)
    assert study.run(study.live).config.steps >= 600
    for study_run in study.runs:
        assert study_run.config.steps // study_run.config.checkpoint_every < 200


def other_steps(study: Study) -> Study:
    """The same runs with one step more."""
    longer = (dataclasses.replace(study_run.config, steps=study_run.config.steps + 1) for study_run in study.runs)
    runs = tuple(StudyRun(name=c.name, config=config) for c, config in zip(study.runs, longer, strict=True))
    return dataclasses.replace(study, runs=runs)


def test_a_study_is_made_once_and_goes_on_where_it_was(tmp_path):
    study, messages = small_study("addition"), []
    rows = build_study(study, tmp_path, messages.append)
    assert [row.step for row in read_study("addition", tmp_path)] == [row.step for row in rows]
    assert [(row.run, row.step) for row in rows] == [(f"seed-{seed}", step) for seed in (0, 1) for step in (0, 2, 4)]
    assert any("parameters" in line for line in messages)
    before, messages = (tmp_path / "addition.csv").read_text(), []
    build_study(study, tmp_path, messages.append)
    assert (tmp_path / "addition.csv").read_text() == before
    assert messages == []
    with pytest.raises(UserError, match="another configuration"):
        build_study(other_steps(study), tmp_path, messages.append)
    provenance = read_study_provenance("addition", tmp_path)
    assert provenance["seeds"] == "0, 1"
    assert "torch" in provenance
    assert "addition.csv" in (tmp_path / "card.md").read_text()


def test_a_follower_measures_what_arrives_and_each_once(tmp_path):
    folder = trained("addition", tmp_path / "run")
    last = folder / "snapshots" / "000004"
    shutil.move(last, tmp_path / "later")
    tracker = RunTracker(folder, "now")
    assert tracker.pending() == 2
    tracker.measure_for(0.0)
    assert [row.step for row in tracker.checkpoints()] == [0]
    tracker.measure_for(60.0)
    shutil.move(tmp_path / "later", last)
    assert tracker.pending() == 1
    tracker.measure_for(60.0)
    assert [row.step for row in tracker.checkpoints()] == [0, 2, 4]
    assert tracker.pending() == 0
    assert tracker.checkpoints() == list(measure_run(open_run(folder, "now")))


def test_of_grokking_all_is_measured_again_with_the_last_ones_frequencies(tmp_path):
    folder = trained("grokking", tmp_path / "run")
    last = folder / "snapshots" / "000004"
    shutil.move(last, tmp_path / "later")
    tracker = RunTracker(folder, "now")
    tracker.measure_for(60.0)
    assert len(tracker.checkpoints()) == 2
    shutil.move(tmp_path / "later", last)
    assert tracker.pending() == 3
    assert len(tracker.checkpoints()) == 2
    tracker.measure_for(60.0)
    assert tracker.checkpoints() == list(measure_run(open_run(folder, "now")))
