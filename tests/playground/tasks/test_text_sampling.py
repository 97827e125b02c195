"""Text sampled from a model in training."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from playground.errors import UserError
from playground.tasks.text import sample_text
from playground.tasks.vocabulary import train_vocabulary
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)

LETTERS = "abcdefgh"
TOKENIZER = train_vocabulary("characters", [LETTERS], 16)


class Next(nn.Module):
    """After each token comes the one with the next id; it remembers how much it was shown."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(context=context)
        self.lengths: list[int] = []

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        self.lengths.append(ids.shape[1])
        return 50.0 * nn.functional.one_hot((ids + 1).clamp(max=9), 10)


class Even(nn.Module):
    """Two tokens, a and b, with logits 0 and 1, whatever came before."""

    config = SimpleNamespace(context=4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits = torch.full((10,), float("-inf"))
        logits[2], logits[3] = 0.0, 1.0
        return logits.expand(*ids.shape, -1)


def random_model() -> Transformer:
    torch.manual_seed(0)
    config = TransformerConfig(vocabulary=10, context=6, width=8, layers=1, n_heads=2)
    return Transformer(config).requires_grad_(False)


def test_a_certain_model_writes_what_it_is_certain_of():
    assert sample_text(Next(20), TOKENIZER, prompt="cd", tokens=3) == "cdefg"


def test_the_model_is_shown_its_context_and_no_more():
    model = Next(4)
    assert sample_text(model, TOKENIZER, prompt="a", tokens=6) == "abcdefg"
    assert model.lengths == [2, 3, 4, 4, 4, 4]
    assert sample_text(Next(4), TOKENIZER, prompt=LETTERS, tokens=1) == LETTERS + "h"


@pytest.mark.parametrize(("temperature", "share"), [(1.0, 0.7311), (0.5, 0.8808), (2.0, 0.6225)])
def test_tokens_are_drawn_from_the_softmax_at_the_temperature_by_hand(temperature, share):
    """Logits 0 and 1: b has 1 / (1 + e^(-1/T)), which is 0.7311, 0.8808, 0.6225 at T = 1, 1/2, 2."""
    text = sample_text(Even(), TOKENIZER, tokens=3000, temperature=temperature)
    assert len(text) == 3000
    assert text.count("b") / 3000 == pytest.approx(share, abs=0.03)


def test_the_same_seed_draws_the_same_text_and_leaves_the_global_state_alone():
    model = random_model()
    before = torch.get_rng_state()
    texts = [sample_text(model, TOKENIZER, prompt="ab", tokens=30, temperature=2.0, seed=seed) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_no_tokens_give_back_the_prompt():
    assert sample_text(random_model(), TOKENIZER, prompt="abc", tokens=0) == "abc"


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_cannot_be_drawn_at_is_refused(temperature):
    with pytest.raises(UserError, match="choose a positive number"):
        sample_text(random_model(), TOKENIZER, tokens=1, temperature=temperature)
