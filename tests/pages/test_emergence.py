"""The Emergence page as a script: its sections from the address, damaged tables, and a run that is trained now."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.emergence import checkpoints, studies
from playground.emergence import tables as shipped_tables
from playground.emergence.builder import build_study
from playground.emergence.steepness import midpoint
from playground.emergence.tables import runs_of
from playground.jobs import executor
from playground.training.run.folder import run as train_into
from playground.training.run.runs import write_about
from tests.helpers.page_script import charts, run_page, words
from tests.helpers.small_study import small_config, small_study, trained
from ui.sections.emergence import answer_metrics
from ui.sections.emergence import study as emergence_shown
from ui.sections.train import runs as run_table
from ui.state.parameters import RUN

PATIENCE_SECONDS = 120
SECTIONS = ("addition", "translation", "induction", "grokking")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of small runs, made as the shipped ones are."""
    folder = tmp_path_factory.mktemp("emergence")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "ROWS", 16)
        for name in SECTIONS:
            build_study(small_study(name), folder, lambda line: None)
    return folder


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small tables and studies, a folder of runs of the test's own, and an executor for it."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(shipped_tables, "FOLDER", tables)
    for name in SECTIONS:
        monkeypatch.setitem(studies.STUDIES, name, lambda name=name: small_study(name))
    executor.default_executor.cache_clear()
    yield tmp_path / "runs"
    executor.default_executor().close()
    executor.default_executor.cache_clear()


def page(**parameters: str) -> AppTest:
    return run_page("emergence", **parameters)


def drawn(app: AppTest) -> list[dict[str, Any]]:
    """The curves of the chart of metrics on which something can be clicked."""
    (chart,) = charts(app)
    return [curve for curve in chart["figure"]["data"] if "customdata" in curve]


def table(app: AppTest) -> dict[str, str]:
    """The first and last column of the table of all metrics."""
    frame = app.dataframe[0].value
    return dict(zip(frame.iloc[:, 0], frame.iloc[:, -1], strict=True))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_shows_all_its_metrics(section):
    app = page(section=section)
    assert not app.exception
    assert not app.error, words(app)
    assert "Start" in [button.label for button in app.button]
    assert len(table(app)) >= 5


@pytest.mark.parametrize(
    "parameters",
    [
        {"over": "training", "measure": "edit_distance", "size": "all"},
        {"over": "training", "measure": "exact_match", "log_steps": "true", "log_values": "true"},
        {"measure": "held_out_loss", "linear_sizes": "true"},
        {"section": "translation", "over": "training", "measure": "answer_probability"},
        {"section": "grokking", "hidden": "weights", "control": "true", "log_steps": "true"},
        {"section": "induction", "hidden": "loss", "control": "true"},
        {"section": "nonsense", "measure": "nonsense", "over": "nonsense", "size": "nonsense"},
    ],
)
def test_what_the_address_asks_for_is_drawn_and_stays_in_it(parameters):
    app = page(**parameters)
    assert not app.exception
    assert not app.error, words(app)
    for name, value in parameters.items():
        if value != "nonsense":
            assert app.query_params.get(name) in (value, [value], None)


def test_the_metric_is_switched_and_goes_into_the_address():
    app = page()
    assert "correct in every token" in words(app)
    app.segmented_control(key="choose_measure").set_value("token_accuracy").run()
    assert app.query_params["measure"] in ("token_accuracy", ["token_accuracy"])
    assert "the p of pᴸ" in words(app)


def test_the_arithmetic_names_the_numbers_of_the_table(tables):
    row = shipped_tables.read_study("addition", tables)[-1]
    page_text = words(page(over="training"))
    power = row.metrics["token_accuracy"] ** 4
    assert f"p = {row.metrics['token_accuracy']:.3f}" in page_text
    assert f"**{power:.3f}**" in page_text


def test_a_missing_table_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped_tables, "FOLDER", tmp_path)
    app = page(section="grokking")
    assert not app.exception
    assert "python -m playground emergence --study grokking" in app.error[0].value


def test_a_live_run_is_measured_and_drawn_beside_the_others(runs):
    trained("addition", runs / "Abcdefghijkmnop")
    write_about(runs / "Abcdefghijkmnop", "seed-0")
    app = page(over="training", run="Abcdefghijkmnop")
    for _again in range(3):
        app.run()
    assert not app.exception
    assert not app.error, words(app)
    assert "3 checkpoints measured" in progress(app)
    *shipped, live = [curve["customdata"][0][-1] for curve in drawn(app)]
    assert all("train it live below" in click for click in shipped)
    assert live == "train?run=Abcdefghijkmnop"
    app.button(key="another_live").click().run()
    assert RUN not in app.query_params


def test_a_live_run_opens_from_both_panels_of_progress_measures(runs):
    trained("induction", runs / "Abcdefghijkmnop")
    app = page(section="induction", run="Abcdefghijkmnop")
    for _again in range(3):
        app.run()
    clicks = [curve["customdata"][0][-1] for curve in drawn(app)]
    assert [click.startswith("say:") for click in clicks[:3]] == [True] * 3
    assert clicks[3:] == ["train?run=Abcdefghijkmnop"] * 3


