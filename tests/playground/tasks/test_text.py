"""Plain text as a task: what is read, how it is cut, and what a row holds."""

import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from playground.errors import UserError
from playground.tasks.text import TextTaskConfig, next_token_losses, prepare_text, read_sources, unwrap

torch.set_num_threads(1)


def task_of(folder: Path, text: str, name: str = "text.txt", **changes):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    given = {"vocabulary": "characters", "unwrap": False}
    return prepare_text(TextTaskConfig(sources=(str(path),), **{**given, **changes}))


class Fixed(nn.Module):
    """A model that gives every next token the same log probabilities."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(*ids.shape, -1)


# What is trained on and what is held out


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab \n", min_size=1, max_size=60), min_size=1, max_size=3), st.floats(0.05, 0.9))
def test_the_two_parts_are_the_whole_of_each_text_and_do_not_overlap(tmp_path_factory, texts, held_out):
    if not all(text.strip() for text in texts):
        return
    folder = tmp_path_factory.mktemp("texts")
    for index, text in enumerate(texts):
        (folder / f"{index}.txt").write_text(text, encoding="utf-8", newline="")
    sources = tuple(str(folder / f"{index}.txt") for index in range(len(texts)))
    config = TextTaskConfig(sources=sources, vocabulary="characters", unwrap=False, held_out=held_out)
    task = prepare_text(config)
    assert len(task.train_ids) + len(task.held_out_ids) == sum(map(len, texts))
    assert task.held_out_bytes == len(task.held_out_ids) >= 1
    if len(texts) == 1:
        train = task.tokenizer.decode(task.train_ids.tolist())
        rest = texts[0].removeprefix(train)
        assert train + rest == texts[0]
        assert len(rest) == len(task.held_out_ids)
        found = [task.tokenizer.id_to_token(index) for index in task.held_out_ids.tolist()]
        assert found == [character if character in train else "<|unknown|>" for character in rest]


def test_held_out_text_is_never_in_a_training_row_nor_in_the_vocabulary(tmp_path):
    task = task_of(tmp_path, "abcd " * 200 + "\n" + "wxyz " * 100, held_out=0.4)
    assert set("wxyz").isdisjoint(task.tokenizer.get_vocab())
    train = task.tokenizer.decode(task.train_ids.tolist())
    assert train == "abcd " * 200 + "\n"
    unknown = task.tokenizer.token_to_id("<|unknown|>")
    assert (task.held_out_ids == unknown).sum() == 400
    generator = np.random.default_rng(0)
    assert unknown not in task.batch(200, 16, generator)


def test_merges_are_learned_from_the_training_part_alone(tmp_path):
    task = task_of(tmp_path, "abcd " * 200 + "\n" + "wxyz " * 100, held_out=0.4, vocabulary="bpe", vocabulary_size=300)
    merged = {token for token in task.tokenizer.get_vocab() if len(token) > 1 and token != "<|start|>"}
    assert any("ab" in token for token in merged)
    assert not any(set("wxyz") & set(token) for token in merged)


def test_every_text_gives_its_own_last_part(tmp_path):
    (tmp_path / "one.txt").write_text("a" * 90 + "b" * 10)
    (tmp_path / "two.txt").write_text("c" * 45 + "d" * 5)
    config = TextTaskConfig(
        sources=(str(tmp_path / "one.txt"), str(tmp_path / "two.txt")), vocabulary="characters", held_out=0.1
    )
    task = prepare_text(config)
    assert task.tokenizer.decode(task.train_ids.tolist()) == "a" * 90 + "c" * 45
    assert len(task.held_out_ids) == 15


def test_the_cut_is_at_a_line_by_hand(tmp_path):
    """Twenty characters, half held out: character 10 is within "four", so line five begins the held-out part."""
    task = task_of(tmp_path, "one\ntwo\nfour\nfive\nsi", held_out=0.5)
    assert task.tokenizer.decode(task.train_ids.tolist()) == "one\ntwo\nfour\n"
    assert len(task.held_out_ids) == len("five\nsi")


def test_a_last_line_end_does_not_eat_the_held_out_part(tmp_path):
    task = task_of(tmp_path, "a" * 99 + "\n", held_out=0.1)
    assert (len(task.train_ids), len(task.held_out_ids)) == (90, 10)


# Rows


def test_a_row_is_the_start_token_and_a_passage_of_the_training_text(tmp_path):
    task = task_of(tmp_path, "the quick brown fox jumps over the lazy dog. " * 20)
    train = task.tokenizer.decode(task.train_ids.tolist())
    rows = task.batch(20, 12, np.random.default_rng(0))
    assert rows.shape == (20, 13)
    assert rows.dtype == torch.int64
    assert (rows[:, 0] == task.start).all()
    assert all(task.tokenizer.decode(row[1:].tolist()) in train for row in rows)
    assert len({tuple(row.tolist()) for row in rows}) > 10


def test_the_same_generator_gives_the_same_rows(tmp_path):
    task = task_of(tmp_path, "abc def ghi " * 50, repeats=0.5)
    first, again, other = (task.batch(8, 16, np.random.default_rng((1, step))) for step in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("length", "shortest"), [(2, 1), (9, 1), (17, 2), (64, 8)])
def test_with_repeats_a_passage_stands_twice_in_every_row(tmp_path, length, shortest):
    """The text itself never says a symbol twice, so what stands twice was put there."""
    symbols = "".join(chr(0x4E00 + index) for index in range(900))
    repeated = task_of(tmp_path, symbols, repeats=1.0)
    plain = task_of(tmp_path, symbols, repeats=0.0)
    passages = set()
    for row in repeated.batch(200, length, np.random.default_rng(0))[:, 1:].tolist():
        passage = row.index(row[0], 1)
        assert len(set(row)) == length - passage
        assert row[passage : 2 * passage] == row[:passage]
        assert row[passage:] == list(range(row[0], row[0] + length - passage))
        passages.add(passage)
    assert (min(passages), max(passages)) == (shortest, length // 2)
    for row in plain.batch(50, length, np.random.default_rng(0))[:, 1:].tolist():
        assert len(set(row)) == length


def test_the_share_of_repeats_is_the_share_asked_for(tmp_path):
    symbols = "".join(chr(0x4E00 + index) for index in range(900))
    rows = task_of(tmp_path, symbols, repeats=0.3).batch(2000, 16, np.random.default_rng(0))[:, 1:]
    share = sum(len(set(row)) < 16 for row in rows.tolist()) / 2000
    assert share == pytest.approx(0.3, abs=0.04)


# Losses


def test_next_token_losses_by_hand():
    """Probabilities 1/2, 1/4, 1/4 at every place: the next tokens 0, 2, 0 cost log 2, log 4, log 2."""
    model = Fixed(torch.tensor([0.5, 0.25, 0.25]).log())
    losses = next_token_losses(model, torch.tensor([[1, 0, 2, 0]]))
    assert losses.tolist() == pytest.approx([math.log(2), math.log(4), math.log(2)])


def test_evaluation_by_hand(tmp_path):
    """An even guess over 4 tokens costs log 4 nats = 2 bits a token; "é" takes two bytes, "a" one.

    The held-out part is "éa" 10 times: 20 tokens, 30 bytes, so 1.5 bytes a token: 4/3 bits a byte.
    """
    task = task_of(tmp_path, "éa" * 190 + "éa" * 10, held_out=0.05)
    assert (len(task.held_out_ids), task.held_out_bytes) == (20, 30)
    measures = task.evaluate(Fixed(torch.zeros(4)), 5)
    assert measures == pytest.approx({"held_out_loss": math.log(4), "bits_per_byte": 4 / 3})


def test_evaluation_reads_every_window_once_or_an_even_choice(tmp_path):
    symbols = "".join(chr(0x4E00 + index) for index in range(200))
    task = task_of(tmp_path, symbols, held_out=0.5)
    object.__setattr__(task, "held_out_ids", np.arange(100, dtype=np.uint16))
    seen: list[torch.Tensor] = []

    class Watching(Fixed):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            seen.append(ids)
            return super().forward(ids)

    task.evaluate(Watching(torch.zeros(300)), 10)
    windows = torch.cat(seen)
    assert (windows[:, 0] == task.start).all()
    assert windows[:, 1].tolist() == list(range(0, 100, 10))
    seen.clear()
    task.evaluate(Watching(torch.zeros(300)), 10, rows=4)
    assert torch.cat(seen)[:, 1].tolist() == [0, 30, 60, 90]


# Reading


def test_unwrap_by_hand():
    text = "A _long_\r\nline.\r\n\r\n\r\n  Next   one\nends.\n \n\n"
    assert unwrap(text) == "A long line.\nNext one ends."


def test_a_zip_gives_its_texts_in_order_and_a_mark_at_the_beginning_is_dropped(tmp_path):
    path = tmp_path / "books.ZIP"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.txt", "\ufeffsecond".encode())
        archive.writestr("notes.md", "not read")
        archive.writestr("__MACOSX/._b.txt", b"\x00\xff\xfe")
        archive.writestr("a.txt", "first")
    assert read_sources((str(path),)) == ["second", "first"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("latin.txt", "caf\u00e9".encode("latin-1"), r"latin.txt is not UTF-8 text \(byte 3\)"),
        ("empty.txt", b"", "holds no text"),
        ("blank.txt", b" \n\t\n", "holds no text"),
        ("broken.zip", b"PK\x03\x04 and no more", "not a .zip archive"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_sources((str(tmp_path / name),))


def test_a_missing_file_a_folder_and_a_zip_without_text_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone.txt"):
        read_sources((str(tmp_path / "gone.txt"),))
    with pytest.raises(UserError, match="no file"):
        read_sources((str(tmp_path),))
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cat.png", b"")
    with pytest.raises(UserError, match=r"no \.txt file in .*pictures.zip"):
        read_sources((str(tmp_path / "pictures.zip"),))


def test_a_text_in_a_damaged_or_locked_archive_is_refused(tmp_path):
    path = tmp_path / "books.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "some words " * 100)
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a \.zip archive"):
        read_sources((str(path),))
    content[45] ^= 0xFF
    for marker, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(marker) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a \.zip archive"):
        read_sources((str(path),))


def test_a_zip_with_a_text_that_is_not_utf8_names_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "books.zip", "w") as archive:
        archive.writestr("bad.txt", b"\xff\xff")
    with pytest.raises(UserError, match=r"bad.txt in .*books.zip is not UTF-8"):
        read_sources((str(tmp_path / "books.zip"),))


# The configuration


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sources": ()}, "at least one text file"),
        ({"sources": "text.txt"}, "at least one text file"),
        ({"held_out": 0.0}, "held-out share"),
        ({"held_out": 1.0}, "held-out share"),
        ({"held_out": float("nan")}, "held-out share"),
        ({"repeats": -0.1}, "repeated passages"),
        ({"repeats": 1.1}, "repeated passages"),
        ({"vocabulary": "words"}, "choose bpe or characters"),
        ({"vocabulary_size": 256}, "at least 257"),
        ({"vocabulary_size": 65537}, "at most 65536"),
        ({"vocabulary_size": 400.0}, "at most 65536"),
        ({"vocabulary": "characters", "vocabulary_size": 2}, "at least 3"),
    ],
)
def test_a_task_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TextTaskConfig(**{"sources": ("a.txt",), **changes})


@pytest.mark.parametrize(
    ("context", "vocabulary", "sentence"),
    [
        (95, 4, "training text has 95 tokens; a context of 95 needs 96"),
        (6, 4, "held-out text has 5 tokens; a context of 6 needs 6"),
        (5, 3, "vocabulary of 4 tokens, the model only 3"),
        (5, 4, None),
    ],
)
def test_the_text_must_fit_the_model(tmp_path, context, vocabulary, sentence):
    task = task_of(tmp_path, "ab" * 50, held_out=0.05)
    if sentence is None:
        task.check_fits(context=context, vocabulary=vocabulary)
        task.batch(50, context, np.random.default_rng(0))
        task.evaluate(Fixed(torch.zeros(4)), context)
        return
    with pytest.raises(UserError, match=sentence):
        task.check_fits(context=context, vocabulary=vocabulary)
