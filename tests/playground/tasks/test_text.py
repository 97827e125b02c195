"""Plain text as a task: what is read, how it is cut, and what a row holds."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from playground.errors import UserError
from playground.tasks.text import TextTaskConfig, next_token_losses, prepare_text, restore_text
from playground.transformer import TransformerConfig

torch.set_num_threads(1)


def task_of(folder: Path, text: str, name: str = "text.txt", **changes):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    given = {"vocabulary": "characters", "unwrap": False}
    return prepare_text(TextTaskConfig(sources=(str(path),), **{**given, **changes}))


def rows_of(task, rows: int, length: int, generator) -> torch.Tensor:
    """A batch's rows with the token after each row's end."""
    batch = task.batch(generator, rows=rows, length=length, step=1)
    assert torch.equal(batch.ids[:, 1:], batch.labels[:, :-1])
    return torch.cat([batch.ids, batch.labels[:, -1:]], dim=1)


class Fixed(nn.Module):
    """A model that gives every next token the same log probabilities."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(*ids.shape, -1)


# What is trained on and what is held out


@settings(max_examples=60)
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
    assert unknown not in rows_of(task, 200, 16, generator)


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
    rows = rows_of(task, 20, 12, np.random.default_rng(0))
    assert rows.shape == (20, 13)
    assert rows.dtype == torch.int64
    assert (rows[:, 0] == task.start).all()
    assert all(task.tokenizer.decode(row[1:].tolist()) in train for row in rows)
    assert len({tuple(row.tolist()) for row in rows}) > 10


def test_the_same_generator_gives_the_same_rows(tmp_path):
    task = task_of(tmp_path, "abc def ghi " * 50, repeats=0.5)
    first, again, other = (rows_of(task, 8, 16, np.random.default_rng((1, step))) for step in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("length", "shortest"), [(2, 1), (9, 1), (17, 2), (64, 8)])
def test_with_repeats_a_passage_stands_twice_in_every_row(tmp_path, length, shortest):
    """The text itself never says a symbol twice, so what stands twice was put there."""
    symbols = "".join(chr(0x4E00 + index) for index in range(900))
    repeated = task_of(tmp_path, symbols, repeats=1.0)
    plain = task_of(tmp_path, symbols, repeats=0.0)
    passages = set()
    for row in rows_of(repeated, 200, length, np.random.default_rng(0))[:, 1:].tolist():
        passage = row.index(row[0], 1)
        assert len(set(row)) == length - passage
        assert row[passage : 2 * passage] == row[:passage]
        assert row[passage:] == list(range(row[0], row[0] + length - passage))
        passages.add(passage)
    assert (min(passages), max(passages)) == (shortest, length // 2)
    for row in rows_of(plain, 50, length, np.random.default_rng(0))[:, 1:].tolist():
        assert len(set(row)) == length


def test_the_share_of_repeats_is_the_share_asked_for(tmp_path):
    symbols = "".join(chr(0x4E00 + index) for index in range(900))
    task = task_of(tmp_path, symbols, repeats=0.3)
    rows = rows_of(task, 2000, 16, np.random.default_rng(0))[:, 1:]
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
    measures = task.evaluate(Fixed(torch.zeros(4)), rows=None, length=5)
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

    task.evaluate(Watching(torch.zeros(300)), rows=None, length=10)
    windows = torch.cat(seen)
    assert (windows[:, 0] == task.start).all()
    assert windows[:, 1].tolist() == list(range(0, 100, 10))
    seen.clear()
    task.evaluate(Watching(torch.zeros(300)), rows=4, length=10)
    assert torch.cat(seen)[:, 1].tolist() == [0, 30, 60, 90]


# The configuration


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sources": ()}, "at least one text file"),
        ({"sources": "text.txt"}, "at least one text file"),
        ({"text": " \n"}, "at least one text file"),
        ({"text": "a" * 4_000_001}, "put it into a file"),
        ({"held_out": 0.0}, "held-out share"),
        ({"held_out": 1.0}, "held-out share"),
        ({"held_out": float("nan")}, "held-out share"),
        ({"repeats": -0.1}, "repeated passages"),
        ({"repeats": 1.1}, "repeated passages"),
        ({"vocabulary": "morse"}, "choose bpe, characters or words"),
        ({"vocabulary_size": 256}, "at least 257"),
        ({"vocabulary_size": 65537}, "at most 65536"),
        ({"vocabulary_size": 400.0}, "at most 65536"),
        ({"vocabulary": "characters", "vocabulary_size": 2}, "at least 3"),
    ],
)
def test_a_task_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TextTaskConfig(**{"sources": () if "text" in changes else ("a.txt",), **changes})


