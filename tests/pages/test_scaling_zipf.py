"""Exponents by Zipf exponent on the scaling page, beside the quantization model's."""

import dataclasses

import pytest

from playground.tasks.tales.tales_task import TalesConfig
from playground.tasks.text import TextTaskConfig
from tests.helpers.page_script import charts, run_page, words
from tests.helpers.tables import noisy_table, plant_sweep, wide_sweep
from ui.sections.scaling import zipf


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Three sweeps: two on stories, one on a text that has no dial."""
    monkeypatch.setattr(zipf, "SHIPPED", tmp_path)
    tasks = {
        "b-steep": TalesConfig(names=20, exponent=2.0),
        "c-plain": TalesConfig(names=20, exponent=1.0),
        "a-text": TextTaskConfig(text="any text", vocabulary="characters", vocabulary_size=40),
    }
    for name, task in tasks.items():
        plant_sweep(tmp_path / name, dataclasses.replace(wide_sweep(), task=task))
    return tmp_path


def test_every_sweep_on_stories_stands_beside_its_prediction(shipped):
    assert {exponent: folder.name for exponent, folder in zipf.zipf_folders().items()} == {
        1.0: "c-plain",
        2.0: "b-steep",
    }
    app = run_page("scaling", section="zipf", source="table", points=noisy_table(12))
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table.iloc[:, 0]) == ["1", "1", "2", "2"]
    assert list(table.iloc[:, 4]) == ["–", "–", "1.000", "0.500"]
    assert "Zipf 2: α" in words(app)
    assert "Zipf 1: α" not in words(app)
    assert charts(app)


def test_the_sentence_calls_a_prediction_outside_the_interval_a_disagreement(shipped):
    app = run_page("scaling", section="zipf", source="table", points=noisy_table(12))
    said = words(app)
    for row in app.dataframe[0].value.iloc[2:].itertuples(index=False):
        low, high = map(float, row[3].split(" to "))
        verdict = "agrees" if low <= float(row[4]) <= high else "disagrees"
        verdict = "inside an interval too wide to tell" if verdict == "agrees" and high >= zipf.LOOSE * low else verdict
        assert f"predicted {float(row[4]):.2f} ({verdict})" in said


def test_an_interval_that_holds_nearly_anything_agrees_with_nothing():
    assert zipf._verdict(0.9, 1.1, 1.0) == "agrees"
    assert zipf._verdict(0.9, 1.1, 0.8) == "disagrees"
    assert zipf._verdict(0.1, 4.0, 1.0) == "inside an interval too wide to tell"


def test_runs_that_are_mostly_warm_up_are_named(shipped):
    """Runs of 16 steps, 2 of them warm-up; and of the same with 8."""
    few = run_page("scaling", section="zipf", source="table", points=noisy_table(12))
    assert "of them warm-up" not in words(few)
    longer = dataclasses.replace(wide_sweep(), task=TalesConfig(names=20, exponent=3.0), warm_up=8)
    plant_sweep(shipped / "d-short", longer)
    many = run_page("scaling", section="zipf", source="table", points=noisy_table(12))
    assert "The shortest runs at Zipf 3 have 16 steps, 8 of them warm-up" in words(many)
