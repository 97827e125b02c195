"""Rollout and flow: hand-worked, against networkx, and what they must keep."""

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.lens.attribute.rollout import attention_flow, attention_rollout, maximum_flow, with_residual


def random_maps(seed: int, tokens: int, layers: int, *, causal: bool) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(layers, 3, tokens, tokens, generator=generator) * 2
    if causal:
        scores = scores.masked_fill(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf"))
    return list(scores.softmax(-1))


def test_two_layers_by_hand():
    """One head that always looks at token 0: half of what a token holds stays, half comes from there."""
    look = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    rollout = attention_rollout([look, look])
    np.testing.assert_allclose(rollout[0], [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(rollout[1], [[1, 0], [0.75, 0.25]])


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), tokens=st.integers(1, 6), layers=st.integers(1, 4), causal=st.booleans())
def test_rows_of_rollout_sum_to_one_and_flow_is_the_maximum(seed, tokens, layers, causal):
    maps = random_maps(seed, tokens, layers, causal=causal)
    rollout = attention_rollout(maps)
    np.testing.assert_allclose(rollout.sum(-1), 1, atol=1e-5)
    if causal:
        assert np.allclose(np.triu(rollout, 1), 0)
    graph = networkx.DiGraph()
    graph.add_nodes_from((depth, token) for depth in range(layers + 1) for token in range(tokens))
    for depth, layer in enumerate(reversed(maps)):
        for (begin, end), weight in np.ndenumerate(with_residual(layer).numpy()):
            graph.add_edge((depth, begin), (depth + 1, end), capacity=float(weight))
    ours = attention_flow(maps, tokens - 1)
    for token in range(tokens):
        expected = networkx.maximum_flow_value(graph, (0, tokens - 1), (layers, token))
        assert ours[token] == pytest.approx(expected, abs=1e-5)


def test_a_bottleneck_bounds_the_flow():
    wide, narrow = np.ones((2, 2)), np.array([[0.1, 0.0], [0.0, 0.2]])
    assert maximum_flow([wide, narrow, wide], 0, 0) == pytest.approx(0.3)


def test_too_much_or_nothing_is_refused():
    with pytest.raises(UserError, match="up to 64 tokens"):
        attention_flow([torch.eye(65)[None]], 0)
    with pytest.raises(UserError, match="no token 3"):
        attention_flow([torch.eye(3)[None]], 3)
    for empty in (lambda: attention_rollout([]), lambda: attention_flow([], 0)):
        with pytest.raises(UserError, match="no layers"):
            empty()
