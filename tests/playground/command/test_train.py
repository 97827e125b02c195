"""`python -m playground train`, as a person calls it."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from playground import load
from playground.__main__ import main
from playground.command.train import required_fields
from playground.tasks.registry import TASKS
from playground.training.run.folder import read_train_config
from playground.training.run.paths import checkpoint_folders
from tests.helpers.small_training import write_text

ROOT = Path(__file__).parents[3]
SMALL = ["--vocabulary", "characters", "--vocabulary-size", "32", "--context", "16", "--width", "16", "--layers", "2"]
SMALL += ["--heads", "2", "--hidden", "24", "--batch", "2", "--warm-up", "2", "--evaluate-rows", "2"]


def words(source: Path, out: Path, *more: str, steps: int = 4) -> list[str]:
    return ["train", "--source", str(source), "--out", str(out), *SMALL, "--steps", str(steps), *more]


def started(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "playground", *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(arguments: list[str], capsys) -> str:
    """What a refused command says; an exception that is not argparse's exit fails the test."""
    try:
        code = main(arguments)
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    assert code == 2, captured
    assert "Traceback" not in captured.err
    return captured.err


# A run


def test_a_run_is_what_its_options_say(tmp_path, capsys):
    source = write_text(tmp_path)
    options = ["--schedule", "linear", "--positions", "learned", "--key-value-heads", "1", "--clip", "0.5"]
    assert main(words(source, tmp_path / "run", *options, "--repeats", "0.5", "--keep-lines", "--seed", "3")) == 0
    config = read_train_config(tmp_path / "run" / "config.json")
    assert (config.steps, config.schedule, config.clip, config.seed) == (4, "linear", 0.5, 3)
    assert (config.model.positions, config.model.key_value_heads, config.model.vocabulary) == ("learned", 1, 32)
    assert (config.task.repeats, config.task.unwrap, config.task.sources) == (0.5, False, (str(source),))
    assert "step 4/4" in capsys.readouterr().out
    assert [path.name for path in checkpoint_folders(tmp_path / "run")] == ["000000", "000004"]


