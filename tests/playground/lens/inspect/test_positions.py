"""Schemes of positions, held against transformers' own and against our modules."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BloomConfig, BloomForCausalLM
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.t5.modeling_t5 import T5Attention

from playground.errors import UserError
from playground.layers import Rotary, SinusoidalPositions
from playground.lens.inspect.positions import (
    alibi,
    bucket_of,
    learned,
    model_positions,
    reach,
    relative_bias,
    rotary,
    sinusoidal,
    slopes,
)
from playground.transformer import TransformerConfig
from tests.helpers.families import as_loaded, small_model
from tests.helpers.own_models import own_model, random_model

CONFIG = TransformerConfig(vocabulary=9, context=40, width=24, layers=1, n_heads=2, hidden=8)


def test_sines_are_those_of_our_model():
    scheme = sinusoidal(40, 24)
    np.testing.assert_allclose(scheme.matrix, SinusoidalPositions(CONFIG).table, atol=1e-5)
    # The dot product of two positions is the sum of the cosines of the angles between them: it knows the distance only.
    frequencies = 10000.0 ** (-np.arange(0, 24, 2) / 24)
    expected = np.cos(np.arange(40)[:, None] * frequencies).sum(1)
    np.testing.assert_allclose(scheme.by_distance[0], expected, atol=1e-9)


@given(width=st.sampled_from([2, 8, 12]), far=st.integers(0, 39), begin=st.integers(0, 39))
def test_turned_vectors_know_their_distance(width, far, begin):
    """Equal vectors turned by our rotary module have the dot product that the curve shows, wherever they stand."""
    if begin + far >= 40:
        begin = 39 - far
    module = Rotary(TransformerConfig(vocabulary=9, context=40, width=2 * width, layers=1, n_heads=2, hidden=8))
    turned = module(torch.full((1, 40, 1, width), width**-0.5))[0, :, 0]
    expected = float(turned[begin] @ turned[begin + far])
    assert rotary(40, width).by_distance[0, far] == pytest.approx(expected, abs=1e-5)


def test_rotary_by_hand():
    scheme = rotary(3, 2)
    assert scheme.matrix[:, 0] == pytest.approx(np.cos([0, 1, 2]))


@given(
    distances=st.lists(st.integers(-300, 300), min_size=1),
    buckets=st.sampled_from([8, 16, 32]),
    furthest=st.sampled_from([20, 128]),
    is_causal=st.booleans(),
)
def test_buckets_are_those_of_t5(distances, buckets, furthest, is_causal):
    relative = -torch.tensor(distances)
    expected = T5Attention._relative_position_bucket(relative, not is_causal, buckets, furthest)
    indices = bucket_of(np.array(distances), buckets, is_causal=is_causal, furthest=furthest)
    assert indices.tolist() == expected.tolist()


def test_buckets_of_all_distances_are_those_of_t5():
    distances = np.arange(-127, 128)
    expected = T5Attention._relative_position_bucket(-torch.from_numpy(distances), True, 32, 128)
    assert bucket_of(distances, 32, is_causal=False).tolist() == expected.tolist()


@pytest.mark.parametrize("heads", [1, 2, 4, 8, 12, 16, 20])
def test_slopes_are_those_of_bloom(heads):
    bias = build_alibi_tensor(torch.ones(1, 5, dtype=torch.long), heads, torch.float32)[:, 0]
    np.testing.assert_allclose(slopes(heads), bias[:, 1], rtol=1e-6)
    # Bloom adds what grows along the keys; from a row's own key on that is the penalty by distance.
    np.testing.assert_allclose(alibi(5, heads).by_distance[:, ::-1], bias - bias[:, 4:], atol=1e-6)


def test_a_t5s_bias_is_what_it_adds():
    model = small_model("t5")
    encoder, decoder = model_positions(model, 12)
    for found, stack in ((encoder, model.module.encoder), (decoder, model.module.decoder)):
        bias = stack.block[0].layer[0].SelfAttention.compute_bias(12, 12)[0]
        for number, distance in enumerate(found.distances):
            expected = bias[:, max(distance, 0), max(-distance, 0)]
            np.testing.assert_allclose(found.by_distance[:, number], expected, atol=1e-6)
    assert encoder.distances.min() == -11
    assert decoder.distances.min() == 0
    assert "encoder" in encoder.module


@pytest.mark.parametrize(
    ("family", "kinds"),
    [
        ("gpt2", ["learned"]),
        ("opt", ["learned"]),
        ("roberta", ["learned"]),
        ("bert", ["learned"]),
        ("bart", ["learned", "learned"]),
        ("marian", ["sinusoidal"]),
        ("llama", ["rotary"]),
        ("gpt_neox", ["rotary"]),
        ("gemma3", ["rotary"]),
        ("modernbert", ["rotary", "rotary"]),
    ],
)
def test_schemes_of_families(family, kinds):
    schemes = model_positions(small_model(family), 20)
    if family == "marian":  # the test's random weights have overwritten the sines
        assert {positions.kind for positions in schemes} == {"sinusoidal"}
        return
    assert [positions.kind for positions in schemes] == kinds
    assert all(positions.by_distance.shape == (1, 20) for positions in schemes)


def test_learned_rows_are_those_that_the_model_adds():
    model = small_model("roberta")
    (schemes,) = model_positions(model, 6)
    table = model.module.roberta.embeddings.position_embeddings.weight
    np.testing.assert_allclose(schemes.matrix, table[2:8])
    products = schemes.matrix @ schemes.matrix.T
    assert schemes.by_distance[0, 2] == pytest.approx(np.mean([products[i, i + 2] for i in range(4)]), abs=1e-5)


def test_bloom_has_alibi():
    config = BloomConfig(vocab_size=99, hidden_size=32, n_layer=1, n_head=4)
    (schemes,) = model_positions(as_loaded(BloomForCausalLM(config), "decoder", "bloom"), 9)
    assert schemes.kind == "alibi"
    assert schemes.by_distance.shape == (4, 9)


@pytest.mark.parametrize("kind", ["rotary", "learned", "sinusoidal", "none"])
def test_our_own(kind):
    model = own_model("decoder")
    object.__setattr__(model, "module", random_model(positions=kind))
    schemes = model_positions(model, 16)
    assert [positions.kind for positions in schemes] == ([] if kind == "none" else [kind])
    if kind == "rotary":
        np.testing.assert_allclose(schemes[0].by_distance, rotary(16, 6).by_distance, atol=1e-5)


def test_refusals():
    with pytest.raises(UserError, match="even"):
        rotary(4, 3)
    with pytest.raises(UserError, match="positions cannot"):
        sinusoidal(0, 4)
    with pytest.raises(UserError, match="base"):
        rotary(4, 4, base=0)
    with pytest.raises(UserError, match="size"):
        alibi(4, 0)
    assert learned(np.ones((3, 2))).by_distance.tolist() == [[2, 2, 2]]
    assert relative_bias(3, np.arange(8.0)[:, None], is_causal=True).matrix.tolist() == [[0, 1, 2]]


def test_the_sentence_says_how_far_a_scheme_reaches():
    """Slopes of two heads are 1/16 and 1/256, over distances 0 to 32."""
    assert str(reach(alibi(33, 2))) == (
        "Over these distances the bias of head 0 varies most, by 2, that of head 1 least, by 0.125."
    )
    turned = reach(rotary(64, 2))
    assert str(turned).endswith("from distance 2 on."), "the cosine of 1 is 0.54, that of 2 is negative"
    assert reach(alibi(33, 1)) is None
    assert reach(learned(np.ones((4, 2)))) is None