def test_another_session_finds_the_studys_runs_on_this_machine(runs):
    trained("addition", runs / "Abcdefghijkmnop")
    trained("induction", runs / "Bbcdefghijkmnop")
    app = page()
    known = app.selectbox(key="known_addition")
    assert known.value == "Abcdefghijkmnop"
    assert len(known.options) == 1
    app.button(key="open_live").click().run()
    assert not app.exception
    assert app.query_params[RUN] in ("Abcdefghijkmnop", ["Abcdefghijkmnop"])


def test_on_a_shared_server_only_runs_whose_id_is_known_are_listed(runs, monkeypatch):
    trained("addition", runs / "Abcdefghijkmnop")
    monkeypatch.setattr(run_table, "is_hosted", lambda: True)
    assert "known_addition" not in [box.key for box in page().selectbox]
    assert "known_addition" in [box.key for box in page(runs="Abcdefghijkmnop").selectbox]


def progress(app: AppTest) -> str:
    """The text of the progress bar."""
    return " ".join(str(element.proto.text) for element in app.get("progress"))


def test_a_run_of_another_study_or_one_that_is_gone_leaves_the_start(runs):
    trained("induction", runs / "Abcdefghijkmnop")
    other = page(run="Abcdefghijkmnop")
    assert not other.exception
    assert "start_live" in [button.key for button in other.button]
    gone = page(run="Gone")
    assert not gone.exception
    assert "may have been deleted" in words(gone)


def test_a_stopped_run_keeps_what_was_measured(runs):
    config = dataclasses.replace(small_config("addition"), steps=400, evaluate_every=400)
    stream = train_into(config, runs / "Abcdefghijkmnop")
    for _step in range(3):
        next(stream)
    stream.close()
    app = page(run="Abcdefghijkmnop")
    assert not app.exception
    assert "Interrupted" in progress(app)


@pytest.mark.slow
def test_start_trains_a_run_and_its_checkpoints_arrive(runs):
    app = page()
    app.button(key="start_live").click().run()
    run_id = app.query_params[RUN]
    run_id = run_id[0] if isinstance(run_id, list) else run_id
    assert (runs / run_id / "config.json").exists() or (runs / run_id).exists()
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and not ("Finished" in progress(app) and "3 checkpoints" in progress(app)):
        app.run()
    assert "Finished" in progress(app)
    assert not app.exception


@pytest.mark.parametrize(("steepest", "verdict"), [(0.9, "makes the jump"), (0.5, "makes hardly any of the jump")])
def test_the_page_says_whether_the_metric_makes_the_jump(monkeypatch, steepest, verdict):
    shares = iter([steepest, 0.45] + [0.3] * 20)
    monkeypatch.setattr(emergence_shown, "steepest_share", lambda *_curve: next(shares))
    app = page(over="training")
    assert verdict in words(app)
    assert f"{steepest:.0%}" in words(app)


def test_of_several_curves_the_verdict_names_the_largest_models(monkeypatch, tables):
    names = iter("ab" * 1000)
    monkeypatch.setattr(answer_metrics, "run_title", lambda _checkpoint: f"Run {next(names)}")
    runs = runs_of(shipped_tables.read_study("addition", tables))
    assert len(runs) == 2
    assert "Run b: **Here the metric makes" in words(page(over="training", size="all"))


@pytest.mark.parametrize("section", ["induction", "grokking"])
def test_the_page_says_at_which_step_each_metric_is_halfway(section, tables):
    said = next(text.value for text in page(section=section).text if text.value.startswith("Halfway"))
    run = runs_of(shipped_tables.read_study(section, tables))[studies.STUDIES[section]().live]
    name = {"induction": "induction_score", "grokking": "test_loss"}[section]
    at = midpoint([checkpoint.step for checkpoint in run], [checkpoint.metrics[name] for checkpoint in run])
    assert f"at step {at:,.0f}" in said


def test_a_single_seed_is_said_to_be_one(tables):
    seeds = {row.seed for row in shipped_tables.read_study("addition", tables)}
    assert ("seed variance not measured" in words(page())) == (len(seeds) == 1)


@pytest.mark.parametrize(
    ("parameters", "measure"),
    [
        ({}, "exact_match"),
        ({"over": "training", "size": "all", "measure": "edit_distance"}, "edit_distance"),
        ({"over": "training"}, "exact_match"),
        ({"section": "induction", "control": "true"}, "induction_score"),
        ({"section": "grokking", "hidden": "gini", "control": "true"}, "embedding_gini"),
    ],
)
def test_the_snippet_prints_the_numbers_that_are_drawn(parameters, measure, tables, capsys):
    (code,) = page(**parameters).code
    exec(code.value, {})
    printed = capsys.readouterr().out.split()
    last = list(runs_of(shipped_tables.read_study(parameters.get("section", "addition"), tables)).values())[-1][-1]
    assert printed[-1] == str(last.metrics[measure])
