"""Greedy decoding against step-by-step argmax of the whole model, and by hand-made models."""

import pytest
import torch

from playground.generation import greedy_answers, greedy_continuation
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)

SOURCE = torch.tensor([[3, 1, 4, 1, 5], [2, 7, 1, 8, 2]])
SMALL = {"vocabulary": 11, "context": 9, "width": 16, "layers": 2, "n_heads": 2}


def model_of(seed: int, kind: str) -> Transformer:
    torch.manual_seed(seed)
    model = Transformer(TransformerConfig(**SMALL, kind=kind, tied=False))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.6)
    return model.eval().requires_grad_(False)


def always_next(kind: str) -> Transformer:
    """A model whose layers write nothing and whose head names the token after the one that is read."""
    model = model_of(0, kind)
    for name, parameter in model.named_parameters():
        if "output.weight" in name:
            parameter.zero_()
    model.norm.weight.fill_(1.0)
    model.embedding.weight.copy_(torch.randn(11, 16, generator=torch.Generator().manual_seed(0)))
    directions = model.embedding.weight / model.embedding.weight.norm(dim=-1, keepdim=True)
    model.head.weight.copy_(directions.roll(1, 0))
    return model


@pytest.mark.parametrize("seed", range(4))
def test_each_token_of_an_answer_is_the_most_probable_after_those_before(seed):
    model = model_of(seed, "encoder-decoder")
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    answers = greedy_answers(model, SOURCE, mask, start=0, end=1, most=6)
    read = torch.cat([torch.zeros(2, 1, dtype=torch.long), answers[:, :-1]], dim=1)
    expected = model(SOURCE, read, mask=mask).argmax(-1)
    over = (read == 1).cumsum(1) > 0
    assert torch.equal(answers, torch.where(over, 1, expected))


@pytest.mark.parametrize("seed", range(4))
def test_each_token_of_a_continuation_is_the_most_probable_after_those_before(seed):
    model = model_of(seed, "decoder")
    continuation = greedy_continuation(model, SOURCE, most=4)
    whole = torch.cat([SOURCE, continuation], dim=1)
    assert torch.equal(continuation, model(whole[:, :-1]).argmax(-1)[:, 4:])


def test_an_answer_counts_up_to_its_end_and_no_further():
    """From START = 0 the model writes 1, 2, 3; 3 is the end."""
    answers = greedy_answers(always_next("encoder-decoder"), SOURCE, None, start=0, end=3, most=8)
    assert answers.tolist() == [[1, 2, 3], [1, 2, 3]]


def test_a_row_that_has_ended_waits_for_the_others():
    """After 5 comes 6, after 2 come 3 to 6; the prompt's own 6 does not end it."""
    prompts = torch.tensor([[6, 5], [6, 2]])
    continuation = greedy_continuation(always_next("decoder"), prompts, most=8, end=6)
    assert continuation.tolist() == [[6, 6, 6, 6], [3, 4, 5, 6]]


def test_writing_stops_at_the_limit_and_at_the_context():
    answers = greedy_answers(always_next("encoder-decoder"), SOURCE, None, start=0, end=10, most=4)
    assert answers.tolist() == [[1, 2, 3, 4]] * 2
    assert greedy_answers(model_of(0, "encoder-decoder"), SOURCE, None, start=0, end=-1, most=99).shape == (2, 9)
    assert greedy_continuation(always_next("decoder"), SOURCE[:1], most=12).shape == (1, 12)
