"""`python -m playground fit`: what it prints, and what it refuses with exit code 2."""

import json
import subprocess
import sys

import numpy as np
import pytest

from playground.__main__ import main
from playground.emergence.tables import FOLDER
from playground.scaling.published import BESIROGLU, HOFFMANN
from playground.scaling.refits import hoffmann_csv
from tests.helpers.planted_points import scattered


@pytest.fixture
def points(tmp_path):
    runs = scattered(noise=0.003, count=40)
    lines = [f"{n!r},{d!r},{loss!r}" for n, d, loss in np.stack([runs.params, runs.tokens, runs.loss], 1).tolist()]
    path = tmp_path / "points.csv"
    path.write_text("\n".join(["params,tokens,loss", *lines]) + "\n")
    return path


def test_json_has_the_fit_its_intervals_and_how_far_to_trust_it(points, capsys):
    assert main(["fit", str(points), "--law", "chinchilla", "--bootstraps", "8", "--processes", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    wanted = ["law", "parameters", "intervals", "objective", "starts", "reached", "heldout_error"]
    assert list(report)[: len(wanted)] == wanted
    assert report["law"] == "chinchilla"
    assert set(report["parameters"]) == {"E", "A", "B", "alpha", "beta"} == set(report["intervals"])
    assert report["parameters"]["alpha"] == pytest.approx(BESIROGLU.parameters["alpha"], rel=0.1)
    low, high = report["intervals"]["alpha"]
    assert low < report["parameters"]["alpha"] < high
    assert report["starts"] == 32 == len(report["objectives"])
    assert 1 < report["reached"] <= 32
    assert 0 < report["heldout_error"] < 0.02
    assert len(report["heldout"]["points"]) == 8


def test_a_known_floor_is_fixed(points, capsys):
    words = ["fit", str(points), "--floor", "1.8", "--bootstraps", "0", "--json"]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["floor"] == pytest.approx(report["parameters"]["E"]) == 1.8
    assert main([*words, "--law", "kaplan"]) == 2
    assert "has no E" in capsys.readouterr().err


def test_other_laws_print_their_own_numbers(points, capsys):
    assert main(["fit", str(points), "--law", "power-n", "--bootstraps", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["parameters"]) == {"A", "alpha"}
    assert report["intervals"] == {}


def test_text_puts_the_prediction_first(points, capsys):
    assert main(["fit", str(points), "--bootstraps", "4", "--processes", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "chinchilla, 40 points"
    assert lines[1].startswith("predicts the 8 largest runs")
    assert any(line.split()[:1] == ["alpha"] and "95%" in line for line in lines)


def test_columns_of_other_names_can_be_given(points, capsys):
    points.write_text(points.read_text().replace("params,tokens,loss", "size,seen,nll"))
    assert main(["fit", str(points), "--law", "power-n", "--bootstraps", "0", "--json"]) == 2
    assert "lacks tokens (or flops) and loss" in capsys.readouterr().err
    words = ["fit", str(points), "--law", "power-n", "--tokens", "seen", "--loss", "nll", "--bootstraps", "0", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["columns"] == {"params": "size", "tokens": "seen", "loss": "nll"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("params,loss\n1,2\n", "Row 1: the header lacks tokens (or flops)"),
        ("params,tokens,loss\n" + "1e6,1e9,3\n" * 9 + "1e6,1e9,0\n", "Row 11: loss is 0, not above 0."),
        ("params,tokens,loss\n" + "1e6,1e9,3\n" * 9 + "1e6,1e9,-1\n", "Row 11: loss is -1, not above 0."),
        ("params,tokens,loss\n1e6,lots,3\n" + "1e6,1e9,3\n" * 9, "Row 2: tokens is 'lots', not a number."),
        ("params,tokens,loss\n" + "1e6,1e9,3\n" * 3, "5 parameters to fit; bring at least 6 points instead of 3"),
        ("", "The file is empty"),
    ],
)
def test_a_bad_file_is_answered_with_row_and_reason(content, sentence, tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    assert main(["fit", str(path), "--law", "chinchilla", "--json"]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["/no/such.csv"], "cannot be read"),
        (["points.csv", "--law", "moore"], "There is no law 'moore'; choose one of chinchilla"),
        (["points.csv", "--bootstraps", "1"], "give no interval"),
        (["points.csv", "--bootstraps", "-3"], "give no interval"),
        (["points.csv", "--seed", "-1"], "The seed is -1"),
        (["points.csv", "--processes", "0"], "cannot work"),
        (["points.csv", "--loss", "price"], "no column 'price'"),
        (["points.csv", "--leave-out", "-1"], "-1 of 40 runs cannot be left out; choose 0 to 39"),
        (["points.csv", "--leave-out", "40"], "40 of 40 runs cannot be left out"),
        (["points.csv", "--leave-out", "36"], "bring at least 6 points instead of 4"),
        (["points.csv", "--starts", "0"], "cannot begin from 0 starts"),
        (["points.csv", "--delta", "nan"], "A Huber delta of nan makes no fit"),
        (["points.csv", "--weighing", "mean", "--law", "kaplan"], "leave law, floor and starts out"),
        (["points.csv", "--beginning", "middle", "--leave-out", "36"], "Too few runs are left: 4"),
    ],
)
def test_strange_wishes_are_refused(words, sentence, points, capsys, monkeypatch):
    monkeypatch.chdir(points.parent)
    assert main(["fit", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_published_runs_without_the_five_highest_are_fitted_as_on_the_page(capsys):
    """The default way and the page's own give one law, the replication's."""
    words = ["fit", str(hoffmann_csv()), "--leave-out", "5", "--bootstraps", "0", "--json"]
    assert main(words) == 0
    fitted = json.loads(capsys.readouterr().out)
    assert main([*words, "--weighing", "scaled", "--beginning", "grid", "--delta", "0.001"]) == 0
    refitted = json.loads(capsys.readouterr().out)
    assert (fitted["points"], fitted["left_out"], refitted["points"]) == (240, 5, 240)
    for name, value in {"E": 1.8172, "alpha": 0.3473, "beta": 0.3672}.items():
        assert fitted["parameters"][name] == pytest.approx(value, abs=5.1e-5)
        assert refitted["parameters"][name] == pytest.approx(fitted["parameters"][name], abs=1e-5)
    assert refitted["objective"] == pytest.approx(fitted["objective"], rel=1e-9)


def test_a_mean_from_the_printed_law_stays_at_the_printed_law(capsys):
    words = ["fit", str(hoffmann_csv()), "--leave-out", "5", "--weighing", "mean", "--beginning", "printed"]
    assert main([*words, "--bootstraps", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "chinchilla, 240 points"
    beta = next(float(line.split()[1]) for line in lines if line.split()[:1] == ["beta"])
    assert beta == pytest.approx(HOFFMANN.parameters["beta"], abs=0.01)
    assert "Hoffmann's printed law has" in lines[-1]


@pytest.mark.parametrize("bootstraps", ["0", "8"])
def test_a_recipe_tells_nothing_that_its_points_do_not(bootstraps, tmp_path, capsys):
    """Tokens follow the parameters, so that no fit tells alpha from beta, wherever it began."""
    runs = scattered(noise=0.001, count=40)
    loss = 1.7 + 3e3 * runs.params**-0.5
    lines = [f"{n!r},{20 * n!r},{value!r}" for n, value in np.stack([runs.params, loss], 1).tolist()]
    path = tmp_path / "line.csv"
    path.write_text("\n".join(["params,tokens,loss", *lines]) + "\n")
    words = ["fit", str(path), "--bootstraps", bootstraps, "--processes", "1", "--json"]
    assert main(words) == 0
    fitted = json.loads(capsys.readouterr().out)
    assert main([*words, "--weighing", "mean", "--beginning", "middle"]) == 0
    refitted = json.loads(capsys.readouterr().out)
    assert {"alpha", "beta"} <= set(refitted["unidentified"])
    assert refitted["unidentified"] == fitted["unidentified"]
    assert any("move together" in warning for warning in refitted["warnings"])


def test_the_law_from_loss_to_task_is_fitted_to_a_table_of_checkpoints(capsys):
    table = FOLDER / "addition.csv"
    words = ["fit", str(table), "--loss", "held_out_loss", "--right", "exact_match", "--bootstraps", "20"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["law"] == "loss-to-task"
    assert report["intervals"]["gamma"][0] < report["parameters"]["gamma"] < report["intervals"]["gamma"][1]
    assert (report["points"], report["runs"]) == (186, 6)
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:1] == ["gamma"] and "95%" in line for line in lines)
    assert "the largest models' predicted to" in lines[-1]
    assert main(["fit", str(table), "--loss", "held_out_loss", "--right", "edit_distance", "--bootstraps", "0"]) == 0
    assert "! The share right does not rise as the loss falls" in capsys.readouterr().out
    assert main([*words, "--law", "gadre"]) == 2
    assert "takes --loss, --right" in capsys.readouterr().err


def test_checkpoints_without_an_evaluation_are_named(tmp_path, capsys):
    path = tmp_path / "checkpoints.csv"
    rows = [f"{4 - 0.2 * step:.1f},{0.992 + 0.0004 * step:.4f}" for step in range(9)]
    path.write_text("\n".join(["loss,right", *rows, "2,", ""]))
    assert main(["fit", str(path), "--right", "right", "--bootstraps", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "! Left out: Row 11: right is empty." in lines
    assert any(line.split()[:2] == ["gamma", "(0.02)"] for line in lines)


def test_asking_for_help_imports_neither_torch_nor_scipy():
    code = "import sys; import playground.__main__ as m; import playground.scaling as s; m._parser(['fit']); "
    code += "print({'torch', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