def test_a_run_can_be_repeated_from_its_config(tmp_path):
    source = write_text(tmp_path)
    assert main(words(source, tmp_path / "run")) == 0
    config = tmp_path / "run" / "config.json"
    assert main(["train", "--config", str(config), "--out", str(tmp_path / "again")]) == 0
    for name in ("config.json", "metrics.jsonl", "samples.jsonl", "snapshots/000004/model.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_config_goes_with_no_other_options(tmp_path, capsys):
    (tmp_path / "config.json").write_text("{}")
    words_ = ["train", "--config", str(tmp_path / "config.json"), "--out", str(tmp_path / "run"), "--width", "8"]
    assert "leave out width" in refused(words_, capsys)


TINY = ["--steps", "2", "--warm-up", "1", "--batch", "2", "--evaluate-rows", "2", "--evaluate-every", "1"]
TINY += ["--width", "8", "--layers", "1", "--heads", "1", "--frames", "0"]


@pytest.mark.parametrize("name", [name for name in TASKS if not required_fields(TASKS[name])])
def test_every_task_trains_with_what_it_needs_and_becomes_a_model_that_loads(name, tmp_path, capsys):
    """A task that has to be told nothing trains from its name alone; its model is as large as it says."""
    more = ["--text", "The cat sat on the mat. " * 40] if name in ("text", "masked") else []
    more += ["--context", "32"] if TASKS[name].config(**given_text(name)).needs().context == 1 else []
    run = tmp_path / "run"
    assert main(["train", "--task", name, "--out", str(run), *TINY, *more]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert "held_out_loss" in lines[-1]
    config = read_train_config(run / "config.json")
    needs = config.task.needs()
    assert (config.model.kind, config.model.vocabulary, config.model.classes) == (
        needs.kind,
        needs.vocabulary,
        needs.classes,
    )
    assert main(["export", str(run), "--out", str(tmp_path / "model")]) == 0
    assert load(str(tmp_path / "model")).kind == needs.kind
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert card.startswith("# model\n")
    assert config.model.kind in card
    assert "held_out_loss" in card


def given_text(name: str) -> dict:
    return {"text": "a b"} if name in ("text", "masked") else {}


def test_copying_leaves_a_texts_context_at_the_models_default(tmp_path):
    text = ["--text", "the cat sat on the mat. " * 60, "--vocabulary", "characters", "--vocabulary-size", "32"]
    run = tmp_path / "run"
    assert main(["train", "--out", str(run), *TINY, *text, "--copying-first", "1", "--copying-beside", "1"]) == 0
    assert read_train_config(run / "config.json").model.context == 256


def test_options_of_one_task_are_not_those_of_another(tmp_path, capsys):
    words_ = ["train", "--task", "induction", "--out", str(tmp_path / "run"), "--modulus", "7"]
    assert "unrecognized arguments: --modulus" in refused(words_, capsys)
    assert "modulus is 2" in refused(["train", "--task=modular", "--out", str(tmp_path), "--modulus", "2"], capsys)
    assert "expected one argument" in refused(["train", "--out", str(tmp_path), "--task"], capsys)


def wait_for_snapshot(process: subprocess.Popen[str], folder: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if len(checkpoint_folders(folder)) > 1:
            return
        time.sleep(0.005)
    process.kill()
    raise AssertionError(f"no snapshot: {process.communicate()}")


@pytest.mark.slow
def test_a_run_that_was_killed_ends_bit_for_bit_like_one_that_was_not(tmp_path):
    source = write_text(tmp_path)
    more = ["--snapshot-every", "25", "--evaluate-every", "40"]
    whole = started(words(source, tmp_path / "whole", *more, steps=400))
    killed = started(words(source, tmp_path / "killed", *more, steps=400))
    wait_for_snapshot(killed, tmp_path / "killed")
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert int(checkpoint_folders(tmp_path / "killed")[-1].name) < 400
    assert json.loads((tmp_path / "killed" / "status.json").read_text())["state"] == "running"
    again = started(words(source, tmp_path / "killed", *more, steps=400))
    for process in (again, whole):
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    lines = (tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 401))
    names = ["metrics.jsonl", "samples.jsonl", "tokenizer.json"]
    names += [f"snapshots/000400/{part}.safetensors" for part in ("model", "resume/optimizer")]
    for name in names:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


# Refusals


def test_a_refusal_is_one_sentence_and_code_2_in_a_process_of_its_own(tmp_path):
    process = started(words(tmp_path / "gone.txt", tmp_path / "run"))
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert (
        errors == f"playground: There is no file {tmp_path / 'gone.txt'}. Name a .txt file or a .zip of .txt files.\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--steps", "0"], "steps is 0"),
        (["--steps", "2", "--warm-up", "3"], "longer than the run"),
        (["--batch", "0"], "batch is 0"),
        (["--snapshot-every", "0"], "checkpoint_every is 0"),
        (["--threads", "0"], "threads is 0"),
        (["--seed", "-1"], "seed is -1"),
        (["--heads", "3"], "does not divide"),
        (["--heads", "2", "--key-value-heads", "0"], "key_value_heads is 0"),
        (["--hidden", "-1"], "hidden is -1"),
        (["--width", "2"], "is odd"),
        (["--learning-rate", "nan"], "learning rate of nan"),
        (["--vocabulary", "bpe", "--vocabulary-size", "100"], "at least 257"),
        (["--vocabulary", "bpe", "--vocabulary-size", "65537"], "at most 65536"),
        (["--vocabulary-size", "2"], "at least 3"),
        (["--held-out", "1"], "held-out share"),
        (["--context", "5000"], "training text has"),
        (["--held-out", "0.001"], "held-out text has"),
        (["--betas", "0.9"], "expected 2 arguments"),
        (["--betas", "0.9", "1"], "betas are"),
        (["--copying-first", "2"], "at least 48"),
        (["--kind", "encoder"], "unrecognized arguments"),
        (["--width", "1000000"], "at most 65,536"),
        (["--width", "65536", "--layers", "64"], "GB of memory"),
        (["--batch", "1000000000"], "GB of memory"),
        (["--positions", "alibi"], "invalid choice: 'alibi'"),
        (["--norm", "batch"], "invalid choice: 'batch'"),
        (["--feed-forward", "tanh"], "invalid choice: 'tanh'"),
        (["--schedule", "exponential"], "invalid choice: 'exponential'"),
        (["--vocabulary", "morse"], "invalid choice: 'morse'"),
        (["--task", "sorting"], "invalid choice: 'sorting'"),
        (["--steps", "many"], "invalid int value: 'many'"),
    ],
)
def test_a_wrong_option_is_refused(tmp_path, capsys, options, sentence):
    assert sentence in refused(words(write_text(tmp_path), tmp_path / "run", *options), capsys)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("latin.txt", "caf\u00e9".encode("latin-1"), "is not UTF-8 text"),
        ("empty.txt", b"", "holds no text"),
        ("short.txt", b"a short text", "The held-out text has 1 tokens"),
        ("broken.zip", b"no archive", "is not a .zip archive"),
    ],
)
def test_a_wrong_source_is_refused(tmp_path, capsys, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    assert sentence in refused(words(tmp_path / name, tmp_path / "run"), capsys)


def test_a_zip_without_text_and_no_source_at_all_are_refused(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cat.png", b"")
    assert "no .txt file in" in refused(words(tmp_path / "pictures.zip", tmp_path / "run"), capsys)
    assert "at least one text file" in refused(["train", "--out", str(tmp_path / "run")], capsys)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[1]", "wrong kind"),
        (b'{"task": {"name": "dancing"}, "model": {"vocabulary": 9}}', "no task 'dancing'"),
        (b"{}", "lacks the field 'task'"),
        (b'{"task": {"name": "text", "sources": ["a.txt"]}, "model": {"vocabulary": 4096}, "steps": 0}', "steps is 0"),
        (b'{"task": {"name": "text", "sources": ["a.txt"]}, "model": {"vocabulary": 4096}, "speed": 1}', "unknown"),
    ],
)
def test_a_wrong_config_is_refused(tmp_path, capsys, content, sentence):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    assert sentence in refused(["train", "--config", str(path), "--out", str(tmp_path / "run")], capsys)


def test_a_place_that_is_no_folder_or_another_runs_is_refused(tmp_path, capsys):
    source = write_text(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert "cannot be read or written" in refused(words(source, tmp_path / "file"), capsys)
    assert "cannot be read or written" in refused(words(source, tmp_path / "file" / "run"), capsys)
    assert (tmp_path / "file").read_text() == "mine"
    assert main(words(source, tmp_path / "run")) == 0
    capsys.readouterr()
    assert "another configuration" in refused(words(source, tmp_path / "run", "--seed", "5"), capsys)


def test_an_interruption_is_130_and_the_run_can_go_on(tmp_path, monkeypatch):
    from playground.command import train

    def interrupt(*_):
        raise KeyboardInterrupt

    source = write_text(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(train, "print_step", interrupt)
        assert main(words(source, tmp_path / "run", "--snapshot-every", "1")) == 130
    assert [path.name for path in checkpoint_folders(tmp_path / "run")] == ["000000", "000001"]
    assert main(words(source, tmp_path / "run", "--snapshot-every", "1")) == 0
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 4