@pytest.mark.parametrize(
    ("text", "context", "vocabulary", "sentence"),
    [
        (
            "ab" * 100,
            190,
            4,
            "training text has 190 tokens, too few for a context of 190. Choose a context of at most 189",
        ),
        ("ab" * 50, 5, 4, "held-out text has 5 tokens; at least 8 are needed"),
        ("ab" * 3, 1, 4, "training text has 5 tokens; at least 8"),
        ("ab" * 100, 5, 3, "vocabulary of 4 tokens, the model only 3"),
        ("ab" * 100, 189, 4, None),
    ],
)
def test_the_text_must_fit_the_model(tmp_path, text, context, vocabulary, sentence):
    task = task_of(tmp_path, text, held_out=0.05)
    model = TransformerConfig(vocabulary=vocabulary, context=context, width=8, n_heads=1)
    if sentence is None:
        task.check_fits(model)
        rows_of(task, 50, context, np.random.default_rng(0))
        task.evaluate(Fixed(torch.zeros(4)), rows=None, length=context)
        return
    with pytest.raises(UserError, match=sentence):
        task.check_fits(model)


def test_a_held_out_text_shorter_than_the_context_is_one_window(tmp_path):
    """Ten tokens and a context of 64: an even guess over four tokens costs log 4 at each of the ten."""
    task = task_of(tmp_path, "ab" * 100, held_out=0.05)
    assert len(task.held_out_ids) == 10
    assert task.evaluate(Fixed(torch.zeros(4)), rows=8, length=64)["held_out_loss"] == pytest.approx(math.log(4))


# Copying beside text


def test_the_first_steps_copy_and_the_rest_read_the_text(tmp_path):
    task = task_of(tmp_path, "the cat sat. " * 50, copying_first=3, copying_rows=4, copying_beside=2)
    drawn = [task.batch(np.random.default_rng(1), rows=5, length=60, step=step) for step in (1, 3, 4)]
    assert [tuple(batch.ids.shape) for batch in drawn] == [(4, 48), (4, 48), (7, 60)]
    assert (drawn[1].labels == -100).any()
    assert not (drawn[2].labels[:5] == -100).any()
    assert (drawn[2].labels[5:] == -100).any()
    assert task.config.needs().context == 48
    with pytest.raises(UserError, match="at least 48"):
        task.check_fits(TransformerConfig(vocabulary=4096, context=47))


def test_text_that_was_typed_in_stands_before_the_files(tmp_path):
    (tmp_path / "b.txt").write_text("b" * 100)
    config = TextTaskConfig(text="a" * 100, sources=(str(tmp_path / "b.txt"),), vocabulary="characters", held_out=0.1)
    task = prepare_text(config)
    assert task.tokenizer.decode(task.train_ids.tolist()) == "a" * 90 + "b" * 90


def test_the_probe_is_held_out_text_twice_and_the_saved_task_comes_back(tmp_path):
    task = task_of(tmp_path, "abcdefghij" * 20, held_out=0.1)
    probe = task.probe(17).batch.ids[0].tolist()
    assert probe == [0, *task.held_out_ids[:8].tolist() * 2]
    task.save(tmp_path)
    again = restore_text(task.config, tmp_path)
    assert np.array_equal(again.train_ids, task.train_ids)
    assert again.held_out_bytes == task.held_out_bytes
    (tmp_path / "tokens.npz").write_bytes(b"half")
    with pytest.raises(UserError, match="damaged"):
        restore_text(task.config, tmp_path)
