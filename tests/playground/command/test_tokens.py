"""`tokens` and `similar`: JSON of what the page shows."""

import io
import json

import pytest
from tokenizers import Tokenizer, normalizers

from playground.__main__ import main
from playground.models import load
from playground.tokens.tokenization import tokenize
from tests.helpers.pretrained_folders import own_cache, save_model

__all__ = ["own_cache", "save_model"]


def answer(capsys, *words):
    assert main(list(words)) == 0
    return json.loads(capsys.readouterr().out)


def test_tokens_are_those_of_the_tokenizer(capsys):
    report = answer(capsys, "tokens", "books-decoder", "unbelievable", "--steps", "--languages")
    assert [token["id"] for token in report["tokens"]] == load("books-decoder").tokenizer.encode("unbelievable").ids
    assert (report["algorithm"], report["replayed"], report["agreeing"]) == ("BPE", 1, 1)
    steps = report["pretokens"][0]["steps"]
    first = steps["merges"][0]
    assert {**first, "rank": 0} == {"rank": 0, "left": "l", "right": "e", "result": "le", "start": 10, "end": 12}
    assert json.loads(load("books-decoder").tokenizer.to_str())["model"]["merges"][first["rank"]] == ["l", "e"]
    assert "".join(report["pretokens"][0]["pieces"]) == "unbelievable"
    assert len(report["languages"]) == 21
    assert report["provenance"]["model"] == "books-decoder"


def test_typed_bytes_stand_beside_those_of_the_piece(capsys, save_model):
    folder = save_model("gpt2")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save(str(folder / "tokenizer.json"))
    tokens = answer(capsys, "tokens", str(folder), "THE")["tokens"]
    for key, text in (("typed", b"THE"), ("bytes", b"the")):
        assert b"".join(bytes.fromhex(token[key]) for token in tokens) == text
    assert {token["typed_tokens"] for token in tokens} == {1}


def test_without_steps_and_with_a_pair(capsys):
    report = answer(capsys, "tokens", "books-encoder", "a cat", "--pair", "a dog")
    assert report["template"] == "<|start|> … <|end|> … <|end|>"
    assert "steps" not in report["pretokens"][0]
    assert len(report["tokens"]) == len(tokenize(load("books-encoder"), "a cat", "a dog").tokens)


def test_lines_are_ranked(capsys, tmp_path):
    lines = ["the dog sat on the rug", "", "five ships sailed"]
    report = answer(capsys, "similar", "books-encoder", "the cat sat on the mat", *lines)
    assert [each["line"] for each in report["ranking"]] == [1, 2]
    assert report["ranking"][0]["cosine"] == pytest.approx(report["matrix"][0][1], abs=1e-6)
    words = report["ranking"][0]["words"]
    assert sum(word["share"] for word in words) == pytest.approx(report["ranking"][0]["cosine"], abs=1e-5)
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines))
    again = answer(capsys, "similar", "books-encoder", "the cat sat on the mat", "--file", str(file))
    assert again == report


def test_lines_come_from_standard_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("one line\n"))
    assert len(answer(capsys, "similar", "books-encoder", "a")["ranking"]) == 1


def test_nearest_tokens_both_ways(capsys):
    report = answer(capsys, "similar", "books-decoder", "uncle - man + woman", "--tokens", "--top", "2")
    assert [each["token"] for each in report["nearest"]] == [" uncle", " aunt"]
    assert report["nearest_without_terms"][0]["token"] == " aunt"
    assert report["tied"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["similar", "books-encoder", "a", "--file", "no-such-file"], "cannot be read"),
        (["similar", "books-encoder", "a", " "], "no lines to rank"),
        (["similar", "books-decoder", "a b", "--tokens"], "Write a sum"),
        (["similar", "books-decoder", "a", "--tokens", "--top", "0"], "choose 1 or more"),
        (["tokens", "no-such-folder/x/y", "a"], "no-such-folder"),
    ],
)
def test_what_cannot_be_done_is_told(capsys, words, sentence):
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
