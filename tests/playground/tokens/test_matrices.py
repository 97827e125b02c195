"""Nearest tokens: equal to the cosines of all pairs, and bounded."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.models import load
from playground.tokens import matrices
from playground.tokens.analogies import add_vectors, example_sum, read_terms, single_token
from playground.tokens.findings import describe_sum
from playground.tokens.matrices import EmbeddingMatrix, cosines, embedding_matrices, nearest_tokens, row_of
from tests.helpers.families import small_model


@pytest.fixture(scope="module")
def model():
    return load("books-decoder")


@pytest.mark.parametrize("at_once", [1_000, 100_000])
def test_cosines_are_torchs(model, monkeypatch, at_once):
    monkeypatch.setattr(matrices, "ROWS_AT_ONCE", at_once)
    weight = embedding_matrices(model)["input"].weight
    values = cosines(weight, weight[300])
    expected = torch.nn.functional.cosine_similarity(weight, weight[300][None], dim=1)
    assert torch.allclose(values, expected, atol=2e-6)
    assert cosines(weight.bfloat16(), weight[300]) == pytest.approx(values, abs=0.01)


def test_neighbours_in_order_without_what_is_left_out(model):
    matrix = embedding_matrices(model)["input"]
    found = nearest_tokens(model, matrix, row_of(matrix, 300), k=5)
    assert found[0].token.id == 300
    assert found[0].cosine == pytest.approx(1.0, abs=1e-5)
    assert [each.cosine for each in found] == sorted((each.cosine for each in found), reverse=True)
    others = nearest_tokens(model, matrix, row_of(matrix, 300), k=4, exclude=(300,))
    assert [each.token.id for each in others] == [each.token.id for each in found[1:]]


def test_rows_of_zeros_and_nan_are_near_nothing(model):
    weight = embedding_matrices(model)["input"].weight[:50].clone()
    weight[3], weight[4, 0] = 0.0, torch.nan
    matrix = EmbeddingMatrix(kind="input", weight=weight)
    found = nearest_tokens(model, matrix, weight[5], k=60)
    assert len(found) == 48
    assert {3, 4}.isdisjoint(each.token.id for each in found)
    for row in (3, 4):
        with pytest.raises(UserError, match="nothing is near it"):
            nearest_tokens(model, matrix, weight[row])
    with pytest.raises(UserError, match="has no row 50"):
        row_of(matrix, 50)


def test_tied_and_own_output_matrices_and_none():
    assert embedding_matrices(load("books-decoder"))["output"].is_tied
    free = small_model("llama")
    assert not embedding_matrices(free)["output"].is_tied
    headless = small_model("bert")
    object.__setattr__(headless, "has_output_head", False)
    assert list(embedding_matrices(headless)) == ["input"]


def test_a_sum_is_of_vectors_of_length_one(model):
    matrix = embedding_matrices(model)["input"]
    answer = add_vectors(model, matrix, read_terms(model, "uncle - man + woman"), k=3)
    ids = [term.token.id for term in answer.terms]
    weight = matrix.weight.double().numpy()
    units = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    total = units[ids[0]] - units[ids[1]] + units[ids[2]]
    expected = units @ total / np.linalg.norm(total)
    order = np.argsort(-expected)
    assert [each.token.id for each in answer.all] == order[:3].tolist()
    assert [each.token.id for each in answer.others] == [id for id in order.tolist() if id not in ids][:3]
    assert answer.all[0].cosine == pytest.approx(expected[order[0]], abs=1e-5)
    assert answer.is_changed
    assert "a token of the question itself" in str(describe_sum(["uncle"], answer, ("“ uncle”", "“ aunt”")))
    assert answer.others[0].token.text == " aunt"


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "one to 8 tokens"),
        ("king man", "Write a sum"),
        ("king - antidisestablishment", "no single token"),
        ("+ ", "Write a sum"),
        (" + ".join(["the"] * 9), "one to 8 tokens"),
    ],
)
def test_what_is_no_sum_is_told(model, expression, sentence):
    with pytest.raises(UserError, match=sentence):
        read_terms(model, expression)


def test_spellings_of_a_term(model):
    terms = read_terms(model, ' king − "king" + #5')
    assert (terms[0].sign, terms[0].token.text) == (1, " king")
    assert [term.sign for term in terms] == [1, -1, 1]
    assert terms[2].token.id == 5
    assert single_token(model, "the") == single_token(model, " the", exact=True)


def test_vectors_that_cancel_are_told(model):
    matrix = embedding_matrices(model)["input"]
    with pytest.raises(UserError, match="cancel"):
        add_vectors(model, matrix, read_terms(model, "king - king"))
    with pytest.raises(UserError, match="has no row"):
        add_vectors(model, matrix, read_terms(model, "king + #9999999"))


def test_an_example_that_the_vocabulary_has():
    assert example_sum(load("books-decoder")) == "uncle - man + woman"
    assert example_sum(load("induction")) == ""
