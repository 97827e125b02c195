"""`evaluate` on the command line: JSON of every measure, and sentences for what cannot be measured."""

import json
from pathlib import Path

import pytest
from sacrebleu.metrics import BLEU

from playground.__main__ import main

HYPOTHESES = "the cat sat on the mat\nhe read a book\n"
REFERENCES = "the cat is on the mat\nhe was reading a book\n"


@pytest.fixture
def lines(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "h.txt").write_text(HYPOTHESES)
    (tmp_path / "r.txt").write_text(REFERENCES)
    return str(tmp_path / "h.txt"), str(tmp_path / "r.txt")


def report(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["evaluate", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_bleu_is_sacrebleus_with_its_signature(lines, capsys):
    told = report(capsys, "bleu", *lines, "--second", lines[1])
    theirs = BLEU().corpus_score(HYPOTHESES.split("\n")[:2], [REFERENCES.split("\n")[:2]])
    assert told["bleu"]["score"] == pytest.approx(theirs.score)
    assert told["bleu"]["matches"] == theirs.counts
    assert told["signatures"]["bleu"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")
    assert told["second"]["bleu"]["score"] == pytest.approx(100)
    assert told["paired"]["bleu"]["difference"] == pytest.approx(100 - theirs.score)


def test_rouge_and_errors(lines, capsys):
    assert report(capsys, "rouge", *lines)["rouge1"]["f1"] == pytest.approx((5 / 6 + 2 * 3 / 9) / 2)
    told = report(capsys, "errors", *lines)
    assert (told["substitution"], told["deletion"], told["reference_tokens"]) == (2, 1, 11)
    assert told["error_rate"] == pytest.approx(3 / 11)
    assert report(capsys, "errors", *lines, "--characters")["unit"] == "characters"


def test_a_table_of_labels(tmp_path, capsys):
    path = tmp_path / "labels.csv"
    path.write_text("label,prediction,score,group\na,a,0.1,x\nb,a,0.4,x\nb,b,0.9,y\na,a,0.2,y\n")
    told = report(capsys, "classify", str(path), "--score", "score", "--positive", "b", "--slice", "group")
    assert told["accuracy"]["value"] == 0.75
    assert told["confusion"] == {"a": {"a": 2, "b": 0}, "b": {"a": 1, "b": 1}}
    assert told["scores"]["area"]["value"] == 1
    assert told["slices"]["x"]["accuracy"]["value"] == 0.5
    assert main(["evaluate", "classify", str(path)]) == 0
    assert "accuracy:\n  value: 0.75" in capsys.readouterr().out


def test_perplexity_of_a_shipped_model(capsys):
    told = report(capsys, "perplexity", "induction", "--text", "KqZfBmXdTWKqZfBmXdTW")["induction"]
    assert told["perplexity"] > 1
    assert told["tokens"] == 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bleu", "missing.txt", "missing.txt"], "missing.txt cannot be read"),
        (["perplexity", *"abcde", "--text", "x"], "5 models are too many"),
        (["perplexity", "induction", "--text", " "], "The text is empty"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(words, sentence, capsys):
    assert main(["evaluate", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("measure", ["bleu", "rouge", "errors"])
def test_a_file_whose_encoding_is_guessed_is_named(measure, tmp_path, capsys):
    (tmp_path / "own.txt").write_text("the cat\nä y z w\n", encoding="utf-8")
    (tmp_path / "other.txt").write_text("the cat\nä y z w\n", encoding="latin-1")
    assert main(["evaluate", measure, str(tmp_path / "own.txt"), str(tmp_path / "other.txt")]) == 0
    said = capsys.readouterr().err
    assert "other.txt: Line 2 is not UTF-8" in said
    assert "own.txt" not in said


def test_labels_that_nothing_predicts_are_said_to_be(tmp_path, capsys):
    path = tmp_path / "labels.csv"
    path.write_text("label,prediction\n1,1.0\n0,0.0\n")
    assert main(["evaluate", "classify", str(path)]) == 0
    assert "spelled alike" in capsys.readouterr().err
    path.write_text("label,prediction\n1,1\n0,1\n")
    assert main(["evaluate", "classify", str(path)]) == 0
    assert capsys.readouterr().err == ""


def test_a_table_that_is_wrong_names_its_line(tmp_path, capsys):
    path = tmp_path / "labels.csv"
    path.write_text("label,prediction,score\na,a,0.1\nb,,0.4\n")
    assert main(["evaluate", "classify", str(path)]) == 2
    assert "Line 3 has nothing in the column 'prediction'" in capsys.readouterr().err
    path.write_text("label,prediction,score\na,a,0.1\nb,b,high\n")
    assert main(["evaluate", "classify", str(path), "--score", "score", "--positive", "b"]) == 2
    assert "The score in line 3 is 'high'" in capsys.readouterr().err
    assert main(["evaluate", "classify", str(path), "--score", "score"]) == 2
    assert "Say which label the score is of: one of a, b." in capsys.readouterr().err


def test_a_single_line_has_no_interval_as_on_the_page(tmp_path, capsys):
    (tmp_path / "h.txt").write_text("the cat sat\n")
    (tmp_path / "r.txt").write_text("the cat\n")
    files = str(tmp_path / "h.txt"), str(tmp_path / "r.txt")
    bleu, rouge, errors = (report(capsys, measure, *files) for measure in ("bleu", "rouge", "errors"))
    assert [bleu[f"{name}_interval"] for name in ("bleu", "chrf", "ter")] == [None] * 3
    assert [rouge["rouge1"][f"{part}_interval"] for part in ("precision", "recall", "f1")] == [None] * 3
    assert (errors["interval"], errors["exact_match_interval"]) == (None, None)
    assert main(["evaluate", "rouge", *files]) == 0
    assert "f1_interval: –" in capsys.readouterr().out


def test_texts_and_parts_give_baselines_and_leaks(tmp_path, capsys):
    rows = [f"{'good' if n % 2 else 'bad'} {n // 4},{n % 2},{n % 2},{'train' if n < 20 else 'test'}" for n in range(40)]
    (tmp_path / "t.csv").write_text("text,label,prediction,part\n" + "\n".join([*rows, "BAD 0,0,1,test"]))
    told = report(capsys, "classify", str(tmp_path / "t.csv"), "--text", "text", "--part", "part")
    assert told["leaked_texts"] == 1
    assert told["baselines"]["tfidf"]["accuracy"]["value"] == 1.0
    assert told["baselines"]["classifier"]["accuracy"]["n"] == 21
    alone = report(capsys, "classify", str(tmp_path / "t.csv"), "--text", "text")
    assert alone["repeated_texts"] == 21
    (tmp_path / "one.csv").write_text("text,label,prediction\na,x,x\nb,x,x\n")
    one = report(capsys, "classify", str(tmp_path / "one.csv"), "--text", "text")
    assert "one label only" in one["baselines"]


def test_the_model_that_cannot_score_a_text_is_named(capsys):
    assert main(["evaluate", "perplexity", "books-decoder", "tales-translator", "--text", "A cat."]) == 2
    assert "tales-translator: It translates" in capsys.readouterr().err
