"""The seam's arithmetic against torch's sdpa and a plain numpy softmax, by invariants, and by hand."""

import math
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from playground import attention
from playground.attention import AttentionCall, attend, handling, pattern, scores, z

torch.set_num_threads(1)

MASKS = ["none", "causal", "boolean", "boolean keys", "float", "float lowest", "float16 lowest"]


def call_of(query: Tensor, key: Tensor, value: Tensor, **changes) -> AttentionCall:
    defaults = {"mask": None, "bias": None, "sinks": None, "softcap": None, "scaling": 0.5, "is_causal": False}
    return AttentionCall(module=nn.Identity(), query=query, key=key, value=value, **{**defaults, **changes})


@st.composite
def calls(draw) -> AttentionCall:
    """Small calls of every sort; masks may leave a query nothing to look at."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    batch, key_heads, groups = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    queries, keys, width = draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    heads = key_heads * groups
    kind = draw(st.sampled_from(MASKS))
    mask = mask_of(kind, (batch, queries, keys), generator)
    bias = torch.randn(1, heads, queries, keys, generator=generator) if draw(st.booleans()) else None
    return call_of(
        torch.randn(batch, heads, queries, width, generator=generator) * 3,
        torch.randn(batch, key_heads, keys, width, generator=generator),
        torch.randn(batch, key_heads, keys, width, generator=generator),
        mask=mask,
        bias=bias,
        sinks=torch.randn(heads, generator=generator) if draw(st.booleans()) else None,
        softcap=draw(st.sampled_from([None, 0.5, 30.0])),
        scaling=draw(st.sampled_from([0.1, 1.0])),
        is_causal=kind == "causal",
    )


def mask_of(kind: str, sizes: tuple[int, int, int], generator: torch.Generator) -> Tensor | None:
    batch, queries, keys = sizes
    allowed = torch.rand(batch, 1, queries, keys, generator=generator) < 0.5
    if kind in ("none", "causal"):
        return None
    if kind == "boolean":
        return allowed
    if kind == "boolean keys":
        return allowed[:, :, :1]
    if kind == "float":
        return torch.randn(batch, 1, queries, keys, generator=generator).masked_fill(~allowed, float("-inf"))
    dtype = torch.float16 if kind.startswith("float16") else torch.float32
    return torch.zeros(batch, 1, queries, keys, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)


# Against an independent reference


def numpy_reference(call: AttentionCall) -> tuple[np.ndarray, np.ndarray]:
    """Pattern and z with loops and float64, from the docstrings of AttentionCall alone."""
    batch, heads, queries, _ = call.query.shape
    keys, groups = call.key.shape[2], heads // call.key.shape[1]
    weights = np.zeros((batch, heads, queries, keys))
    mixed = np.zeros((batch, heads, queries, call.value.shape[-1]))
    for b, h, i in np.ndindex(batch, heads, queries):
        row = [score_of(call, b, h, i, j, h // groups) for j in range(keys)]
        sink = [] if call.sinks is None else [float(call.sinks[h])]
        largest = max(row + sink)
        if largest == -math.inf:
            continue
        raised = [math.exp(score - largest) for score in row]
        total = sum(raised) + sum(math.exp(score - largest) for score in sink)
        weights[b, h, i] = np.array(raised) / total
        mixed[b, h, i] = weights[b, h, i] @ call.value[b, h // groups].double().numpy()
    return weights, mixed


def score_of(call: AttentionCall, b: int, h: int, i: int, j: int, key_head: int) -> float:
    score = float(call.query[b, h, i].double() @ call.key[b, key_head, j].double()) * call.scaling
    if call.softcap is not None:
        score = call.softcap * math.tanh(score / call.softcap)
    if call.bias is not None:
        score += float(call.bias[0, h, i, j])
    if call.is_causal and j > i:
        return -math.inf
    if call.mask is None:
        return score
    term = call.mask[b, 0, i if call.mask.shape[2] > 1 else 0, j]
    if call.mask.dtype == torch.bool:
        return score if term else -math.inf
    return -math.inf if term <= torch.finfo(call.mask.dtype).min else score + float(term)


@settings(max_examples=150)
@given(calls())
def test_pattern_and_z_are_those_of_plain_loops(call):
    weights, mixed = numpy_reference(call)
    np.testing.assert_allclose(pattern(call).numpy(), weights, atol=2e-6)
    np.testing.assert_allclose(z(call).numpy(), mixed, atol=1e-5)


@settings(max_examples=60)
@given(calls())
def test_attend_is_sdpa_where_sdpa_can(call):
    """Query and key heads alike, no bias, sinks or softcap: torch's own function with the same mask."""
    key, value = (tensor.repeat_interleave(call.queries_per_key_value_head, dim=1) for tensor in (call.key, call.value))
    mask = None if call.mask is None or call.mask.dtype != torch.bool else call.mask
    output, _ = attend(
        call.module, call.query, call.key, call.value, mask, scaling=call.scaling, is_causal=call.is_causal
    )
    causal = call.is_causal and mask is None and call.query.shape[2] > 1
    expected = functional.scaled_dot_product_attention(
        call.query, key, value, attn_mask=mask, is_causal=causal, scale=call.scaling
    )
    torch.testing.assert_close(output, expected.transpose(1, 2), atol=1e-5, rtol=1e-5)
    assert output.is_contiguous()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_near_float32_and_keeps_its_dtype(dtype):
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 1, 2, 5, 4, generator=generator)
    bias = torch.randn(1, 2, 5, 5, generator=generator)
    for changes in ({"is_causal": True}, {"bias": bias, "is_causal": True}, {"softcap": 2.0}):
        exact = z(call_of(query, key, value, **changes))
        half = z(call_of(query.to(dtype), key.to(dtype), value.to(dtype), **changes))
        assert half.dtype == dtype
        assert (half.float() - exact).abs().max() < 0.05
        assert pattern(call_of(query.to(dtype), key.to(dtype), value.to(dtype), **changes)).dtype == torch.float32


