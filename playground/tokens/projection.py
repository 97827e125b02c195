"""The embedding space in two dimensions: the two directions along which its vectors differ most (PCA).

Pearson 1901. Two of several hundred dimensions hold a small part of all variance, which `explained` states: tokens
that are far apart here are far apart, tokens that are near here need not be near.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from playground.errors import UserError
from playground.tokens.matrices import EmbeddingMatrix

BACKGROUND = 1_500
"""How many tokens of the vocabulary are drawn around the text's."""
MOST_OPERATIONS = 1e10
"""Of the covariance matrix (rows times width squared): less than a second on one core."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Tokens as points."""

    ids: Int[np.ndarray, "point"]
    points: Float[np.ndarray, "point 2"]
    marked: int
    """How many of the points, the first ones, are the text's tokens."""
    explained: tuple[float, float]
    """The share of the variance along either axis."""
    fitted: int
    """How many rows the axes were found from."""


def project(matrix: EmbeddingMatrix, marked: Sequence[int], background: int = BACKGROUND) -> Projection:
    """The text's tokens, and others evenly spaced over the vocabulary, along the two principal components.

    Of a large matrix the components are found from evenly spaced rows. Raises UserError for a matrix of fewer than
    two rows or columns, and for one with NaN.
    """
    n_rows, width = matrix.weight.shape
    if n_rows < 3 or width < 2:
        raise UserError("A projection needs more than two tokens and two dimensions.")
    rows = evenly_spaced(n_rows, max(3, min(n_rows, int(MOST_OPERATIONS / width**2))))
    known = list(dict.fromkeys(id for id in marked if 0 <= id < n_rows))
    others = [int(id) for id in evenly_spaced(n_rows, min(n_rows, background)) if int(id) not in set(known)]
    sample = matrix.weight[rows.tolist()].float().cpu().numpy()
    if not np.isfinite(sample).all():
        raise UserError("The embedding holds what is not a number, so that it has no principal components.")
    pca = fit_components(sample)
    ids = np.array([*known, *others], dtype=int)
    points = pca.transform(matrix.weight[ids.tolist()].float().cpu().numpy())
    first, second = (float(share) for share in np.nan_to_num(pca.explained_variance_ratio_))
    return Projection(ids=ids, points=points, marked=len(known), explained=(first, second), fitted=len(rows))


def fit_components(sample: Float[np.ndarray, "row width"]) -> Any:
    """scikit-learn's PCA with two components, exact, by the covariance matrix."""
    from sklearn.decomposition import PCA

    with np.errstate(invalid="ignore"):  # rows that are all equal have no variance to share
        return PCA(n_components=2, svd_solver="covariance_eigh").fit(sample)


def evenly_spaced(count: int, wanted: int) -> Int[np.ndarray, "index"]:
    """Indices from 0 to count - 1, as many as wanted, each another."""
    return np.unique(np.linspace(0, count - 1, wanted).round().astype(int))
