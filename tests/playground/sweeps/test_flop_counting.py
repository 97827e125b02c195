"""Counting against a hand-worked shape, the papers' formulas, and torch's own counter."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.published import BESIROGLU
from playground.sweeps.flop_counting import FLOPS, PARAMETERS, count_flops_per_token, count_parameters, counted_frontier
from playground.training.sizes import product_flops
from playground.transformer import TransformerConfig

SHAPE = TransformerConfig(
    vocabulary=100, context=32, width=16, layers=2, n_heads=2, feed_forward="gelu", positions="learned", tied=False
)
KINDS = [
    SHAPE,
    TransformerConfig(vocabulary=50, context=24, width=32, layers=3, n_heads=4, key_value_heads=2),
    TransformerConfig(vocabulary=50, context=16, width=32, layers=1, n_heads=4, kind="encoder", norm="layer"),
]


def test_parameters_of_a_shape_counted_by_hand():
    # Two layers of 4 x 16 x 16 for attention, 2 x 16 x 64 and 64 + 16 biases for the rest, and 5 norms of 16 numbers.
    inner = 2 * (4 * 16 * 16 + 2 * 16 * 64 + 64 + 16) + 5 * 16
    assert count_parameters(SHAPE, "without-embeddings") == inner
    assert count_parameters(SHAPE, "with-head") == inner + 16 * 100
    assert count_parameters(SHAPE, "all") == inner + 2 * 16 * 100 + 32 * 16


def test_a_tied_head_is_counted_once_among_all_and_once_where_it_multiplies():
    tied = KINDS[1]
    assert (
        count_parameters(tied, "all")
        == count_parameters(tied, "with-head")
        == count_parameters(tied, "without-embeddings") + 32 * 50
    )


@pytest.mark.parametrize("shape", KINDS)
def test_what_torch_carries_out_is_what_is_counted(shape):
    for length in (shape.context, shape.context // 2):
        products = 3 * sum(product_flops(shape, length).values()) / length
        assert count_flops_per_token(shape, "executed", length) == pytest.approx(products)


def test_the_formulas_by_hand():
    inner = count_parameters(SHAPE, "without-embeddings")
    assert count_flops_per_token(SHAPE, "6nd") == 6 * count_parameters(SHAPE, "all")
    assert count_flops_per_token(SHAPE, "6nd-without-embeddings") == 6 * inner
    assert count_flops_per_token(SHAPE, "6nd-with-head") == 6 * (inner + 1600)
    assert count_flops_per_token(SHAPE, "kaplan") == 3 * (2 * inner + 2 * 2 * 32 * 16)
    # Hoffmann et al. 2022, appendix F, for a row of 32 tokens.
    attention = 2 * 3 * 32 * 16 * 16 + 2 * 32 * 32 * 16 + 3 * 2 * 32 * 32 + 2 * 32 * 32 * 16 + 2 * 32 * 16 * 16
    dense = 2 * 32 * (16 * 64 + 64 * 16)
    forward = 2 * 32 * 100 * 16 + 2 * (attention + dense) + 2 * 32 * 16 * 100
    assert count_flops_per_token(SHAPE, "hoffmann") == pytest.approx(3 * forward / 32)


def test_all_ways_agree_for_a_large_model_with_a_small_vocabulary_and_context():
    large = TransformerConfig(vocabulary=64, context=16, width=1024, layers=8, n_heads=8)
    counts = [count_flops_per_token(large, way) for way in FLOPS]
    assert max(counts) < 1.02 * min(counts)


def test_ways_that_there_are_not_and_two_stacks_are_refused():
    with pytest.raises(UserError, match="choose all, without-embeddings, with-head"):
        count_parameters(SHAPE, "most")
    with pytest.raises(UserError, match="one stack"):
        count_flops_per_token(TransformerConfig(vocabulary=9, kind="encoder-decoder"), "kaplan")


@pytest.mark.slow
def test_leaving_out_embeddings_and_head_raises_the_exponent():
    shapes = [
        TransformerConfig(vocabulary=32_000, context=256, width=width, layers=layers, n_heads=4)
        for width, layers in [(64, 2), (96, 3), (128, 4), (192, 5), (256, 6), (384, 8), (512, 10), (768, 12)]
    ]
    sizes = {way: np.array([count_parameters(shape, way) for shape in shapes], float) for way in PARAMETERS}
    ratios = np.geomspace(2, 2000, 16)
    tokens = np.outer(sizes["with-head"], ratios).ravel()
    loss = LAWS["chinchilla"].predict(BESIROGLU.parameters, params=np.repeat(sizes["with-head"], 16), tokens=tokens)

    def exponent(params_way, flops_way):
        each = [count_flops_per_token(shape, flops_way) for shape in shapes]
        return counted_frontier(np.repeat(sizes[params_way], 16), np.repeat(each, 16), tokens, loss).exponent

    truth = exponent("with-head", "6nd-with-head")
    assert truth == pytest.approx(closed_form(BESIROGLU.parameters).exponent, abs=0.01)
    assert exponent("without-embeddings", "6nd-without-embeddings") > truth + 0.05


def test_two_sizes_have_no_exponent():
    with pytest.raises(UserError, match="at least 3"):
        counted_frontier(np.array([1e6, 1e7] * 4), np.full(8, 6e6), np.geomspace(1e7, 1e9, 8), np.linspace(4, 3, 8))
