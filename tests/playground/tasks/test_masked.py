"""Masked words and next sentences as a task: what is read, measured and shown."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.special_tokens import END_ID, MASK_ID, START_ID
from playground.tasks.masked import HELD_OUT_SEED, MaskedConfig, prepare_masked, restore_masked
from playground.tasks.task import IGNORED
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)
WORDS = ["lamp", "boat", "hill", "door", "bird", "song", "river", "cloud"]
TEXT = " ".join(f"The {WORDS[k % 8]} is by the {WORDS[k * k % 7]}. It is {WORDS[k % 5]} number {k}." for k in range(60))
GIVEN = {"text": TEXT, "vocabulary": "words", "vocabulary_size": 120, "held_out": 0.2}


def model_of(task, **changes) -> Transformer:
    needs = task.config.needs()
    shape = {"kind": "encoder", "vocabulary": needs.vocabulary, "classes": 2, "segments": 2, "context": 32}
    torch.manual_seed(0)
    return Transformer(TransformerConfig(**{**shape, "width": 16, "layers": 1, "n_heads": 2, **changes})).eval()


def test_a_row_is_two_texts_with_hidden_words():
    task = prepare_masked(MaskedConfig(**GIVEN))
    batch = task.batch(np.random.default_rng(0), rows=12, length=32, step=1)
    right = torch.where(batch.labels == IGNORED, batch.ids, batch.labels)
    for ids, segments, follows in zip(right.tolist(), batch.segments.tolist(), batch.classes.tolist(), strict=True):
        assert ids[0] == START_ID
        middle, end = (place for place, index in enumerate(ids) if index == END_ID)
        assert segments == [0] * (middle + 1) + [1] * (end - middle) + [0] * (len(ids) - end - 1)
        first, second = (task.tokenizer.decode(part) for part in (ids[1:middle], ids[middle + 1 : end]))
        assert first in TEXT
        assert first.endswith(".")
        assert second in TEXT
        if not follows:
            assert f"{first} {second}" in TEXT
    again = task.batch(np.random.default_rng(0), rows=12, length=32, step=9)
    assert torch.equal(again.ids, batch.ids)


def test_held_out_text_is_read_for_measures_only():
    """The last fifth numbers its sentences from 48 on; those numbers are no words of the vocabulary."""
    task = prepare_masked(MaskedConfig(**GIVEN))
    assert len(task.train) > 3 * len(task.held_out)
    assert task.tokenizer.token_to_id("10") is not None
    assert task.tokenizer.token_to_id("55") is None
    assert "<|mask|>" in task.tokenizer.decode(task.probe(32).batch.ids[0].tolist(), skip_special_tokens=False)


def test_measures_by_hand():
    """One word and "follows" at every place are right as often as they are true; an even guess costs log V."""
    task = prepare_masked(MaskedConfig(**GIVEN))
    batch = task._rows(task.held_out, np.random.default_rng(HELD_OUT_SEED), rows=40, length=32)
    labels = batch.labels[batch.labels != IGNORED]
    word = int(labels.mode().values)
    size = 120

    def read(ids, *, segments, mask):
        return torch.zeros(*ids.shape, 4)

    sure = torch.zeros(size)
    sure[word] = 9.0
    model = SimpleNamespace(
        read=read,
        head=lambda read: sure.expand(len(read), -1),
        classify=lambda read: torch.tensor([1.0, 0.0]).expand(len(read), -1),
    )
    measures = task.evaluate(model, rows=40, length=32)
    assert measures["masked_accuracy"] == pytest.approx(float((labels == word).float().mean()))
    assert measures["next_sentence_accuracy"] == pytest.approx(float((batch.classes == 0).float().mean()))
    model.head = lambda read: torch.zeros(len(read), size)
    assert task.evaluate(model, rows=40, length=32)["held_out_loss"] == pytest.approx(math.log(size), abs=1e-5)


def test_samples_show_what_is_hidden_and_what_the_model_thinks():
    task = prepare_masked(MaskedConfig(**GIVEN))
    samples = task.samples(model_of(task))
    assert len(samples) == 2
    for sample in samples:
        assert sample.tokens[0] == "<|start|>"
        assert sample.masked
        hidden = {word.position for word in sample.masked}
        assert {place for place, token in enumerate(sample.tokens) if token == "<|mask|>"} <= hidden
        for word in sample.masked:
            shares = [share for _, share in word.guesses]
            assert shares == sorted(shares, reverse=True)
            assert len(shares) == 5
    assert task.tokenizer.token_to_id("<|mask|>") == MASK_ID


def test_the_same_rows_are_measured_and_the_task_comes_back(tmp_path):
    task = prepare_masked(MaskedConfig(**GIVEN))
    model = model_of(task)
    task.save(tmp_path)
    again = restore_masked(task.config, tmp_path)
    assert task.evaluate(model, rows=8, length=32) == again.evaluate(model, rows=8, length=32)
    assert torch.equal(again.probe(32).batch.ids, task.probe(32).batch.ids)
    (tmp_path / "tokens.npz").write_bytes(b"half")
    with pytest.raises(UserError, match="damaged"):
        restore_masked(task.config, tmp_path)


def test_the_small_worlds_stories_are_a_source(monkeypatch):
    monkeypatch.setattr("playground.tasks.masked.TALES_WORDS", 8_000)
    task = prepare_masked(MaskedConfig(sources=("tales",), vocabulary="words", vocabulary_size=400))
    task.check_fits(model_of(task).config)
    row = task.batch(np.random.default_rng(0), rows=1, length=32, step=1)
    words = torch.where(row.labels == IGNORED, row.ids, row.labels)[0]
    assert "<|unknown|>" not in task.tokenizer.decode(words.tolist(), skip_special_tokens=False)
    assert len(task.train.documents) > 10 * len(task.held_out.documents)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": ""}, "at least one text file"),
        ({"mask_share": 0.0}, "share of masked words"),
        ({"held_out": 1.0}, "held-out share"),
        ({"vocabulary_size": 5}, "at least 6"),
        ({"row_length": 7}, "at least 8"),
        ({"class_weight": -1.0}, "from 0 to 100"),
    ],
)
def test_a_task_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        MaskedConfig(**{**GIVEN, **changes})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"segments": 1}, "2 segments, the model 1"),
        ({"classes": 1}, "2 classes, the model 1"),
        ({"context": 7}, "at least 8"),
        ({"vocabulary": 9}, "the model only 9"),
        ({"kind": "decoder", "segments": 0, "classes": 0}, "of kind encoder, not decoder"),
    ],
)
def test_a_model_that_cannot_learn_it_is_refused(changes, sentence):
    task = prepare_masked(MaskedConfig(**GIVEN))
    with pytest.raises(UserError, match=sentence):
        task.check_fits(model_of(task, **changes).config)


def test_one_sentence_is_too_little():
    task = prepare_masked(MaskedConfig(**{**GIVEN, "text": "the cat sat on the mat and never got up"}))
    with pytest.raises(UserError, match="no two sentences"):
        task.check_fits(model_of(task).config)


def test_rows_may_be_shorter_than_the_context_and_are_only_in_training():
    task = prepare_masked(MaskedConfig(**GIVEN, row_length=12, class_weight=3.0))
    batch = task.batch(np.random.default_rng(0), rows=8, length=32, step=1)
    assert batch.ids.shape[1] <= 12
    assert batch.class_weight == 3.0
    assert task.probe(32).batch.ids.shape[1] > 12
    assert task.batch(np.random.default_rng(0), rows=8, length=10, step=1).ids.shape[1] <= 10
