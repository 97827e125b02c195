"""Held-out text read again from its sources, under each way in which lines have been joined."""

import json
import re
from pathlib import Path

import pytest

from playground import load
from playground.__main__ import main
from playground.errors import UserError
from playground.models import default_registry
from playground.tasks.held_out import JOININGS, facts_of, measure_held_out, read_facts, read_held_out
from playground.tasks.text import TextTaskConfig, encode_texts, prepare_text
from playground.training.run.export import export_model
from playground.training.run.folder import run
from tests.helpers.small_training import train_config

VERSE = "_A title_\n\n" + "He said _so\n\nmuch_ of snake_case,\nand then\n  an indented line.\n\n" * 40


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, Path]:
    """An exported model and the file that it was trained on."""
    folder = tmp_path_factory.mktemp("held-out")
    config = train_config(folder)
    for _step in run(config, folder / "run"):
        pass
    export_model(folder / "run", folder / "model", name="mine")
    return folder / "model", Path(config.task.sources[0])


def test_the_command_gives_the_cards_numbers(exported, capsys):
    folder, source = exported
    main(["evaluate", "held-out", str(folder), str(source), "--json"])
    report = json.loads(capsys.readouterr().out)
    card = (folder / "card.md").read_text(encoding="utf-8")
    stated = {name: float(value) for name, value in re.findall(r"\| (\w+) \| ([\d.]+) \|", card)}
    assert stated.keys() == {"held_out_loss", "bits_per_byte"}
    assert {name: report[name] for name in stated} == pytest.approx(stated, abs=5e-5)
    assert report["card"] == pytest.approx(stated, abs=5e-5)


def test_another_text_is_refused_with_the_counts(exported, tmp_path):
    folder, source = exported
    (tmp_path / "other.txt").write_text(source.read_text() + "\nOne more line of words.\n", encoding="utf-8")
    facts = read_facts(folder, "mine")
    with pytest.raises(UserError, match=f"another text than the {facts.tokens:,} tokens"):
        measure_held_out(load(str(folder)), (str(tmp_path / "other.txt"),))


@pytest.mark.parametrize("way", range(len(JOININGS)))
def test_each_way_of_joining_is_found_again(tmp_path, way):
    source = tmp_path / "verse.txt"
    source.write_text(VERSE, encoding="utf-8")
    config = TextTaskConfig(sources=(str(source),), vocabulary="characters", held_out=0.5, unwrap=True)
    task = prepare_text(config)
    joined = JOININGS[way](VERSE)
    assert len({join(VERSE) for join in JOININGS}) == 3
    begin = joined.find("\n", int(len(joined) * 0.5)) + 1
    object.__setattr__(task, "held_out_ids", encode_texts(task.tokenizer, [joined[begin:]]))
    again = read_held_out(facts_of(task, {}), config.sources, task.tokenizer)
    assert again.held_out_ids.tolist() == task.held_out_ids.tolist()
    assert again.held_out_bytes == len(joined[begin:].encode())


def test_the_shipped_decoder_states_its_cards_numbers():
    """Measuring takes the books, which are not part of this repository: the card says how."""
    folder = default_registry().get("books-decoder").folder
    facts, card = read_facts(folder, "books-decoder"), (folder / "card.md").read_text(encoding="utf-8")
    assert f"({facts.tokens:,} tokens, {facts.bytes:,} bytes)" in card
    assert all(f"| {name} | {value:.4f} |" in card for name, value in facts.measures.items())
    assert facts.measures.keys() == {"held_out_loss", "bits_per_byte"}


@pytest.mark.parametrize("text", ["", "[]", '{"tokens": 1}', "{"])
def test_damaged_facts_and_none_are_sentences(tmp_path, text):
    with pytest.raises(UserError, match="does not say what its held-out text was"):
        read_facts(tmp_path, "mine")
    (tmp_path / "held_out.json").write_text(text)
    with pytest.raises(UserError, match="is damaged"):
        read_facts(tmp_path, "mine")
