"""Surprisal, perplexity and bits per byte, held against transformers' own loss and by hand."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM

from playground import load
from playground.errors import UserError
from playground.lens.generate.fill_mask import each_masked
from playground.lens.generate.surprisal import Windows, spans, text_surprisal
from playground.models import is_local
from playground.models.catalogue import find
from tests.helpers.families import DECODERS, ENCODER_DECODERS, as_loaded, small_model
from tests.helpers.own_models import own_model
from tests.playground.lens.generate.test_fill_mask import masked_model

TEXT = "the cat sat on the mat"


@pytest.mark.parametrize("family", DECODERS)
def test_mean_is_the_models_own_loss(family):
    model = small_model(family)
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    scores = text_surprisal(model, TEXT)
    assert scores.mean == pytest.approx(float(model.module(input_ids=ids, labels=ids).loss), abs=1e-4)
    assert scores.perplexity == pytest.approx(math.exp(scores.mean))
    # One letter a token, one byte a letter, and the first is not predicted.
    assert scores.bits_per_byte == pytest.approx(scores.mean / math.log(2))
    assert scores.predicted.tolist() == [False] + [True] * 21


@pytest.mark.slow
def test_smollm2_gives_exp_of_transformers_mean_loss():
    if not is_local(find("smollm2-135m")):
        pytest.skip("not on this machine")
    model = load("smollm2-135m")
    text = " ".join([TEXT, "The keeper lit the lamp every evening, and every evening the boats turned home."] * 4)
    ids = torch.tensor([model.tokenizer.encode(text)])
    with torch.inference_mode():
        loss = float(model.module(input_ids=ids, labels=ids).loss)
    assert text_surprisal(model, text).perplexity == pytest.approx(math.exp(loss), abs=1e-4)


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
    scores = text_surprisal(model, TEXT, target=target)
    assert scores.mean == pytest.approx(float(expected), abs=1e-4)
    assert scores.bytes == 5
    assert len(scores.tokens) == 6
    with pytest.raises(UserError, match="target"):
        text_surprisal(model, TEXT)


def test_each_number_of_a_token():
    model = own_model("decoder")
    scores = text_surprisal(model, "cat")
    logits = model.module(torch.tensor([[0, 7, 5, 24]]))[0]
    for position, id in [(1, 7), (2, 5), (3, 24)]:
        p = logits[position - 1].softmax(-1)
        assert scores.probability[position] == pytest.approx(float(p[id]), abs=1e-6)
        assert scores.surprisal[position] == pytest.approx(-math.log(p[id]), abs=1e-4)
        assert scores.entropy[position] == pytest.approx(float(-(p * p.log()).sum()), abs=1e-4)
        assert scores.rank[position] == int((p > p[id]).sum())
    assert np.isnan(scores.surprisal[0])
    # The start token stands before the text, so that all three bytes are predicted.
    assert scores.bits_per_byte == pytest.approx(scores.surprisal[1:].sum() / math.log(2) / 3)


def test_windows_judge_each_token_once_in_its_window():
    model = small_model("gpt2")
    text = "the cat sat on the mat and looked at the bird. " * 4
    scores = text_surprisal(model, text, windows=Windows(window=16, stride=6))
    ids = model.tokenizer.encode(text).ids
    for position in range(1, len(ids)):
        begin = 0 if position < 16 else 6 * ((position - 16) // 6 + 1)
        logits = model.module(input_ids=torch.tensor([ids[begin:position]])).logits[0, -1]
        expected = functional.cross_entropy(logits, torch.tensor(ids[position]))
        assert scores.surprisal[position] == pytest.approx(float(expected), abs=1e-4)


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
    scores = text_surprisal(model, "cat")
    tokens, masked = each_masked(model, "cat")
    for position, logits in masked:
        expected = -float(logits.log_softmax(-1)[tokens[position].id])
        assert scores.surprisal[position] == pytest.approx(expected, abs=1e-4)
    assert scores.predicted.all()


def test_a_text_of_one_token():
    scores = text_surprisal(small_model("gpt2"), "a")
    assert len(scores.tokens) == 1
    assert math.isnan(scores.mean)
    assert math.isnan(scores.perplexity)
    assert scores.bits_per_byte is None
    assert "no predicted token" in scores.missing_bits


def test_progress_and_cancelling():
    seen = []
    text_surprisal(small_model("gpt2"), "a" * 100, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(64, 100), (96, 100), (100, 100)]

    def cancel(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        text_surprisal(small_model("gpt2"), "a" * 100, on_progress=cancel)


def test_refusals():
    model = small_model("gpt2")
    with pytest.raises(UserError, match="no tokens"):
        text_surprisal(model, "")
    with pytest.raises(UserError, match="at once"):
        text_surprisal(model, "a", windows=Windows(window=65))
    with pytest.raises(UserError, match="window"):
        Windows(window=4, stride=4)
    model.module.transformer.ln_f.weight[0] = float("nan")
    with pytest.raises(UserError, match="not a number"):
        text_surprisal(model, "abc")
    object.__setattr__(model, "has_output_head", False)
    with pytest.raises(UserError, match="no output head"):
        text_surprisal(model, "abc")


@pytest.mark.parametrize("settings", [{"is_causal": False}, {"is_causal": False, "sliding_window": 4}])
def test_a_decoder_that_sees_the_answer_is_refused(settings):
    sizes = {"vocab_size": 99, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    config = MistralConfig(**sizes, num_attention_heads=4, num_key_value_heads=2, **settings)
    model = as_loaded(MistralForCausalLM._from_config(config, attn_implementation="playground").eval(), "decoder", "m")
    with pytest.raises(UserError, match="reads both ways"):
        text_surprisal(model, TEXT)
    # By the mask, not by the setting: of one token nothing is seen too early.
    assert text_surprisal(model, "a").predicted.sum() == 0


def byte_level(*, prefix: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["This is This is é"] * 9, trainer)
    tokenizer.add_tokens(["naïve"])
    return tokenizer


def byte_fallback() -> Tokenizer:
    vocabulary = {"<unk>": 0, **{f"<0x{byte:02X}>": 1 + byte for byte in range(256)}, "a": 257, "b": 258}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


@pytest.mark.parametrize(
    ("tokenizer", "text", "first"),
    [
        (byte_level(prefix=True), "This is", 4),
        (byte_level(prefix=True), " This is", 5),
        (byte_level(prefix=False), "This is", 4),
        (byte_level(prefix=False), "naïve is", 6),
        (byte_fallback(), "🐕a", 1),
        (byte_fallback(), "ab", 1),
    ],
)
def test_the_bytes_of_the_first_token_are_those_that_were_typed(tokenizer, text, first):
    """Nothing predicts them, so that they are no part of the bits per byte."""
    config = GPT2Config(vocab_size=310, n_embd=16, n_layer=1, n_head=2, n_positions=64)
    model = as_loaded(GPT2LMHeadModel(config).eval(), "decoder", "gpt2")
    scores = text_surprisal(dataclasses.replace(model, tokenizer=tokenizer), text)
    assert scores.bytes == len(text.encode()) - first


def test_where_the_tokenizer_does_not_tell_the_bytes_a_sentence_stands_for_the_number():
    tokenizer = byte_level(prefix=False)
    tokenizer.normalizer = normalizers.NFKC()
    config = GPT2Config(vocab_size=310, n_embd=16, n_layer=1, n_head=2, n_positions=64)
    model = as_loaded(GPT2LMHeadModel(config).eval(), "decoder", "gpt2")
    # One sign of three bytes is read as four words.
    scores = text_surprisal(dataclasses.replace(model, tokenizer=tokenizer), "\ufdfa")
    assert scores.predicted.sum() > 3
    assert (scores.bytes, scores.bits_per_byte, scores.bits_spread) == (None, None, None)
    assert "does not tell" in scores.missing_bits


def test_an_encoder_counts_no_bytes_of_what_nothing_predicts():
    model = masked_model("bert")
    whole, part = text_surprisal(model, "cat dog"), text_surprisal(model, "cat [MASK]dog")
    assert (whole.bytes, part.bytes) == (7, 7)
    assert part.predicted.sum() == whole.predicted.sum()
