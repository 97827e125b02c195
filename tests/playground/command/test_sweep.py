"""`python -m playground sweep`: what it prints, what it leaves, and one sentence for what cannot be."""

import csv
import json
import math

import pytest
import torch

from playground.__main__ import main

torch.set_num_threads(1)
SMALL = [
    "--names",
    "4",
    "--sizes",
    "8x1",
    "16x1",
    "--tokens",
    "512",
    "1024",
    "--context",
    "16",
    "--batch",
    "2",
    "--warm-up",
    "2",
    "--evaluations",
    "2",
]
SMALL += ["--evaluate-rows", "2"]
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40


def test_a_dry_run_prints_every_cell_and_trains_nothing(tmp_path, capsys):
    assert main(["sweep", *SMALL, "--dry-run", "--price", "2", "--out", str(tmp_path / "sweep")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        "w8-l1-t1024-s0", "w8-l1-t512-s0", "w16-l1-t1024-s0", "w16-l1-t512-s0",
    ]  # fmt: skip
    assert lines[1].split()[2:5:2] == ["1,024", "0.016"]
    assert lines[-1].startswith("4 cells")
    assert "at 2 for a worker's hour" in lines[-1]
    assert not (tmp_path / "sweep").exists()


def test_a_sweep_is_trained_resumed_and_collected(tmp_path, capsys):
    folder, target = str(tmp_path / "sweep"), tmp_path / "out"
    assert main(["sweep", *SMALL, "--out", folder]) == 0
    assert "4 of 4 cells are done" in capsys.readouterr().out
    assert main(["sweep", "--config", f"{folder}/sweep.json", "--out", folder]) == 0
    assert main(["sweep", "--collect", folder, "--out", str(target)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(target)
    assert len((target / "points.csv").read_text().splitlines()) == 5
    assert "--out sweep`" in (target / "card.md").read_text()
    assert json.loads((target / "sweep.json").read_text())["sizes"] == [[8, 1], [16, 1]]


def test_a_sweep_on_a_persons_text(tmp_path, capsys):
    (tmp_path / "text.txt").write_text(TEXT)
    words = [
        "--task",
        "text",
        "--sizes",
        "8x1",
        "--tokens",
        "512",
        "--context",
        "16",
        "--batch",
        "2",
        "--vocabulary",
        "characters",
    ]
    words += ["--vocabulary-size", "32", "--source", str(tmp_path / "text.txt"), "--evaluate-rows", "2"]
    assert main(["sweep", *words, "--out", str(tmp_path / "sweep")]) == 0
    with (tmp_path / "sweep" / "points.csv").open() as file:
        (point,) = csv.DictReader(file)
    assert point["run"] == "w8-l1-t512-s0"
    assert point["floor"] == ""  # the lowest possible loss is not known
    # A character of this text is a byte.
    assert float(point["bits_per_byte"]) == pytest.approx(float(point["loss"]) / math.log(2), rel=0.01)


def test_failed_cells_are_named_and_the_code_is_not_zero(tmp_path, capsys):
    (tmp_path / "text.txt").write_text(TEXT[:300])
    words = [
        "--task",
        "text",
        "--sizes",
        "8x1",
        "--tokens",
        "2048",
        "--context",
        "1024",
        "--batch",
        "1",
        "--vocabulary",
        "characters",
    ]
    words += ["--vocabulary-size", "32", "--source", str(tmp_path / "text.txt")]
    assert main(["sweep", *words, "--out", str(tmp_path / "sweep")]) == 2
    said = capsys.readouterr()
    assert "1 cells failed: w8-l1-t2048-s0" in said.err
    assert "too few for a context of 1024" in said.out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--sizes", "8x1"], "--out FOLDER"),
        (["--dry-run", "--tokens", "0"], "at least 1"),
        (["--dry-run", "--design", "isoflop"], "flops"),
        (["--dry-run", "--config", "nowhere.json"], "nowhere.json"),
        (["--dry-run", "--config", "nowhere.json", "--seeds", "1"], "leave out seeds"),
        (["--out", "here", "--workers", "0"], "workers"),
        (["--dry-run", "--price", "nan"], "cannot cost"),
        (["--collect", "nowhere", "--out", "here"], "holds no sweep"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, part, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *words]) == 2
    said = capsys.readouterr().err
    assert part in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["sweep", "--dry-run", "--sizes", "wide"])
    assert "write a width and a number of layers" in capsys.readouterr().err
