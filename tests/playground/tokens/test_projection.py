"""The projection: equal to a singular value decomposition, and bounded."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.models import load
from playground.tokens import projection
from playground.tokens.matrices import EmbeddingMatrix, embedding_matrices
from playground.tokens.projection import evenly_spaced, project


def test_two_components_are_those_of_the_singular_value_decomposition():
    matrix = embedding_matrices(load("books-decoder"))["input"]
    found = project(matrix, [7, 300, 7])
    weight = matrix.weight.double().numpy()
    centred = weight - weight.mean(0)
    _left, values, right = np.linalg.svd(centred, full_matrices=False)
    expected = centred[found.ids] @ right[:2].T
    signs = np.sign((expected * found.points).sum(0))
    assert found.points == pytest.approx(expected * signs, abs=2e-4)
    assert found.explained == pytest.approx(tuple((values**2 / (values**2).sum())[:2]), abs=1e-5)
    assert found.ids[: found.marked].tolist() == [7, 300]
    assert len(set(found.ids.tolist())) == len(found.ids) <= projection.BACKGROUND + 2
    assert found.fitted == 4096


def test_a_large_matrix_is_fitted_on_some_of_its_rows(monkeypatch):
    monkeypatch.setattr(projection, "MOST_OPERATIONS", 100 * 192**2)
    found = project(embedding_matrices(load("books-decoder"))["input"], [], background=10)
    assert (found.fitted, len(found.ids), found.marked) == (100, 10, 0)


@pytest.mark.parametrize(("weight", "sentence"), [(torch.ones(2, 4), "more than two"), (torch.ones(9, 1), "two dim")])
def test_too_small_a_matrix_is_told(weight, sentence):
    with pytest.raises(UserError, match=sentence):
        project(EmbeddingMatrix(kind="input", weight=weight), [0])


def test_equal_rows_and_nan():
    equal = project(EmbeddingMatrix(kind="input", weight=torch.ones(9, 4)), [0, 8, 99])
    assert equal.marked == 2
    assert np.isfinite(equal.points).all()
    assert equal.explained == (0.0, 0.0)
    with pytest.raises(UserError, match="not a number"):
        project(EmbeddingMatrix(kind="input", weight=torch.full((9, 4), torch.nan)), [0])


def test_evenly_spaced_indices():
    assert evenly_spaced(10, 4).tolist() == [0, 3, 6, 9]
    assert evenly_spaced(3, 9).tolist() == [0, 1, 2]
