"""The alignment error rate: by hand, at its ends, and through a real model's cross-attention."""

import numpy as np
import pytest
import torch

from playground.tasks.alignment import Gold, alignment_error_rates, cross_attention, error_rate
from playground.tasks.task import Batch
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)


def table(*pairs: tuple[int, int]) -> np.ndarray:
    found = np.zeros((1, 3, 4), dtype=bool)
    for place, token in pairs:
        found[0, place, token] = True
    return found


GOLD = Gold(sure=table((0, 0), (1, 2)), possible=table((0, 0), (1, 2), (1, 3)))


@pytest.mark.parametrize(
    ("found", "rate"),
    [
        (table((0, 0), (1, 2)), 0.0),
        (table((0, 0), (1, 3)), 1 - (1 + 2) / 4),
        (table((0, 1), (1, 3)), 1 - (0 + 1) / 4),
        (table((0, 1), (2, 3)), 1.0),
        (table((0, 0)), 1 - 2 / 3),
    ],
)
def test_the_rate_by_hand(found, rate):
    assert error_rate(found, GOLD) == pytest.approx(rate)


def test_each_head_is_linked_to_its_heaviest_token_and_the_mean_head_comes_last():
    """Head 0 is right, head 1 wrong but surer, and so is the mean; position 2 has no gold link and never counts."""
    right = torch.tensor([[0.6, 0.4, 0.0, 0.0], [0.0, 0.0, 0.6, 0.4], [1.0, 0.0, 0.0, 0.0]])
    wrong = torch.tensor([[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    rates = alignment_error_rates(torch.stack([right, wrong])[None, None], GOLD)
    assert rates.tolist() == [[0.0, 1.0, 1.0]]


def test_the_patterns_are_those_of_cross_attention_and_no_padding_is_looked_at():
    config = TransformerConfig(vocabulary=9, kind="encoder-decoder", context=8, width=16, layers=3, n_heads=2)
    torch.manual_seed(0)
    model = Transformer(config)
    ids = torch.tensor([[0, 5, 6, 1, 2], [0, 5, 6, 7, 1]])
    batch = Batch(ids=ids, target_ids=torch.tensor([[0, 7, 8], [0, 8, 8]]), mask=ids != 2)
    patterns = cross_attention(model, batch)
    assert patterns.shape == (3, 2, 2, 3, 5)
    assert torch.allclose(patterns.sum(-1), torch.ones(3, 2, 2, 3), atol=1e-5)
    assert (patterns[:, 0, :, :, 4] == 0).all()
    assert (patterns[:, 1] > 0).all()