# By an invariant


@settings(max_examples=100)
@given(calls())
def test_a_row_of_the_pattern_sums_to_one_or_looks_nowhere(call):
    """With a sink: to one minus the sink's own share, which the logistic function gives."""
    weights = pattern(call)
    logits = attention.masked_scores(call)
    nowhere = logits.isneginf().all(-1)
    expected = (~nowhere).float()
    if call.sinks is not None:
        expected = torch.sigmoid(logits.logsumexp(-1) - call.sinks[:, None])
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), expected, atol=1e-5, rtol=0)
    assert (z(call)[nowhere] == 0).all()


@settings(max_examples=50)
@given(calls(), st.floats(-20, 20))
def test_the_softmax_does_not_see_a_shift_of_the_whole_row(call, shift):
    """Without sinks; with a bias of one number everywhere."""
    shape = attention.masked_scores(call).shape
    bias = torch.zeros(shape) if call.bias is None else call.bias.expand(shape)
    plain = call_of(call.query, call.key, call.value, mask=call.mask, bias=bias, is_causal=call.is_causal)
    moved = call_of(call.query, call.key, call.value, mask=call.mask, bias=bias + shift, is_causal=call.is_causal)
    torch.testing.assert_close(pattern(moved), pattern(plain), atol=1e-4, rtol=0)
    torch.testing.assert_close(z(moved), z(plain), atol=1e-3, rtol=0)


@settings(max_examples=50)
@given(calls())
def test_causal_rows_see_nothing_of_later_keys(call):
    weights = pattern(call_of(call.query, call.key, call.value, is_causal=True, bias=call.bias, softcap=call.softcap))
    assert (weights.triu(1) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]), atol=1e-5, rtol=0)


