"""Pieces of the scaling page: numbers in words, tables in and out, and snippets that really run."""

import numpy as np
import pytest

from playground.decoding import decode_upload
from playground.errors import UserError
from playground.scaling.fits import fit
from playground.scaling.frontier import envelope
from playground.scaling.points_csv import read_points
from playground.scaling.published import BESIROGLU
from tests.helpers.planted_points import isoflop_runs
from tests.helpers.tables import noisy_table, plant_sweep, planted_grid, table_of
from ui.sections.scaling.allocation import training_code
from ui.sections.scaling.figure import export_header, fit_code
from ui.sections.scaling.isoflop import profiles_code
from ui.sections.scaling.loss_curves import levels
from ui.sections.scaling.method_comparison import counted_code
from ui.sections.scaling.planner import PLAN_CODE, REPEATS_CODE, inference_code
from ui.sections.scaling.study import SHIPPED, study_of_sweep, study_of_table


def test_some_values_are_chosen_evenly_with_both_ends():
    assert levels(np.array([1.0, 2, 4, 8, 16, 32, 64, 64]), 3) == [1.0, 8.0, 64.0]
    assert levels(np.array([5.0, 5.0])) == [5.0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_uploaded_table_is_read_in_any_usual_encoding(encoding):
    assert decode_upload("run,lößs\n".encode(encoding)) == "run,lößs\n"


def test_a_picture_is_no_table():
    with pytest.raises(UserError, match="not text"):
        decode_upload(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")


def test_exported_points_are_read_back_as_they_were():
    study = study_of_table(noisy_table(), {})
    again = read_points(study.csv()).points
    for name in ("params", "tokens", "flops", "loss"):
        assert np.allclose(getattr(again, name), getattr(study.points, name), rtol=1e-9)
    assert again.names == study.points.names


def test_nothing_in_a_table_is_run_by_a_spreadsheet():
    study = study_of_table("run,params,tokens,loss\n=1+1,1e6,1e7,3\n", {})
    assert "\n'=1+1," in study.csv()


def test_exports_name_their_source_on_one_line_and_what_computed_them():
    versions, source = export_header("one\ntwo")
    assert source == "one two"
    assert all(word in versions for word in ("transformer-playground", "numpy", "scipy"))


def test_a_sweep_counts_without_embeddings_and_its_curves_follow(tmp_path):
    plant_sweep(tmp_path / "sweep")
    study = study_of_sweep(tmp_path / "sweep", title="", source="", opens=True)
    without = study.counted_without_embeddings()
    assert (without.points.params < study.points.params).all()
    assert np.allclose(without.points.flops, 6 * without.points.params * without.points.tokens)
    sizes = dict(zip(without.names, without.points.params.tolist(), strict=True))
    assert all(curve.params == sizes[curve.name] for curve in without.curves)
    assert [shape.width for shape in study.shapes()] == [int(name[1 : name.index("-")]) for name in study.names]
    assert study.fingerprint != without.fingerprint


def test_the_snippets_run_as_they_are_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for points, code in (
        (isoflop_runs(), fit_code(study_of_table(noisy_table(), {}), fit("power-c", isoflop_runs()), 2)),
        (
            isoflop_runs(),
            fit_code(study_of_table(noisy_table(), {}), fit("chinchilla", isoflop_runs(), floor=1.8172), 2),
        ),
        (isoflop_runs(), profiles_code(interpolated=False)),
        (planted_grid(), profiles_code(interpolated=True)),
        (isoflop_runs(), PLAN_CODE.format(flops=1e21)),
        (isoflop_runs(), inference_code(1e21, 1e12, BESIROGLU.parameters)),
        (isoflop_runs(), REPEATS_CODE.format(params=1e9, unique=1e10)),
    ):
        (tmp_path / "points.csv").write_text(table_of(points))
        exec(code, {})
    said = capsys.readouterr().out
    assert "gamma" in said
    assert "'E': 1.8172" in said
    assert said.count("N ~ C ^ 0.") == 2
    assert "Hoffmann, approach 1: N 2.7" in said
    assert "saved " in said


@pytest.mark.slow
def test_a_sweeps_snippets_run_as_they_are_shown_and_agree_with_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    plant_sweep(tmp_path / "Zx81")
    study = study_of_sweep(tmp_path / "Zx81", title="", source="", opens=True)
    assert str(tmp_path) not in training_code(study) + counted_code(study)
    for counted in (study, study.counted_without_embeddings()):
        exec(training_code(counted), {})
        frontier = envelope(counted.curves).frontier
        assert f"N ~ C ^ {frontier.exponent if frontier else 'none'}" in capsys.readouterr().out
    exec(counted_code(study), {})
    assert capsys.readouterr().out.count("without-embeddings") == 3


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in SHIPPED.glob("*/points.csv")), ids=lambda path: path.name
)
def test_a_shipped_sweeps_snippet_runs_from_the_repository(monkeypatch, folder):
    monkeypatch.chdir(SHIPPED.parents[1])
    code = training_code(study_of_sweep(folder, title="", source="", opens=False))
    assert f'Path("assets/sweeps/{folder.name}")' in code
    exec(code, {})


def test_a_table_has_no_snippet_that_reads_a_sweep():
    assert training_code(study_of_table(noisy_table(), {})) == ""


def test_a_click_on_a_shipped_run_is_answered_and_on_ones_own_opens_it(tmp_path):
    plant_sweep(tmp_path / "Zx81")
    own, shipped = (study_of_sweep(tmp_path / "Zx81", title="", source="", opens=opens) for opens in (True, False))
    assert own.clicks[0] == f"train?run=Zx81-{own.names[0]}"
    assert shipped.clicks[0].startswith("say:This run's numbers came with the app")
    assert set(study_of_table(noisy_table(), {}).clicks) == {""}


def test_studies_that_differ_in_one_column_have_answers_of_their_own():
    """A fit is kept by its points: each column, each seed and each name is one of them."""
    header, row = "params,tokens,loss,flops,unique,seed,run", ["1e6", "2e9", "3.1", "1.2e16", "1e9", "0", "a"]
    rows = [row, *([*row[:index], "2", *row[index + 1 :]] for index in range(len(row)))]
    prints = [study_of_table("\n".join([header, ",".join(cells)]), {}).fingerprint for cells in rows]
    assert len(set(prints)) == len(rows)
