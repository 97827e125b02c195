"""The command `chat`: the conversation as transformers renders it, the reply, and everything that can be wrong."""

import json
from pathlib import Path

import pytest

from playground.__main__ import main
from playground.lens.generate.generation import GenerationConfig, generate
from playground.lens.generate.predictions import GREEDY
from playground.models import load
from tests.helpers.chat_tokenizer import save_chat_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_chat_model(tmp_path_factory.mktemp("m") / "chat")


def test_the_json_holds_the_conversation_and_its_reply(folder, capsys):
    options = ["--system", "Be short.", "--max-new-tokens", "4", "--temperature", "0", "--json"]
    assert main(["chat", str(folder), "Why?", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    model = load(str(folder), device="cpu")
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Why?"}]
    assert report["ids"] == model.tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
    config = GenerationConfig(max_new_tokens=4, sampling=GREEDY)
    expected = [token.token.id for token in generate(model, report["page_text"], config)]
    assert [token["id"] for token in report["new_tokens"]] == expected
    assert (report["is_exact"], report["stop"]) == (True, "length")


def test_only_the_rendered_text(folder, capsys):
    assert main(["chat", str(folder), "Why?", "--max-new-tokens", "0"]) == 0
    assert capsys.readouterr().out == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n\n"


def test_turns_from_a_file(folder, tmp_path, capsys):
    path = tmp_path / "turns.json"
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because"}]
    path.write_text(json.dumps(turns))
    assert main(["chat", str(folder), "--turns", str(path), "--max-new-tokens", "0"]) == 0
    assert capsys.readouterr().out.endswith("<|im_start|>assistant\nBecause\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("{}", "no list of turns"),
        ('[{"role": "king", "content": "Bow."}]', "Turn 1 is none"),
        ("[3]", "Turn 1 is none"),
        ("[]", "1 to 40 turns"),
    ],
)
def test_a_damaged_file_of_turns(folder, tmp_path, capsys, content, said):
    path = tmp_path / "turns.json"
    path.write_text(content)
    assert main(["chat", str(folder), "--turns", str(path)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "not both"),
        (["Hi", "--turns", "x.json"], "not both"),
        (["--turns", "nowhere.json"], "cannot be read"),
        (["Hi", "--temperature", "-1"], "temperature"),
        (["Hi", "--max-new-tokens", "-1"], "cannot be generated"),
    ],
)
def test_what_cannot_be_done(folder, capsys, words, said):
    assert main(["chat", str(folder), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_model_without_a_template(capsys):
    assert main(["chat", "books-decoder", "Hi"]) == 2
    assert "brings no chat template" in capsys.readouterr().err
