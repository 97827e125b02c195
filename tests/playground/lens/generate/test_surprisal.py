"""Surprise, perplexity and bits per byte, held against transformers' own loss and by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from playground.errors import UserError
from playground.lens.generate.fill import each_masked
from playground.lens.generate.surprisal import Windows, spans, text_surprise
from tests.helpers.families import DECODERS, ENCODER_DECODERS, small_model
from tests.playground.lens.generate.test_fill import masked_model
from tests.playground.lens.generate.test_generation import own_model

TEXT = "the cat sat on the mat"


@pytest.mark.parametrize("family", DECODERS)
def test_mean_is_the_models_own_loss(family):
    model = small_model(family)
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    found = text_surprise(model, TEXT)
    assert found.mean == pytest.approx(float(model.module(input_ids=ids, labels=ids).loss), abs=1e-4)
    assert found.perplexity == pytest.approx(math.exp(found.mean))
    # One letter a token, one byte a letter, and the first is not predicted.
    assert found.bits_per_byte == pytest.approx(found.mean / math.log(2))
    assert found.predicted.tolist() == [False] + [True] * 21


@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_a_target_is_judged_with_its_end(family):
    model = small_model(family)
    model.module.generation_config.eos_token_id = 2
    target = "hello"
    source = torch.tensor([model.tokenizer.encode(TEXT).ids])
    labels = torch.tensor([[*model.tokenizer.encode(target).ids, 2]])
    start = torch.full((1, 1), model.module.config.decoder_start_token_id)
    decoder_ids = torch.cat([start, labels[:, :-1]], 1)
    expected = model.module(input_ids=source, decoder_input_ids=decoder_ids, labels=labels).loss
    found = text_surprise(model, TEXT, target=target)
    assert found.mean == pytest.approx(float(expected), abs=1e-4)
    assert found.bytes == 5
    assert len(found.tokens) == 6
    with pytest.raises(UserError, match="target"):
        text_surprise(model, TEXT)


def test_each_number_of_a_token():
    model = own_model("decoder")
    found = text_surprise(model, "cat")
    logits = model.module(torch.tensor([[0, 7, 5, 24]]))[0]
    for place, id in [(1, 7), (2, 5), (3, 24)]:
        p = logits[place - 1].softmax(-1)
        assert found.probability[place] == pytest.approx(float(p[id]), abs=1e-6)
        assert found.surprise[place] == pytest.approx(-math.log(p[id]), abs=1e-4)
        assert found.entropy[place] == pytest.approx(float(-(p * p.log()).sum()), abs=1e-4)
        assert found.rank[place] == int((p > p[id]).sum())
    assert np.isnan(found.surprise[0])
    # The start token stands before the text, so that all three bytes are predicted.
    assert found.bits_per_byte == pytest.approx(found.surprise[1:].sum() / math.log(2) / 3)


def test_windows_judge_each_token_once_in_its_window():
    model = small_model("gpt2")
    text = "the cat sat on the mat and looked at the bird. " * 4
    found = text_surprise(model, text, windows=Windows(window=16, stride=6))
    ids = model.tokenizer.encode(text).ids
    for place in range(1, len(ids)):
        begin = 0 if place < 16 else 6 * ((place - 16) // 6 + 1)
        logits = model.module(input_ids=torch.tensor([ids[begin:place]])).logits[0, -1]
        expected = functional.cross_entropy(logits, torch.tensor(ids[place]))
        assert found.surprise[place] == pytest.approx(float(expected), abs=1e-4)


@given(length=st.integers(1, 200), window=st.integers(2, 50), stride=st.integers(1, 49))
def test_windows_cover_the_text(length, window, stride):
    stride = min(stride, window - 1)
    judged = []
    for begin, first, end in spans(length, window, stride):
        assert 0 <= begin < first <= end <= length
        assert end - begin <= window
        judged += range(first, end)
    assert judged == list(range(1, length))


def test_an_encoders_tokens_are_masked_in_turn():
    model = masked_model("bert")
    found = text_surprise(model, "cat")
    tokens, masked = each_masked(model, "cat")
    for place, logits in masked:
        expected = -float(logits.log_softmax(-1)[tokens[place].id])
        assert found.surprise[place] == pytest.approx(expected, abs=1e-4)
    assert found.predicted.all()


def test_a_text_of_one_token():
    found = text_surprise(small_model("gpt2"), "a")
    assert len(found.tokens) == 1
    assert math.isnan(found.mean)
    assert math.isnan(found.perplexity)
    assert math.isnan(found.bits_per_byte)


def test_progress_and_cancelling():
    seen = []
    text_surprise(small_model("gpt2"), "a" * 100, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(64, 100), (96, 100), (100, 100)]

    def cancel(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        text_surprise(small_model("gpt2"), "a" * 100, on_progress=cancel)


def test_refusals():
    model = small_model("gpt2")
    with pytest.raises(UserError, match="no tokens"):
        text_surprise(model, "")
    with pytest.raises(UserError, match="at once"):
        text_surprise(model, "a", windows=Windows(window=65))
    with pytest.raises(UserError, match="window"):
        Windows(window=4, stride=4)
    model.module.transformer.ln_f.weight[0] = float("nan")
    with pytest.raises(UserError, match="not a number"):
        text_surprise(model, "abc")
    object.__setattr__(model, "has_output_head", False)
    with pytest.raises(UserError, match="no output head"):
        text_surprise(model, "abc")
