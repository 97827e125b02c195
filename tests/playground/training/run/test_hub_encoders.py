"""Encoders and encoder-decoders in transformers' format: its class answers as ours does."""

import runpy

import pytest
import torch

from playground.models import load
from playground.training.run.hub_format import export_for_transformers
from tests.helpers.own_models import letters_tokenizer, random_model

TRANSLATOR = {"kind": "encoder-decoder", "norm": "layer", "feed_forward": "gelu", "bias": True}
IDS = torch.tensor([[0, 9, 12, 30, 1], [0, 40, 5, 1, 2]])
TARGET = torch.tensor([[0, 7, 8], [0, 11, 2]])


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"segments": 2},
        {"tied": True, "scaled_embedding": True},
        {"key_value_heads": 2, "classes": 3},
    ],
)
def test_an_encoder_answers_alike(tmp_path, shape):
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    model = random_model(kind="encoder", **shape)
    folder = export_for_transformers(model, letters_tokenizer("encoder"), tmp_path / "out")
    theirs = AutoModelForMaskedLM.from_pretrained(folder).eval()
    segments = {"segments": torch.zeros_like(IDS)} if model.config.segments else {}
    mask = IDS != 2
    with torch.no_grad():
        ours = model(IDS, mask=mask, **segments)
        torch.testing.assert_close(
            theirs(IDS, attention_mask=mask.long()).logits[mask], ours[mask], atol=1e-3, rtol=1e-4
        )
    assert AutoTokenizer.from_pretrained(folder)("a cat")["input_ids"][0] == 0
    torch.testing.assert_close(
        load(str(folder)).module(IDS[:1]).logits,
        model(IDS[:1], **{name: value[:1] for name, value in segments.items()}),
        atol=1e-3,
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    "shape",
    [
        {"positions": "learned"},
        {"positions": "sinusoidal", "feed_forward": "relu", "bias": False},
        {"positions": "none", "key_value_heads": 2, "tied": True, "scaled_embedding": True},
    ],
)
def test_an_encoder_decoder_answers_alike(tmp_path, shape):
    from transformers import AutoModelForSeq2SeqLM

    model = random_model(**{**TRANSLATOR, **shape})
    folder = export_for_transformers(model, letters_tokenizer("encoder-decoder"), tmp_path / "out")
    theirs = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    mask = IDS != 2
    with torch.no_grad():
        ours = model(IDS, TARGET, mask=mask)
        answer = theirs(input_ids=IDS, attention_mask=mask.long(), decoder_input_ids=TARGET).logits
    torch.testing.assert_close(answer, ours, atol=1e-3, rtol=1e-4)
    assert theirs.config.decoder_start_token_id == 0


def test_an_encoders_classifier_answers_alike_behind_transformers_encoder(tmp_path):
    """The exported script, run as a reader would: EuroBERT's states, and three layers of torch.nn."""
    model = random_model(kind="encoder", classes=3)
    out = export_for_transformers(model, letters_tokenizer("encoder"), tmp_path / "out", labels=("a", "b", "c"))
    script = runpy.run_path(str(out / "classify.py"))
    ids = torch.tensor([script["tokenizer"]("a cat sat")["input_ids"]])
    with torch.no_grad():
        expected = model.classify(model.read(ids))[0]
    torch.testing.assert_close(script["logits"]("a cat sat"), expected, atol=1e-4, rtol=1e-4)
    assert script["LABELS"] == ["a", "b", "c"]


@pytest.mark.parametrize("shape", [{}, {"norm": "layer", "feed_forward": "gelu"}, {"positions": "learned"}])
def test_a_decoders_classifier_is_transformers_own(tmp_path, shape):
    from transformers import AutoModelForSequenceClassification

    norm = {"norm": "layer", "feed_forward": "gelu"} if shape else {}
    model = random_model(kind="decoder", classes=3, **{**norm, **shape})
    folder = export_for_transformers(model, letters_tokenizer("decoder"), tmp_path / "out", labels=("a", "b", "c"))
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    ids = torch.tensor([[0, 9, 12, 30, 5]])
    with torch.no_grad():
        expected = model.classify(model.read(ids))
        torch.testing.assert_close(theirs(ids).logits, expected, atol=1e-4, rtol=1e-4)
    assert theirs.config.id2label == {0: "a", 1: "b", 2: "c"}
