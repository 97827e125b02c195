"""One dial on the scaling page: a depth chosen, a prediction kept, and the runs beside it."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.scaling.laws import LAWS
from playground.sweeps.dial import PREDICTION, landings, read_prediction
from playground.sweeps.grid import SweepConfig
from playground.sweeps.results import read_points_file
from playground.tasks.text import TextTaskConfig
from tests.helpers.page_script import charts, run_page, words
from tests.helpers.small_sweep import sweep_config
from tests.helpers.tables import SMALL_LAW, noisy_table, plant_sweep
from ui.sections.scaling import dial

SWEEP, SERIES = "Zx81-kqV_w7TfA2bGm9cHe", "Dq37-kqV_w7TfA2bGm9cHe"


@pytest.fixture(autouse=True)
def folder_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs that hold one sweep, whose law is known."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    executor.default_executor.cache_clear()
    yield tmp_path
    executor.default_executor().close()
    executor.default_executor.cache_clear()


def planted() -> SweepConfig:
    """Sizes and budgets enough for Chinchilla's law, heads of four."""
    sizes = ((8, 1), (16, 1), (24, 2), (32, 2))
    return sweep_config(sizes=sizes, tokens=(512, 1024, 2048, 4096), head_width=4)


def dialled(**parameters: str) -> AppTest:
    app = run_page("scaling", section="dial", source=SWEEP, **parameters)
    assert not app.exception
    return app


def test_the_dial_says_what_a_depth_means(folder_of_runs):
    plant_sweep(folder_of_runs / SWEEP, planted())
    app = dialled(dial="5")
    assert app.slider[0].value == 5
    table = app.dataframe[0].value
    assert list(table.iloc[:, 0]) == ["2", "3", "4", "5"]
    assert list(table.iloc[:, 1]) == ["8", "12", "16", "20"]
    assert "Depth 5: width 20, 5 heads" in words(app)
    app.slider[0].set_value(4).run()
    assert not app.exception
    assert "Depth 4: width 16, 4 heads" in words(app)


def test_an_address_beyond_the_dial_is_brought_to_its_end(folder_of_runs):
    plant_sweep(folder_of_runs / SWEEP, planted())
    assert dialled(dial="2").slider[0].value == 4
    assert dialled(dial="8").slider[0].value == 8


def test_the_button_keeps_the_prediction_with_the_new_sweep(folder_of_runs, monkeypatch):
    plant_sweep(folder_of_runs / SWEEP, planted())
    started = []

    def start(config, _executor, *, owner, prediction):
        started.append((config, prediction))
        plant_series(folder_of_runs / SERIES, config, prediction)
        return SERIES

    monkeypatch.setattr(dial, "start_sweep", start)
    app = dialled(hold="no")
    app.button(key="dial_start").click().run()
    assert not app.exception
    [(config, prediction)] = started
    assert config.design == "series"
    assert len(prediction.settings) == 4
    assert app.query_params["sweep"] == SERIES
    landed = landings(config, prediction, read_points_file(folder_of_runs / SERIES))
    on_line = sum(landing.is_on_line for landing in landed)
    assert f"{on_line} of 4 finished runs landed on the line" in words(app)
    # The planted losses lie on the law that the sweep was planted on, without noise.
    assert all(abs(landing.deviation) < 0.01 for landing in landed)
    assert list(app.dataframe[0].value.iloc[:, -1]) == ["yes" if each.is_on_line else "no" for each in landed]
    assert charts(app)


def plant_series(folder: Path, config: SweepConfig, prediction) -> None:
    """A finished series, on the planted law."""
    plant_sweep(folder, config)
    (folder / PREDICTION).write_text(json.dumps(dataclasses.asdict(prediction)))
    assert read_prediction(folder) == prediction
    for point in read_points_file(folder):
        law = LAWS["chinchilla"].predict(SMALL_LAW, params=point.params, tokens=point.tokens)
        assert point.loss == pytest.approx(float(law), abs=1e-5)


def test_a_table_is_refused():
    app = run_page("scaling", section="dial", source="table", points=noisy_table(12))
    assert "a table does not say how they were trained" in words(app)
    assert not app.slider


def test_a_text_that_is_elsewhere_is_predicted_and_the_tales_are_one_click_away(folder_of_runs):
    text = TextTaskConfig(sources=("nowhere/books_*x*.zip",), vocabulary_size=512)
    plant_sweep(folder_of_runs / SWEEP, dataclasses.replace(planted(), task=text))
    app = dialled(dial="5")
    assert "Predicted loss" in words(app)
    assert "not on this machine: `books_*x*.zip`" in words(app)
    assert not [button for button in app.button if button.key == "dial_start"]
    app.button(key="dial_tales").click().run()
    assert not app.exception
    assert app.query_params["source"] == "tales"
    assert app.slider[0].value == 5
    assert app.button(key="dial_start")
