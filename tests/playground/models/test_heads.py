"""Heads of loaded models: labels, the checks that every model passes, and our own classifiers."""

import json
from pathlib import Path

import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.lens.generate.classification import classify
from playground.models import load
from playground.models.heads import labels_in, own_labels, rows_at_once, scale_of
from tests.helpers.head_folders import save_head
from tests.helpers.own_models import random_model, save_model


def test_what_the_pages_look_at_is_the_model_below_the_head(tmp_path):
    folder = save_head(tmp_path / "m", "bert", "text")
    model = load(str(folder), device="cpu")
    assert model.head is not None
    assert model.head.architecture == "BertForSequenceClassification"
    assert type(model.module).__name__ == "BertModel"
    assert (model.has_output_head, model.classes) == (False, 3)
    assert trace(model, "the cat sat").check().passed
    held = sum(parameter.numel() for parameter in model.module.parameters())
    # Three labels on a width of 16, with biases.
    assert model.parameters == held + 3 * 17


def test_a_checkpoint_that_is_cut_short_is_refused(tmp_path):
    folder = save_head(tmp_path / "m", "distilbert", "token")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(UserError, match="damaged or cut short"):
        load(str(folder), device="cpu")


def test_a_head_that_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    folder = save_head(tmp_path / "m", "distilbert", "token")
    monkeypatch.setattr("playground.models.memory_estimate.available_bytes", lambda device: 1 << 20)
    with pytest.raises(UserError, match="does not fit"):
        load(str(folder), device="cpu")


def test_a_head_of_nan_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    path = save_head(tmp_path / "m", "bert", "text") / "model.safetensors"
    weights = load_file(path)
    weights["classifier.weight"][0, 0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(UserError, match="holds NaN"):
        load(str(path.parent), device="cpu")


def test_labels_that_are_not_stated_are_numbers():
    assert labels_in(None, 2) == ("LABEL_0", "LABEL_1")
    assert labels_in({1: "one", "7": "seven"}, 2) == ("LABEL_0", "one")
    assert labels_in({0: 4}, 1) == ("4",)
    for count in (0, 200_000):
        with pytest.raises(UserError, match="labels"):
            labels_in({}, count)


@pytest.mark.parametrize(
    ("problem", "labels", "scale"),
    [
        (None, 1, "sigmoid"),
        (None, 2, "softmax"),
        ("regression", 1, "none"),
        ("multi_label_classification", 3, "sigmoid"),
    ],
)
def test_the_scale_of_a_problem(problem, labels, scale):
    assert scale_of(problem, labels) == scale


def test_rows_at_once_are_bounded_in_tokens():
    for length in (1, 7, 64, 512, 2048, 100_000):
        rows = rows_at_once(length)
        assert rows == 1 or rows * length <= 1024
        assert 1 <= rows <= 64


def own_classifier(folder: Path, *, classes: int = 3, segments: int = 0) -> Path:
    return save_model(random_model(kind="encoder", classes=classes, segments=segments), folder)


def test_our_own_classifier_equals_its_module(tmp_path):
    model = load(str(own_classifier(tmp_path / "m", segments=2)), device="cpu")
    (answer,) = classify(model, ["the cat"], ["a dog"])
    ids = torch.tensor([model.tokenizer.encode("the cat", "a dog").ids])
    segments = torch.tensor([model.tokenizer.encode("the cat", "a dog").type_ids])
    module = model.module
    expected = module.classify(module.read(ids, segments=segments)).softmax(-1)[0]  # type: ignore[operator]
    assert answer.scores == pytest.approx(expected.numpy(), abs=1e-6)
    assert answer.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert load("books-decoder", device="cpu").head is None


def test_a_checkpoint_of_a_run_has_the_labels_of_its_task(tmp_path):
    folder = own_classifier(tmp_path / "run" / "snapshots" / "000010", classes=2, segments=2)
    run = tmp_path / "run"
    (run / "config.json").write_text(json.dumps({"task": {"name": "masked"}}))
    head = load(str(folder), device="cpu").head
    assert head is not None
    assert (head.labels, head.needs_pair) == (("follows", "random"), True)
    (run / "classes.json").write_text(json.dumps({"names": ["question", "request"]}))
    assert own_labels(folder, {}, 2) == ("question", "request")
    assert own_labels(folder, {"id2label": {"0": "a", "1": "b"}}, 2) == ("a", "b")
    (run / "classes.json").write_text("[damaged")
    (run / "config.json").write_text(json.dumps({"task": "masked"}))
    assert own_labels(folder, {}, 2) == ("follows", "random")


def test_books_encoder_says_whether_a_sentence_follows():
    model = load("books-encoder", device="cpu")
    assert model.head is not None
    assert (model.head.labels, model.head.needs_pair, model.has_output_head) == (("follows", "random"), True, True)
    first = "She opened the door and looked out."
    follows, random = classify(
        model, [first, first], ["There was nobody in the garden.", "The tax on wool was raised in 1834."]
    )
    assert follows.scores[0] > 0.5 > random.scores[0]
