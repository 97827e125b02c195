"""`python -m playground emergence`: tables from the command line, and a sentence for a study that there is not."""

from playground.__main__ import main
from playground.emergence import studies
from playground.emergence.metrics import columns_of
from playground.emergence.tables import read_study
from tests.helpers.small_study import small_study


def test_a_study_is_trained_measured_and_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(studies.STUDIES, "induction", lambda: small_study("induction"))
    assert main(["emergence", "--study", "induction", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == str(tmp_path / "induction.csv")
    rows = read_study("induction", tmp_path)
    assert {row.run for row in rows} == {"seed-0", "seed-1"}
    assert set(rows[0].metrics) == set(columns_of("induction"))


def test_an_unknown_study_and_no_threads_are_one_sentence_and_exit_code_2(tmp_path, capsys):
    assert main(["emergence", "--study", "chess", "--out", str(tmp_path)]) == 2
    assert "choose addition" in capsys.readouterr().err
    assert main(["emergence", "--threads", "0", "--out", str(tmp_path)]) == 2
    assert "threads is 0" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