@settings(max_examples=50)
@given(calls())
def test_a_soft_cap_bounds_the_scores_and_keeps_their_order(call):
    free = scores(call_of(call.query, call.key, call.value))
    capped = scores(call_of(call.query, call.key, call.value, softcap=1.5))
    assert (capped.abs() <= 1.5).all()
    assert torch.equal(free > 0, capped > 0)


def test_scores_of_a_thousand_overflow_nothing():
    query = torch.full((1, 1, 2, 4), 500.0)
    key = torch.tensor([500.0, -500.0]).view(1, 1, 2, 1).expand(1, 1, 2, 4)
    call = call_of(query, key, torch.ones(1, 1, 2, 4))
    assert pattern(call)[0, 0].tolist() == [[1, 0], [1, 0]]
    assert torch.equal(z(call), torch.ones(1, 1, 2, 4))


# By hand

QUERY = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])[None, None]
KEY = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])[None, None]
VALUE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [4.0, 2.0]])[None, None]


def test_three_tokens_by_hand():
    """Scaling 1, causal. Scores: token 0 (1); token 1 (0, 2); token 2 (1, 1, 2).

    Softmax: (1); 1 / (1 + e^2) = 0.119203 and 0.880797; with e / (2e + e^2) = 0.211942 twice and 0.576117.
    z: (1, 0); (0.119203, 0.880797); (0.211942 + 4 * 0.576117, 0.211942 + 2 * 0.576117) = (2.516410, 1.364176).
    """
    call = call_of(QUERY, KEY, VALUE, scaling=1.0, is_causal=True)
    weights = torch.tensor([[1, 0, 0], [0.119203, 0.880797, 0], [0.211942, 0.211942, 0.576117]])
    mixed = torch.tensor([[1, 0], [0.119203, 0.880797], [2.516410, 1.364176]])
    torch.testing.assert_close(pattern(call)[0, 0], weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(z(call)[0, 0], mixed, atol=3e-6, rtol=0)


def test_a_sink_by_hand():
    """Token 2's scores (1, 1, 2) and a sink of 2: the denominator is 2e + 2e^2, so the weights are
    0.134471, 0.134471 and 0.365529, and 0.365529 goes nowhere. z = (1.596587, 0.865529).
    """
    call = call_of(QUERY, KEY, VALUE, scaling=1.0, is_causal=True, sinks=torch.tensor([2.0]))
    expected = torch.tensor([0.134471, 0.134471, 0.365529])
    torch.testing.assert_close(pattern(call)[0, 0, 2], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(z(call)[0, 0, 2], torch.tensor([1.596587, 0.865529]), atol=3e-6, rtol=0)


def test_a_soft_cap_and_a_bias_by_hand():
    """Token 2, cap 1: scores tanh(1), tanh(1), tanh(2) = 0.761594, 0.761594, 0.964028; bias 0, 0, -1 comes
    after the cap: 0.761594, 0.761594, -0.035972. Softmax: e^-0.797566 = 0.450424 against 1 and 1:
    0.408090, 0.408090, 0.183815 to five places.
    """
    bias = torch.tensor([0.0, 0.0, -1.0]).expand(1, 1, 3, 3)
    call = call_of(QUERY, KEY, VALUE, scaling=1.0, softcap=1.0, bias=bias)
    expected = torch.tensor([1, 1, math.exp(math.tanh(2) - 1 - math.tanh(1))])
    torch.testing.assert_close(pattern(call)[0, 0, 2], expected / expected.sum(), atol=1e-6, rtol=0)
    hand = torch.tensor([0.40809, 0.40809, 0.18382])
    torch.testing.assert_close(pattern(call)[0, 0, 2], hand, atol=2e-5, rtol=0)


def test_grouped_queries_share_their_key_head_in_order():
    """Four query heads on two key heads: heads 0 and 1 read the first key head's value, 2 and 3 the second's."""
    value = torch.tensor([10.0, 20.0]).view(1, 2, 1, 1)
    mixed = z(call_of(torch.ones(1, 4, 1, 1), torch.ones(1, 2, 1, 1), value))
    assert mixed.flatten().tolist() == [10, 10, 20, 20]


@pytest.mark.parametrize("dtype", [torch.bool, torch.float16, torch.float32, torch.float64])
def test_a_query_that_may_look_nowhere_by_hand(dtype):
    """Query 1 sees no key, whatever kind of mask says so: its weights and its z are zero, query 0 sees key 2."""
    allowed = torch.tensor([[False, False, True], [False, False, False], [True, True, True]])[None, None]
    mask = allowed if dtype == torch.bool else torch.zeros(1, 1, 3, 3, dtype=dtype)
    mask = mask if dtype == torch.bool else mask.masked_fill(~allowed, torch.finfo(dtype).min)
    call = call_of(QUERY, KEY, VALUE, scaling=1.0, mask=mask)
    assert pattern(call)[0, 0, :2].tolist() == [[0, 0, 1], [0, 0, 0]]
    assert z(call)[0, 0, :2].tolist() == [[4, 2], [0, 0]]


# How the seam decides


class Causal(nn.Module):
    is_causal = True


class Bidirectional(nn.Module):
    is_causal = False


@pytest.mark.parametrize(
    ("module", "keyword", "mask", "queries", "expected"),
    [
        (Causal(), None, None, 3, True),
        (Bidirectional(), None, None, 3, False),
        (nn.Identity(), None, None, 3, True),
        (Causal(), False, None, 3, False),
        (Bidirectional(), True, None, 3, True),
        (Causal(), None, torch.ones(1, 1, 3, 3, dtype=torch.bool), 3, False),
        (Causal(), True, None, 1, False),
    ],
)
def test_causality_is_the_keywords_then_the_modules_and_a_mask_replaces_it(module, keyword, mask, queries, expected):
    seen = []

    def handler(call: AttentionCall) -> Tensor:
        seen.append(call)
        return z(call)

    with handling(handler):
        attend(module, QUERY[:, :, :queries], KEY, VALUE, mask, is_causal=keyword)
    assert seen[0].is_causal is expected
    assert seen[0].module is module
    assert seen[0].scaling == pytest.approx(1 / math.sqrt(2))


def test_a_mask_longer_than_the_keys_is_cut_and_foreign_keywords_are_passed_over():
    mask = torch.tensor([True, False, True, True, True]).view(1, 1, 1, 5)
    output, nothing = attend(nn.Identity(), QUERY, KEY, VALUE, mask, scaling=1.0, dropout=0.0, sliding_window=7)
    assert nothing is None
    expected = z(call_of(QUERY, KEY, VALUE, scaling=1.0, mask=mask[..., :3])).transpose(1, 2)
    torch.testing.assert_close(output, expected)
    assert output.shape == (1, 3, 1, 2)


def test_a_handler_ends_with_its_block_even_by_an_exception():
    def doubled(call: AttentionCall) -> Tensor:
        return 2 * z(call)

    def output() -> Tensor:
        return attend(Causal(), QUERY, KEY, VALUE, None)[0]

    def stop_within() -> None:
        with handling(doubled):
            assert torch.equal(output(), 2 * plain)
            with handling(z):
                assert torch.equal(output(), plain)
            assert torch.equal(output(), 2 * plain)
            raise TimeoutError

    plain = output()
    with pytest.raises(TimeoutError):
        stop_within()
    assert torch.equal(output(), plain)


def test_a_handler_is_not_seen_by_another_thread():
    outputs = []
    with handling(lambda call: torch.zeros_like(call.query)):
        thread = threading.Thread(target=lambda: outputs.append(attend(Causal(), QUERY, KEY, VALUE, None)[0]))
        thread.start()
        thread.join()
        assert (attend(Causal(), QUERY, KEY, VALUE, None)[0] == 0).all()
    assert (outputs[0] != 0).any()


def test_registering_twice_is_registering_once():
    from transformers import AttentionInterface

    attention.register_with_transformers()
    attention.register_with_transformers()
    assert AttentionInterface().get(attention.IMPLEMENTATION) is attend
