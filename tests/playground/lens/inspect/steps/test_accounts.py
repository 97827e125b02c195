"""What is told of each number inside a head: the terms make the number, for every family."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.lens.inspect.steps.accounts import SYMBOLS, Number, account, read_number, split_stream
from tests.helpers.families import small_model
from tests.playground.lens.generate.test_generation import own_model
from tests.playground.lens.inspect.steps.test_layer import FAMILIES, NORMED, traced

PER_KEY = {"s", "t", "m", "a"}
PER_KEY_VECTOR = {"k", "kr", "v", "qk", "av"}
SOMETIMES = {"g", "qr", "kr", "wq", "wk", "xk", "xq", "pq", "pk"}
"""Not every family has a norm before its layers, rotary positions, or a bare matrix."""


def told_of_every_symbol(trace, found):
    """An account for each symbol, with every key where there is one for each, and two places of the vectors."""
    keys, width = found.keys.met.shape
    for symbol in SYMBOLS:
        if symbol in PER_KEY:
            numbers = [Number(symbol=symbol, index=index) for index in range(keys)]
        else:
            last, index = (width - 1, found.query_position) if symbol in PER_KEY_VECTOR else (3, 0)
            numbers = [Number(symbol=symbol, index=index, place=place) for place in (0, last)]
        for number in numbers:
            try:
                yield symbol, tell(trace, found, number)
            except UserError:
                assert symbol in SOMETIMES


def tell(trace, found, number):
    if number.symbol != "r":
        return account(found, number)
    parts = trace.stream_parts(found.layer, found.query_position, found.kind)
    return split_stream(found, number.place, parts)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_terms_of_every_number_make_it(family):
    trace = traced(small_model(family))
    for kind in trace.kinds:
        for symbol, told in told_of_every_symbol(trace, trace.inside(1, kind).head(3, 2)):
            size = max(1.0, abs(told.value)) if np.isfinite(told.value) else 1.0
            assert told.difference < 3e-4 * size, (kind, symbol, told)
            if not told.is_known:
                assert (symbol, family) == ("x", "electra"), (kind, symbol)


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_our_own_kinds_are_told_whole(kind):
    trace = traced(own_model(kind))
    for site in trace.kinds:
        for symbol, told in told_of_every_symbol(trace, trace.inside(1, site).head(2, 1)):
            assert told.difference < 1e-4
            assert told.is_known
            assert len(told.terms) > 1 or symbol != "r"


@pytest.mark.parametrize("family", sorted(NORMED))
def test_a_query_that_is_normed_after_its_matrix_is_told_by_its_squares(family):
    found = traced(small_model(family)).inside(1).head(3, 2)
    told = account(found, Number(symbol="q", place=1))
    assert "u[" in told.formula
    assert all(term.value >= 0 for term in told.terms)
    assert told.result == pytest.approx(float(found.query.before[0, 1]), abs=1e-4)


def test_a_key_by_hand():
    model = small_model("gpt2")
    found = traced(model).inside(0).head(3, 2)
    told = account(found, Number(symbol="k", index=1, place=4))
    attention = model.module.transformer.h[0].attn.c_attn
    width = attention.weight.shape[0]
    column = width + 3 * found.keys.met.shape[1] + 4
    assert len(told.terms) == width + 1
    assert told.terms[0].name == "W_K[4,0] · x̂[1,0]"
    assert told.terms[0].factors[0] == pytest.approx(float(attention.weight[0, column]))
    assert told.terms[-1].value == pytest.approx(float(attention.bias[column]))
    assert told.value == pytest.approx(float(found.keys.met[1, 4]))


def test_a_score_a_weight_and_a_mix_name_all_their_terms():
    found = traced(small_model("llama")).inside(1).head(3, 4)
    keys, width = found.keys.met.shape
    score = account(found, Number(symbol="s", index=2))
    assert len(score.terms) == width
    assert score.terms[5].name == "q′[5] · k′[2,5]"
    weight = account(found, Number(symbol="a", index=2))
    assert len(weight.terms) == keys
    assert weight.terms[-1].value == 0.0
    assert [term.name for term in account(found, Number(symbol="z", place=1)).terms[:2]] == [
        "a[0] · v[0,1]",
        "a[1] · v[1,1]",
    ]
    written = account(found, Number(symbol="h", place=0))
    assert [term.name for term in written.terms] == [f"o_{head}[0]" for head in range(4)]


def test_the_embedding_of_gpt2_is_told_with_its_position():
    told = account(traced(small_model("gpt2")).inside(1).head(0, 3), Number(symbol="x", place=5))
    assert [term.name for term in told.terms] == ["transformer.wpe[5]", "embedding[5]"]


def test_a_hidden_key_has_no_weight():
    found = traced(small_model("llama")).inside(0).head(0, 1)
    assert account(found, Number(symbol="m", index=4)).value == -np.inf
    assert account(found, Number(symbol="m", index=4)).difference == 0
    assert account(found, Number(symbol="a", index=4)).result == 0


@pytest.mark.parametrize("word", ["", "k", "k.1", "k.1.2.3", "k.x.1", "nonsense.1.2", "k.-1.2", "k.1.9999999999"])
def test_a_damaged_name_names_nothing(word):
    assert read_number(word) is None


@pytest.mark.parametrize("number", [Number(symbol="k", index=99), Number(symbol="o", place=9999), Number(symbol="qr")])
def test_a_number_that_is_not_there_is_answered(number):
    found = traced(small_model("gpt2")).inside(0).head(0, 1)
    with pytest.raises(UserError, match="no number"):
        account(found, number)
