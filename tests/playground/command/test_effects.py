"""`effects`: the numbers of the pages, from the command line."""

import json

import pytest

from playground.__main__ import main

PAIR = ["books-encoder", "books-encoder-sentiment"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("effects") / "texts.txt"
    path.write_text("It rains.\nA cat.\n\nWe go.\nWho is it?\nThe sea.\n", encoding="utf-8")
    return str(path)


def test_everything_as_json(texts, capsys):
    assert main(["effects", *PAIR, "--texts", texts, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["before"], report["after"]) == tuple(PAIR)
    moved = [weight for weight in report["drift"]["weights"] if weight["change"] and len(weight["shape"]) > 1]
    assert {weight["rank"] for weight in moved if weight["name"].startswith("blocks.")} == {8}
    assert len(report["heads"]["heads"]) == 30
    assert report["heads"]["texts"] == report["forgetting"]["passages"] == 5
    difference = report["forgetting"]["after"]["value"] - report["forgetting"]["before"]["value"]
    assert report["forgetting"]["difference"]["value"] == pytest.approx(difference)


def test_in_sentences(capsys):
    assert main(["effects", *PAIR, "--only", "drift"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "weights moved" in lines[0]
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["books-encoder"], "Name a second model"),
        (["books-encoder", "books-decoder"], "not one architecture"),
        ([*PAIR, "--texts", "/no/such/file"], "cannot be read"),
    ],
)
def test_what_cannot_be_compared(words, sentence, capsys):
    assert main(["effects", *words]) == 2
    assert sentence in capsys.readouterr().err
