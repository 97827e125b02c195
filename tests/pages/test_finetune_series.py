"""Series of fine-tunings on the page: checked and queued in sight, drawn when finished, and the same in Python."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from playground.errors import UserError
from playground.finetuning.held_out_scores import score_models
from playground.finetuning.series_results import label_points, rank_points
from playground.jobs import executor
from playground.jobs.limits import Limits
from playground.models import load
from playground.tasks.finetune.rows import read_split
from playground.training.finetune import TrainedParts
from playground.training.finetune.result import before_and_after
from playground.training.finetune.sweeps import label_configs, rank_configs
from playground.training.run.folder import read_run_config
from playground.training.run.folder import run as train_into
from tests.helpers.page_script import charts, run_page, words
from tests.helpers.quiet_runs import QuietExecutor
from tests.helpers.small_finetuning import finetune_config
from ui.jobs import PATIENCE_SECONDS, ProgressBar

torch.set_num_threads(1)
COUNTS, RANKS = (8, 16), (1, 2, 4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two series of tiny runs, trained to their ends; the first run of the ranks is the one in the address."""
    root = tmp_path_factory.mktemp("runs")
    config = finetune_config(root, parts=TrainedParts(rank=2, alpha=4.0))
    series = {"labels": label_configs(config, COUNTS), "ranks": rank_configs(config, RANKS)}
    folders: dict[str, list[Path]] = {}
    for name, configs in series.items():
        folders[name] = [root / f"{name}Abcdefghijk{number}" for number in range(len(configs))]
        for one, folder in zip(configs, folders[name], strict=True):
            list(train_into(one, folder))
    folders["pairs"] = [root / "pairsAbcdefghijk0"]
    list(train_into(finetune_config(root, "encoder-decoder", "pairs", parts=TrainedParts(rank=2)), folders["pairs"][0]))
    return folders


@pytest.fixture(autouse=True)
def quiet(trained: dict[str, list[Path]], monkeypatch: pytest.MonkeyPatch) -> Iterator[QuietExecutor]:
    """An executor for these runs that queues and trains nothing."""
    root = trained["ranks"][0].parent
    monkeypatch.setenv("PLAYGROUND_RUNS", str(root))
    quiet = QuietExecutor(root, slots=1)
    quiet.slots = 0  # what is queued waits
    monkeypatch.setattr(quiet, "check", lambda config: None)
    for module in ("series_runs", "subject", "new_run"):
        monkeypatch.setattr(f"ui.sections.finetune.{module}.default_executor", lambda: quiet)
    monkeypatch.setattr("ui.sections.train.run.default_executor", lambda: quiet)
    monkeypatch.setattr(executor, "default_executor", lambda: quiet)
    yield quiet
    quiet.close()


def page(trained: dict[str, list[Path]], show: str, **parameters: str) -> AppTest:
    app = run_page("finetune", show=show, run=trained["ranks"][0].name, **parameters)
    assert not app.exception, app.exception
    return app


def ids_of(folders: list[Path]) -> str:
    return ",".join(folder.name for folder in folders)


def ids_in(app: AppTest) -> list[str]:
    """The runs of the rank sweep that the address names."""
    value = app.query_params["rank_runs"]
    return str(value[0] if isinstance(value, list) else value).split(",")


def program_of(app: AppTest, word: str) -> str:
    (code,) = [str(code.value) for code in app.code if word in str(code.value)]
    return code


def start(app: AppTest, parameter: str = "rank_runs") -> AppTest:
    app.button(key=f"start_{parameter}").click().run()
    assert not app.exception, app.exception
    return app


def test_a_series_is_checked_in_sight_and_then_queued(trained, quiet, monkeypatch):
    """Nothing is silent for 0.3 seconds: the bar stands there while the first run is still being checked."""
    checked: list[float] = []
    shown: list[tuple[float, str]] = []
    made = ProgressBar.__init__

    def slow_check(config: Any) -> None:
        time.sleep(3 * PATIENCE_SECONDS)
        checked.append(time.monotonic())

    def seen(self: ProgressBar, slot: Any, title: str, name: str) -> None:
        shown.append((time.monotonic(), title))
        made(self, slot, title, name)

    app = page(trained, "ranks", ranks="1,2,4")
    monkeypatch.setattr(quiet, "check", slow_check)
    monkeypatch.setattr(ProgressBar, "__init__", seen)
    start(app)
    assert shown[0][1] == "Checking what each run needs:"
    assert shown[0][0] < checked[0]
    ids = ids_in(app)
    configs = [read_run_config(quiet.root / run_id / "config.json") for run_id in ids]
    assert [config.parts.rank for config in configs] == [1, 2, 4]
    assert quiet.waiting() == tuple(ids)
    assert "0 of 3 runs finished" in str(app.get("progress")[0].proto.text)


def test_a_series_beyond_the_machine_is_refused_and_queues_nothing(trained, quiet, monkeypatch):
    def refuse(config: Any) -> None:
        if config.parts.rank == 4:
            raise UserError("That needs 3.0 GB.")

    app = page(trained, "ranks", ranks="1,2,4")
    monkeypatch.setattr(quiet, "check", refuse)
    assert "That needs 3.0 GB." in words(start(app))
    assert quiet.waiting() == ()
    assert "rank_runs" not in app.query_params


