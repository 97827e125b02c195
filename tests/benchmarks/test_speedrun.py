"""A race counts the seconds of training alone, ends at its loss, and measures both kinds of rows by one rule."""

import dataclasses
import math
import time

import pytest
import torch

from benchmarks import speedrun
from benchmarks.speedrun import CONTENDERS, Contender, markdown, race
from playground.tasks.text import prepare_text
from playground.training.presets import EXAMPLE_TEXT


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "lamp.txt"
    path.write_text(EXAMPLE_TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def task(source):
    return prepare_text(speedrun._task(source))


def small(config, **settings):
    model = dataclasses.replace(config.model, width=32, layers=1, hidden=64)
    return dataclasses.replace(config, model=model, warm_up=0, learning_rate=1e-2, **settings)


def contender(config, losses, model, skipped=0, rows=((0, 1, 2),)):
    return Contender(config=config, steps=iter(losses), model=model, rows=torch.tensor(rows), skipped=skipped)


@pytest.mark.parametrize("name", list(CONTENDERS))
def test_every_contender_learns_until_the_loss_is_reached(name, source, task):
    recipe, begin = CONTENDERS[name]
    config = small(recipe(source), steps=200)
    found = race(begin(config, task), target=2.0, every=20)
    assert found["reached"]
    assert found["losses"][-1][0] == found["steps"] < 200
    assert found["losses"][-1][2] <= 2.0
    assert 0 < found["seconds"] < 60


@pytest.mark.parametrize("name", list(CONTENDERS))
def test_without_a_guess_every_contender_loses_the_logarithm_of_the_vocabulary(name, source, task):
    recipe, begin = CONTENDERS[name]
    blind = dataclasses.replace(begin(small(recipe(source)), task), model=lambda ids: torch.zeros(*ids.shape, 50))
    assert blind.validation_loss() == pytest.approx(math.log(50))


@pytest.mark.parametrize(("skipped", "loss"), [(0, math.log(10) / 2), (1, math.log(10))])
def test_predictions_without_a_character_before_them_do_not_count(source, skipped, loss):
    """Of the row 0, 1, 2 the first prediction is sure, the second one of ten."""

    def model(ids):
        sure = torch.full((10,), -1e9).index_fill(0, torch.tensor([1]), 0.0)
        return torch.stack([sure, torch.zeros(10)])[None].expand(len(ids), -1, -1)

    config = CONTENDERS["nanoGPT"][0](source)
    assert contender(config, [], model, skipped).validation_loss() == pytest.approx(loss, abs=1e-6)


def test_the_clock_stands_still_while_a_model_is_measured(source):
    def slow_model(ids):
        time.sleep(0.05)
        return torch.zeros(*ids.shape, 10)

    config = dataclasses.replace(CONTENDERS["nanoGPT"][0](source), steps=100)
    found = race(contender(config, [1.0] * 100, slow_model), every=10)
    # Measured at the steps 50, 60, … 100.
    assert [step for step, _seconds, _loss in found["losses"]] == [50, 60, 70, 80, 90, 100]
    assert not found["reached"]
    assert found["seconds"] < 0.05


def test_the_table_says_who_is_how_much_faster():
    def raced(seconds, *, reached=True):
        return {"recipe": {}, "races": [{"reached": reached, "seconds": s, "steps": 1200} for s in seconds]}

    made = {"command": "python -m benchmarks.speedrun x.txt", "date": "2026-12-01T10:00:00+00:00", "cpu": "Some CPU"}
    results = {
        "made": {**made, "cores": 2, "versions": {"Python": "3.11.7"}},
        "target": 1.88,
        "contenders": {"theirs": raced([90, 120, 100]), "ours": raced([25, 20, 30]), "late": raced([9], reached=False)},
    }
    table = markdown(results)
    assert "| theirs | 1,200 | 100 | 1.00 |" in table
    assert "| ours | 1,200 | 25 | 4.00 |" in table
    assert "| late | 1,200 | not reached |  |" in table
    assert "over 3 seeds" in table
