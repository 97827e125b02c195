"""Entropy and gradient of a softmax, by hand and against autograd; what the root of d_k does to them."""

import dataclasses

import numpy as np
import pytest
import torch

from playground import load, trace
from playground.errors import UserError
from playground.lens.capture.site import select
from playground.lens.inspect.root_of_width import (
    describe_sharpness,
    entropy_share,
    head_width,
    model_sharpness,
    random_sharpness,
    softmax_gradient_norm,
)


def test_the_gradient_is_the_jacobians_norm():
    scores = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    jacobian = torch.autograd.functional.jacobian(lambda x: x.softmax(-1), scores)
    assert float(softmax_gradient_norm(scores.softmax(-1)[None])) == pytest.approx(float(jacobian.norm()), rel=1e-12)


def test_by_hand():
    """Even weights on two keys: entropy log 2, the whole; Jacobian ±1/4, norm 1/2. One-hot weights: 0 and 0."""
    weights, seen = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), torch.tensor([[True, True, False], [True] * 3])
    assert entropy_share(weights, seen).tolist() == pytest.approx([1.0, 0.0])
    assert softmax_gradient_norm(weights).tolist() == pytest.approx([0.5, 0.0])


def test_the_root_keeps_the_softmax_of_wide_heads_soft():
    sharpness = random_sharpness(24)
    # Scores of variance 1 whatever the width: about the same entropy everywhere.
    assert np.ptp(sharpness.entropy[2:]) < 0.05
    assert sharpness.entropy_unscaled[-1] < 0.15 < 0.8 < sharpness.entropy[-1]
    assert (np.diff(sharpness.entropy_unscaled) < 0.01).all()
    assert sharpness.gradient_unscaled[-1] < sharpness.gradient[-1]
    assert sharpness.entropy[0] == sharpness.entropy_unscaled[0]
    assert "At d_k = 64 and 24 keys" in str(describe_sharpness(sharpness, 70))


def test_one_key_is_refused():
    with pytest.raises(UserError, match="at least 2 keys"):
        random_sharpness(1)


def test_a_models_own_head_is_among_them():
    """All dimensions of one head's layer at once are the single head of equal width: its scores are the heads' sum."""
    traced = trace(load("books-decoder"), "The cat sat on the mat, and the dog sat on the rug.")
    site = traced.site(2)
    sharpness = model_sharpness(site)
    assert sharpness.widths[-1] <= site.n_heads * 32
    call = site.call
    scores = sum(call.query[0, head].double() @ call.key[0, head].double().T for head in range(site.n_heads))
    last = scores[-1]
    width = site.n_heads * 32
    expected = float(softmax_gradient_norm((last / width**0.5).softmax(-1)[None]))
    from playground.lens.inspect import root_of_width

    queries, keys, seen = root_of_width._whole(site)
    assert bool(seen[-1].all())
    got = float(softmax_gradient_norm((queries[-1] @ keys.T / width**0.5).softmax(-1)[None]))
    assert got == pytest.approx(expected, rel=1e-6)
    assert float(queries.shape[-1]) == width


def test_a_text_of_one_token_is_refused():
    site = trace(load("induction"), "A B").site(0)
    first = select(site.call, slice(None), slice(0, 1))  # the first token sees only itself
    with pytest.raises(UserError, match="longer text"):
        model_sharpness(dataclasses.replace(site, call=first, queries=1))
    with pytest.raises(UserError, match="does not hand over"):
        model_sharpness(dataclasses.replace(site, call=None))


@pytest.mark.parametrize("which", ["query", "key"])
def test_numbers_that_arise_in_the_pass_and_are_none_are_refused(which):
    site = trace(load("induction"), "A B A B").site(0)
    damaged = getattr(site.call, which).clone()
    damaged[0, 0, -1, 0] = float("nan")
    call = dataclasses.replace(site.call, **{which: damaged})
    with pytest.raises(UserError, match="not finite"):
        model_sharpness(dataclasses.replace(site, call=call))


def test_the_heads_own_width_is_measured_and_quoted():
    site = trace(load("induction"), "A B A B").site(0)
    call = dataclasses.replace(site.call, query=site.call.query[..., :5], key=site.call.key[..., :5])
    narrow = dataclasses.replace(site, call=call)
    assert head_width(narrow) == 5
    sharpness = model_sharpness(narrow)
    assert 5 in sharpness.widths
    assert list(sharpness.widths) == sorted(set(sharpness.widths))
    assert "At d_k = 5 and" in str(describe_sharpness(sharpness, 5))