def test_what_a_full_queue_took_is_followed(trained, quiet, monkeypatch):
    monkeypatch.setattr(quiet, "limits", Limits(queued=2))
    app = start(page(trained, "ranks", ranks="1,2,4"))
    assert "The queue is full, of length 2" in words(app)
    assert ids_in(app) == list(quiet.waiting())
    assert len(quiet.waiting()) == 2


def test_a_click_in_the_middle_of_the_queueing_starts_no_run_twice(trained, quiet, monkeypatch):
    """The run of the script that queued the first two is ended; the next one queues the third."""
    submit, done = quiet.submit, []

    def submit_or_end(config: Any, **about: Any) -> str:
        if len(done) == 2:
            done.append("ended")
            raise StopException
        done.append(submit(config, **about))
        return str(done[-1])

    app = page(trained, "ranks", ranks="1,2,4")
    monkeypatch.setattr(quiet, "submit", submit_or_end)
    start(app)
    assert len(quiet.waiting()) == 2
    app.run()
    assert ids_in(app) == list(quiet.waiting())
    assert len(quiet.waiting()) == 3


def test_the_label_curve_has_both_starts_and_their_intervals(trained):
    app = page(trained, "labels", label_runs=ids_of(trained["labels"]))
    (chart,) = charts(app)
    assert chart["label"] == "Held-out accuracy over the number of labels"
    points = label_points(trained["labels"])
    assert [(point.start, point.labels) for point in points] == [
        ("pretrained", 8),
        ("pretrained", 16),
        ("scratch", 8),
        ("scratch", 16),
    ]
    curves = [trace for trace in chart["figure"]["data"] if trace.get("customdata")]
    assert [curve["name"] for curve in curves] == ["pre-trained", "from scratch"]
    for curve in curves:
        assert [int(x) for x in curve["x"]] == [8, 16]
        assert all(low <= y <= high for y, (low, high, _n) in zip(curve["y"], curve["customdata"], strict=True))
        (band,) = (trace for trace in chart["figure"]["data"] if trace["name"] == f"{curve['name']}: interval")
        assert list(band["y"]) == [
            *(low for low, _, _ in curve["customdata"]),
            *(high for _, high, _ in reversed(curve["customdata"])),
        ]
        assert any(high - low > 0.1 for low, high, _n in curve["customdata"])


def run_program(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> list[str]:
    monkeypatch.chdir(folder)
    capsys.readouterr()
    exec(compile(program, "snippet", "exec"), {})
    return capsys.readouterr().out.splitlines()


def test_the_program_of_the_label_curve_makes_its_points(trained, tmp_path, monkeypatch, capsys):
    app = page(trained, "labels", label_runs=ids_of(trained["labels"]))
    printed = run_program(program_of(app, "label_configs"), tmp_path, monkeypatch, capsys)
    own = {(point.start, point.labels): point.accuracy for point in label_points(trained["labels"])}
    found = {}
    for line in printed[:4]:
        begun, labels, spread = line.split(" ", 2)
        found[begun, int(labels)] = float(spread.partition("value=")[2].partition(",")[0])
    assert found == pytest.approx(own)
    assert printed[4].startswith("LabelBaselines(")


def test_the_program_of_the_rank_sweep_makes_its_points(trained, tmp_path, monkeypatch, capsys):
    app = page(trained, "ranks", rank_runs=ids_of(trained["ranks"]))
    printed = run_program(program_of(app, "rank_configs"), tmp_path, monkeypatch, capsys)
    own = rank_points(trained["ranks"])
    assert [line.split()[:2] for line in printed] == [[str(point.rank), str(point.trainable)] for point in own]
    assert [float(line.split()[-2]) for line in printed] == pytest.approx([point.drift for point in own], rel=1e-4)


def test_the_program_of_the_held_out_measures_prints_the_table(trained, tmp_path, monkeypatch, capsys):
    app = page(trained, "effects", effect="scores")
    printed = run_program(program_of(app, "score_models"), tmp_path, monkeypatch, capsys)
    run = trained["ranks"][0]
    scores = score_models(load(before_and_after(run)[1]), read_split(run))
    assert printed == [f"{s.name} {s.spreads.accuracy} {s.spreads.macro_f1}" for s in scores.systems]
    shown = [round(system.spreads.accuracy.value, 4) for system in scores.systems]
    assert list(app.dataframe[0].value["accuracy"]) == pytest.approx(shown)


def test_bleu_is_on_its_own_scale(trained):
    app = run_page("finetune", show="run", run=trained["pairs"][0].name)
    assert not app.exception, app.exception
    (chart,) = [chart for chart in charts(app) if chart["label"] == "The task's measures on held-out data"]
    assert chart["figure"]["layout"]["yaxis"]["title"]["text"] == "BLEU"
    assert [line["name"] for line in chart["figure"]["data"]] == ["BLEU"]
