"""The command `classify`: texts, tables, and everything that can be wrong."""

import csv
import io
import json
from pathlib import Path

import pytest

from playground.__main__ import main
from playground.csv_table import skip_comments
from playground.lens.generate.classification import classify
from playground.models import load
from tests.helpers.head_folders import drop_tensors, save_head


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_head(tmp_path_factory.mktemp("m") / "bert", "bert", "text")


def test_the_json_holds_the_packages_numbers(folder, capsys):
    assert main(["classify", str(folder), "good cat", "bad dog", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    expected = classify(load(str(folder), device="cpu"), ["good cat", "bad dog"])
    assert report["head"]["labels"] == ["bad", "good", "?"]
    assert (report["head"]["trained"], report["head"]["task"]) == (True, "text")
    for row, answer in zip(report["rows"], expected, strict=True):
        assert list(row["scores"].values()) == pytest.approx(answer.scores.tolist(), abs=1e-12)
        assert row["answer"] == answer.labels[answer.best]


def test_a_line_for_each_text(folder, capsys):
    assert main(["classify", str(folder), "good cat", " "]) == 0
    first, empty = capsys.readouterr().out.splitlines()
    assert first.split("\t")[2] == "good cat"
    assert empty.split("\t")[:2] == ["-", "-"]


def test_a_table_in_and_out(folder, tmp_path, capsys):
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text("id;said\n1;good cat\n2;=bad\n")
    assert main(["classify", str(folder), "--file", str(table), "--text-column", "said", "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    _skipped, text = skip_comments(out.read_text())
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:5] == ["id", "said", "answer", "score", "cut"]
    assert rows[2][1] == "'=bad"


def test_an_untrained_head_is_told_beside_the_answers(tmp_path, capsys):
    folder = drop_tensors(save_head(tmp_path / "m", "bert", "text"), "classifier")
    assert main(["classify", str(folder), "good", "--json"]) == 0
    printed = capsys.readouterr()
    assert "never trained" in printed.err
    assert json.loads(printed.out)["head"]["untrained"] == ["classifier.bias", "classifier.weight"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "not both"),
        (["good", "--file", "x.csv"], "not both"),
        (["--file", "nowhere.csv"], "cannot be read"),
        (["good", "--out", "/nowhere/out.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, words, said):
    assert main(["classify", str(folder), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_column_that_is_not_there(folder, tmp_path, capsys):
    table = tmp_path / "in.csv"
    table.write_text("a,b\n1,2\n")
    assert main(["classify", str(folder), "--file", str(table)]) == 2
    assert "no column 'text'; it has a, b" in capsys.readouterr().err


def test_a_model_without_a_head(capsys):
    assert main(["classify", "books-decoder", "good"]) == 2
    assert "no classifier" in capsys.readouterr().err
