"""Classification as a task: what is held out, rows, measures, samples."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.special_tokens import END_ID, PAD_ID, START_ID
from playground.tasks.classification import (
    ClassificationConfig,
    prepare_classification,
    restore_classification,
    split,
)
from playground.tasks.labelled_text import Group, LabelledTexts
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)
DAYS = [("rain", "wet") if day % 3 == 0 else ("sun", "dry") for day in range(60)]
TABLE = "text,label\n" + "".join(f"the {word} of day {day},{label}\n" for day, (word, label) in enumerate(DAYS))
GIVEN = {"kind": "csv", "text": TABLE, "vocabulary_size": 100}


def model_of(task, **changes) -> Transformer:
    shape = {"kind": "encoder", "vocabulary": 100, "classes": len(task.class_names), "context": 16, "tied": False}
    torch.manual_seed(0)
    return Transformer(TransformerConfig(**{**shape, "width": 16, "layers": 1, "n_heads": 2, **changes})).eval()


def answering(logits: torch.Tensor) -> SimpleNamespace:
    """A model that answers every text with the same class logits."""
    return SimpleNamespace(
        read=lambda ids, *, mask: ids,
        classify=lambda read: logits.expand(len(read), -1),
        config=SimpleNamespace(context=16),
    )


def test_rows_are_framed_cut_and_padded():
    task = prepare_classification(ClassificationConfig(**GIVEN))
    for length in (16, 5):
        batch = task.batch(np.random.default_rng(0), rows=20, length=length, step=1)
        real = batch.ids != PAD_ID
        assert batch.mask is None or torch.equal(batch.mask, real)
        for ids, label in zip(batch.ids.tolist(), batch.classes.tolist(), strict=True):
            ids = [index for index in ids if index != PAD_ID]
            assert (ids[0], ids[-1]) == (START_ID, END_ID)
            assert len(ids) == min(length, 7)
            assert ("sun" in task.tokenizer.decode(ids)) == (task.class_names[label] == "dry")


def test_every_label_gives_its_share_by_hand():
    groups = (
        Group(label="a", texts=tuple("0123456789")),
        Group(label="b", texts=("x", "y")),
        Group(label="c", texts=("z",)),
    )
    train, held_out = split(LabelledTexts(groups=groups), 0.2)
    assert held_out == [("8", "a"), ("9", "a"), ("y", "b")]
    assert train == [*((digit, "a") for digit in "01234567"), ("x", "b"), ("z", "c")]
    with pytest.raises(UserError, match="one text only"):
        split(LabelledTexts(groups=groups[2:]), 0.2)


def test_no_held_out_text_is_trained_on():
    task = prepare_classification(ClassificationConfig(**GIVEN, held_out=0.25))
    assert np.bincount(task.held_out.classes).tolist() == [10, 5]
    assert np.bincount(task.train.classes).tolist() == [30, 15]


# Measures


def test_measures_by_hand():
    """Ten of fifteen held-out texts are dry: always "dry" is right for 2/3, and its F1 is 20/25 beside a 0."""
    task = prepare_classification(ClassificationConfig(**GIVEN, held_out=0.25))
    measures = task.evaluate(answering(torch.tensor([1.0, 0.0])), rows=99, length=16)
    expected = math.log(1 + math.exp(-1)) * 2 / 3 + math.log(1 + math.exp(1)) / 3
    assert measures == pytest.approx({"accuracy": 2 / 3, "macro_f1": 0.4, "held_out_loss": expected})


def test_samples_say_what_is_right():
    task = prepare_classification(ClassificationConfig(**GIVEN))
    for sample in task.samples(answering(torch.tensor([0.0, 1.0]))):
        assert sample.answer == "wet"
        assert sample.is_right == (sample.right == "wet") == ("rain" in sample.question)


def test_the_task_comes_back(tmp_path):
    task = prepare_classification(ClassificationConfig(**GIVEN))
    model = model_of(task)
    task.check_fits(model.config)
    task.save(tmp_path)
    again = restore_classification(task.config, tmp_path)
    assert (again.class_names, again.skipped) == (("dry", "wet"), 0)
    assert task.evaluate(model, rows=8, length=16) == again.evaluate(model, rows=8, length=16)
    assert torch.equal(again.probe(16).batch.ids, task.probe(16).batch.ids)
    (tmp_path / "classes.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        restore_classification(task.config, tmp_path)


# What is refused


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "moods"}, "kinds, languages or csv"),
        ({"kind": "csv"}, "at least one text file"),
        ({"sources": ("a.zip",)}, "choose languages or csv"),
        ({"passage": 3}, "at least 8"),
        ({"held_out": 0.0}, "held-out share"),
        ({"vocabulary_size": 5}, "at least 6"),
    ],
)
def test_a_task_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        ClassificationConfig(**changes)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("text,label\n", "no labelled text"),
        ("text,label\na,x\nb,x\n", "All texts have the label 'x'"),
        ("text,label\n" + "".join(f"a{k},{k}\n" for k in range(1001)), "1,001 different labels"),
        ("text,label\na,x\nb,y\n", "one text only"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(table, sentence):
    with pytest.raises(UserError, match=sentence):
        prepare_classification(ClassificationConfig(kind="csv", text=table))


def test_a_model_with_too_few_classes_is_refused():
    task = prepare_classification(ClassificationConfig(**GIVEN))
    assert task.config.needs().classes == 2
    with pytest.raises(UserError, match="2 classes, the model 1"):
        task.check_fits(model_of(task, classes=1).config)


def test_a_table_is_read_for_its_labels_once_until_it_is_written_anew(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("text,label\n" + "one text,a\nanother,b\n" * 3)
    config = ClassificationConfig(kind="csv", sources=(str(path),))
    reads = []
    plain = ClassificationConfig.read
    monkeypatch.setattr(ClassificationConfig, "read", lambda self: reads.append(1) or plain(self))
    assert [config.needs().classes for _ in range(3)] == [2, 2, 2]
    assert len(reads) == 1
    path.write_text("text,label\n" + "one text,a\nanother,b\na third,c\n" * 3)
    assert config.needs().classes == 3
    assert len(reads) == 2
