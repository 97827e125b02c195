"""The derivation of every number inside a head: the terms make the number, for every family."""

from contextlib import nullcontext

import numpy as np
import pytest

from playground.errors import UserError
from playground.lens.inspect.steps.derivation import Number, parse_number
from playground.lens.inspect.steps.norm import stream_vector
from playground.lens.inspect.steps.step import StepInputs
from playground.lens.inspect.steps.stream import stream_before
from playground.lens.inspect.steps.walkthrough import derive, walkthrough
from tests.helpers.families import small_model
from tests.helpers.own_models import own_model
from tests.playground.lens.inspect.steps.test_layer import FAMILIES, NORMED, traced

ALWAYS = {"e", "r", "n", "q", "k", "v", "qk", "s", "t", "m", "a", "av", "z", "o", "h", "u", "wo", "xo", "po"}
SOMETIMES = {"x", "es", "ef", "g", "qr", "kr", "d", *(f"{part}{matrix}" for part in "wxp" for matrix in "qkv")}
"""Not every family adds to its embeddings, norms before or after its layers, rotates, or has a bare matrix."""


def steps_of(head, dimension=3):
    """All steps with every key listed."""
    keys = range(len(head.attention.weights))
    labels = [f"key {key}" for key in keys]
    return walkthrough(
        StepInputs(head=head, keys=tuple(keys), key_labels=labels, query_label="query", dimension=dimension)
    )


def derivation_of(head, number):
    return derive(steps_of(head), number)


def all_derivations(trace, head):
    """Of every row the first and the last number; of rows with a number for each key all of them."""
    shared, parts = getattr(trace.model.module.config, "model_type", "") == "albert", None
    with pytest.raises(UserError, match="layers that share weights") if shared else nullcontext():
        parts = trace.stream_parts(head.layer, head.query_position, head.kind)
    token = trace.whole_token(head.query_position, kind=head.kind) if shared else None
    for step in steps_of(head):
        for row in (row for table in step.tables for row in table.rows):
            count = len(row.values)
            for column in range(count) if row.keys else (0, count - 1):
                number = row.number(column)
                before = stream_vector(head, parts) if token is None else stream_before(token, head.layer, None, "r")
                yield number, before.derive(column) if row.symbol == "r" else row.derive(column)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_terms_of_every_number_make_it(family):
    trace = traced(small_model(family))
    for kind in trace.kinds:
        symbols = set()
        for number, derivation in all_derivations(trace, trace.inside(1, kind).head(3, 2)):
            symbols.add(number.symbol)
            size = max(1.0, abs(derivation.value)) if np.isfinite(derivation.value) else 1.0
            assert derivation.difference < 3e-4 * size, (kind, number, derivation)
            assert derivation.is_known, (kind, number)
        assert ALWAYS <= symbols <= ALWAYS | SOMETIMES


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_every_number_of_our_own_kinds_is_derived(kind):
    trace = traced(own_model(kind))
    for site in trace.kinds:
        for number, derivation in all_derivations(trace, trace.inside(1, site).head(2, 1)):
            assert derivation.difference < 1e-4
            assert derivation.is_known
            assert len(derivation.terms) > 1 or number.symbol != "r"


@pytest.mark.parametrize("family", sorted(NORMED))
def test_a_query_that_is_normed_after_its_matrix_is_derived_from_its_squares(family):
    head = traced(small_model(family)).inside(1).head(3, 2)
    derivation = derivation_of(head, Number(symbol="q", column=1))
    assert "u[" in derivation.formula
    assert all(term.value >= 0 for term in derivation.terms)
    assert derivation.result == pytest.approx(float(head.query.before_rotation[0, 1]), abs=1e-4)


def test_a_key_by_hand():
    model = small_model("gpt2")
    head = traced(model).inside(0).head(3, 2)
    derivation = derivation_of(head, Number(symbol="k", index=1, column=4))
    attention = model.module.transformer.h[0].attn.c_attn
    width = attention.weight.shape[0]
    column = width + 3 * head.keys.at_seam.shape[1] + 4
    assert len(derivation.terms) == width + 1
    assert derivation.terms[0].name == "W_K[4,0] · x̂[1,0]"
    assert derivation.terms[0].factors[0] == pytest.approx(float(attention.weight[0, column]))
    assert derivation.terms[-1].value == pytest.approx(float(attention.bias[column]))
    assert derivation.value == pytest.approx(float(head.keys.at_seam[1, 4]))


def test_a_score_a_weight_and_a_mask_name_all_their_terms():
    head = traced(small_model("llama")).inside(1).head(3, 4)
    keys, width = head.keys.at_seam.shape
    score = derivation_of(head, Number(symbol="s", index=2))
    assert len(score.terms) == width
    assert score.terms[5].name == "q′[5] · k′[2,5]"
    weight = derivation_of(head, Number(symbol="a", index=2))
    assert len(weight.terms) == keys
    assert weight.terms[-1].value == 0.0
    z = derivation_of(head, Number(symbol="z", column=1))
    assert [term.name for term in z.terms[:2]] == ["a[0] · v[0,1]", "a[1] · v[1,1]"]
    all_heads = derivation_of(head, Number(symbol="h", column=0))
    assert [term.name for term in all_heads.terms] == [f"o_{other}[0]" for other in range(4)]


def test_the_embedding_of_gpt2_is_derived_with_its_position():
    head = traced(small_model("gpt2")).inside(1).head(0, 3)
    derivation = derivation_of(head, Number(symbol="x", column=5))
    assert [term.name for term in derivation.terms] == ["transformer.wpe[5]", "embedding[5]"]


def test_a_hidden_key_has_no_weight():
    head = traced(small_model("llama")).inside(0).head(0, 1)
    masked = derivation_of(head, Number(symbol="m", index=4))
    assert (masked.value, masked.difference) == (-np.inf, 0)
    assert derivation_of(head, Number(symbol="a", index=4)).result == 0


def test_a_summary_says_of_every_number_what_its_derivation_says():
    head = traced(small_model("gpt2")).inside(1).head(0, 3)
    (row,) = next(step for step in steps_of(head) if step.name == "projection").tables[0].rows
    summary = row.summary()
    for column, (first, second) in enumerate(zip(summary.numbers[:, 3], summary.numbers[:, 7], strict=True)):
        products = sorted((term.value for term in row.derive(column).terms[:-1]), key=abs, reverse=True)
        assert (first, second) == pytest.approx(tuple(products[:2]), rel=1e-5)
    text = summary.template.format(*summary.numbers[2].astype(int), value="v", column=2)
    assert text.startswith("q[2] = v<br>largest of 32 products:<br>W_Q[2,")


@pytest.mark.parametrize("address", ["", "k", "k.1", "k.1.2.3", "k.x.1", "k1.1.2", "k.-1.2", "k.1.9999999999"])
def test_a_damaged_address_names_no_number(address):
    assert parse_number(address) is None


@pytest.mark.parametrize(
    "number",
    [
        Number(symbol="k", index=99),
        Number(symbol="o", column=9999),
        Number(symbol="qr"),
        Number(symbol="nonsense", index=1, column=2),
    ],
)
def test_a_number_that_is_not_there_is_answered(number):
    head = traced(small_model("gpt2")).inside(0).head(0, 1)
    with pytest.raises(UserError, match="no number"):
        derivation_of(head, number)
