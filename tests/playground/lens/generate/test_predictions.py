"""The next token's distribution, held against transformers' logits processors and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from playground.errors import UserError
from playground.lens.generate.predictions import GREEDY, FilterEffect, Sampling, distribution, next_distribution
from tests.helpers.families import small_model


def by_transformers(logits: torch.Tensor, sampling: Sampling) -> np.ndarray:
    scores = logits[None].double()
    scores = TemperatureLogitsWarper(sampling.temperature)(None, scores)
    if sampling.top_k:
        scores = TopKLogitsWarper(sampling.top_k)(None, scores)
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(None, scores)
    if sampling.min_p:
        scores = MinPLogitsWarper(sampling.min_p)(None, scores)
    return scores[0].softmax(-1).numpy()


@settings(max_examples=150)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(2, 60),
    temperature=st.floats(0.2, 3),
    top_k=st.integers(0, 70),
    top_p=st.floats(0.01, 1),
    min_p=st.floats(0, 1),
)
def test_filters_as_transformers_does(seed, size, temperature, top_k, top_p, min_p):
    logits = torch.randn(size, generator=torch.Generator().manual_seed(seed)) * 3
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    predicted = distribution(logits, sampling)
    np.testing.assert_allclose(predicted.sampled, by_transformers(logits, sampling), atol=1e-9)
    assert predicted.sampled.sum() == pytest.approx(1)
    gone = sum(effect.probability for effect in predicted.filters)
    assert gone + predicted.tempered[predicted.sampled > 0].sum() == pytest.approx(1)
    assert sum(effect.n_removed for effect in predicted.filters) + predicted.n_remaining == size


def test_filters_by_hand():
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    predicted = distribution(logits, Sampling(top_k=3, top_p=0.7, min_p=0.9))
    # Top-k leaves 4/9, 3/9, 2/9; top-p 0.7 the first two, 4/7 and 3/7; min-p 0.9 asks for 0.9 * 4/7 > 3/7.
    assert predicted.sampled.tolist() == [1, 0, 0, 0]
    assert [effect.name for effect in predicted.filters] == ["top-k", "top-p", "min-p"]
    assert [effect.probability for effect in predicted.filters] == pytest.approx([0.1, 0.2, 0.3])
    assert [effect.n_removed for effect in predicted.filters] == [1, 1, 1]


def test_temperature_zero_is_greedy():
    predicted = distribution(torch.tensor([1.0, 5.0, 5.0, 2.0]), GREEDY)
    assert predicted.sampled.tolist() == [0, 1, 0, 0]
    assert predicted.model[1] < 0.5
    assert predicted.sample(0.999) == predicted.sample(0.0) == 1


def test_entropy_surprise_and_rank():
    predicted = distribution(torch.zeros(8))
    assert predicted.entropy == pytest.approx(np.log(8))
    assert predicted.surprisal(3) == pytest.approx(np.log(8))
    peaked = distribution(torch.tensor([0.0, 2.0, float("-inf"), 1.0]))
    assert [peaked.rank(token) for token in range(4)] == [2, 0, 3, 1]
    assert peaked.surprisal(2) == float("inf")
    assert peaked.top(2) == [1, 3]


@given(numbers=st.lists(st.integers(0, 4), min_size=1, max_size=30), k=st.integers(0, 35))
def test_top_is_the_head_of_the_order(numbers, k):
    predicted = distribution(torch.tensor(numbers, dtype=torch.float32))
    assert predicted.top(k) == predicted.order[:k].tolist()


@given(seed=st.integers(0, 10**6), chance=st.floats(0, 1, exclude_max=True))
def test_samples_only_what_is_left(seed, chance):
    logits = torch.randn(20, generator=torch.Generator().manual_seed(seed))
    predicted = distribution(logits, Sampling(top_k=5))
    assert predicted.sampled[predicted.sample(chance)] > 0


def test_samples_as_often_as_probable():
    predicted = distribution(torch.tensor([0.1, 0.6, 0.3]).log())
    counts = np.bincount([predicted.sample((i + 0.5) / 1000) for i in range(1000)], minlength=3)
    assert counts.tolist() == pytest.approx([100, 600, 300], abs=1)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"temperature": -1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_k": -1}, "Top-k"),
        ({"top_p": 0}, "Top-p"),
        ({"top_p": 1.5}, "Top-p"),
        ({"min_p": 2}, "Min-p"),
    ],
)
def test_refuses_impossible_options(changes, word):
    with pytest.raises(UserError, match=word):
        Sampling(**changes)


def test_refuses_what_is_not_a_number():
    for bad in (float("nan"), float("inf")):
        with pytest.raises(UserError, match="not a number"):
            distribution(torch.tensor([0.0, bad]))
    with pytest.raises(UserError, match="not a number"):
        distribution(torch.full((3,), float("-inf")))


@pytest.mark.parametrize("family", ["gpt2", "llama", "bart", "t5"])
def test_the_models_own_next_token(family):
    model = small_model(family)
    text, target = "hello there", "hi you" if model.kind == "encoder-decoder" else None
    for position in (-1, 2):
        predicted = next_distribution(model, text, target=target, position=position)
        ids = torch.tensor([[*model.tokenizer.encode(text).ids]])
        arguments = {"input_ids": ids}
        if target:
            start = model.module.config.decoder_start_token_id
            arguments["decoder_input_ids"] = torch.tensor([[start, *model.tokenizer.encode(target).ids]])
        expected = model.module(**arguments).logits[0, position].double().softmax(-1)
        np.testing.assert_allclose(predicted.model, expected.numpy(), atol=1e-6)
        assert len(predicted.model) == 99


def test_a_text_of_one_token_and_none():
    model = small_model("gpt2")
    assert next_distribution(model, "a").model.sum() == pytest.approx(1)
    with pytest.raises(UserError, match="no tokens"):
        next_distribution(model, "")
    with pytest.raises(UserError, match="no position"):
        next_distribution(model, "ab", position=2)


def test_filters_are_reported_in_their_order():
    assert distribution(torch.tensor([0.75, 0.25]).log(), Sampling(min_p=0.5)).filters == (
        FilterEffect(name="min-p", n_removed=1, probability=pytest.approx(0.25)),
    )
