"""Marian's tokenizer is written in Python and has one vocabulary for each side."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sentencepiece
from transformers import MarianTokenizer

from playground.lens import trace
from playground.lens.capture.tokens import encode, label
from tests.helpers.families import small_model

SOURCE = ["the cat sat on the mat", "the dog sat on the log"] * 30
TARGET = ["le chat est sur le tapis", "le chien est sur la branche"] * 30


def trained_pieces(folder: Path, side: str, lines: list[str]) -> list[str]:
    """The pieces of a SentencePiece vocabulary for one side, trained into <side>.model."""
    (folder / f"{side}.txt").write_text("\n".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / f"{side}.txt"),
        model_prefix=str(folder / side),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{side}.model"))
    return [model.id_to_piece(index) for index in range(model.get_piece_size())]


@pytest.fixture(scope="module")
def two_vocabularies(tmp_path_factory: pytest.TempPathFactory) -> tuple[MarianTokenizer, dict[str, dict[int, str]]]:
    """A tokenizer with a vocabulary for each side, and the spelling of each side's ids."""
    folder = tmp_path_factory.mktemp("marian_separate")
    spelled: dict[str, dict[int, str]] = {}
    for side, lines, start in (("source", SOURCE, ["</s>", "<unk>"]), ("target", TARGET, ["</s>", "<unk>", "le"])):
        pieces = trained_pieces(folder, side, lines)
        kept = dict.fromkeys([*start, *(piece for piece in pieces if piece != "<s>"), "<pad>"])
        spelled[side] = dict(enumerate(kept))
        (folder / f"{side}.json").write_text(json.dumps({piece: id for id, piece in spelled[side].items()}))
    tokenizer = MarianTokenizer(
        source_spm=str(folder / "source.model"),
        target_spm=str(folder / "target.model"),
        vocab=str(folder / "source.json"),
        target_vocab_file=str(folder / "target.json"),
        separate_vocabs=True,
    )
    return tokenizer, spelled


def test_each_side_is_labelled_in_its_own_vocabulary(two_vocabularies):
    tokenizer, spelled = two_vocabularies
    tokens = encode(tokenizer, "the cat")
    assert [token.text for token in tokens] == [spelled["source"][token.id].replace("▁", " ") for token in tokens]
    assert "".join(token.text for token in tokens) == " the cat</s>"
    assert [token.special for token in tokens] == [False] * (len(tokens) - 1) + [True]
    ids = tokenizer(text_target="le chat")["input_ids"]
    target = label(tokenizer, ids)
    assert "".join(token.text for token in target) == " le chat</s>"
    assert [token.special for token in target] == [False] * (len(target) - 1) + [True]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> MarianTokenizer:
    folder = tmp_path_factory.mktemp("marian")
    pieces: list[str] = []
    for side, lines in (("source", SOURCE), ("target", TARGET)):
        pieces += trained_pieces(folder, side, lines)
    kept = [piece for piece in dict.fromkeys(pieces) if piece not in ("<s>", "</s>", "<unk>")]
    vocabulary = {piece: index for index, piece in enumerate(["<pad>", "</s>", "<unk>", *kept])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    return MarianTokenizer(
        source_spm=str(folder / "source.model"),
        target_spm=str(folder / "target.model"),
        vocab=str(Path(folder / "vocab.json")),
    )


def test_pieces_become_readable_and_the_end_is_special(tokenizer):
    tokens = encode(tokenizer, "the cat sat")
    assert "".join(token.text for token in tokens[:-1]) == " the cat sat"
    assert (tokens[-1].text, tokens[-1].special) == ("</s>", True)
    assert [token.id for token in tokens] == tokenizer("the cat sat")["input_ids"]


def test_the_decoder_reads_the_target_language(tokenizer):
    model = replace(small_model("marian"), tokenizer=tokenizer)
    traced = trace(model, "the cat sat", "le chat est")
    labels = tokenizer(text_target="le chat est")["input_ids"]
    assert traced.target_ids[1:] in (labels, labels[:-1])
    assert "".join(token.text for token in label(tokenizer, traced.target_ids[1:])).startswith(" le chat est")
    assert labels != tokenizer("le chat est")["input_ids"]
