"""What one head does for one query token, from the embedding to the residual stream: the numbers, all of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.entering import Entering
from playground.lens.norm_step import NormStep
from playground.lens.rotation import Rotation
from playground.lens.site import SiteKind
from playground.lens.steps import Steps


@dataclass(frozen=True, kw_only=True, eq=False)
class Projected:
    """Vectors and how they came about: vector = (weight @ given + bias) * factor, then turned by rotary positions.

    met: as they met at the seam; before: before rotary positions, None where the family's modules do not show it.
    given, weight and bias are None where something stands between the matrix and these vectors (Qwen 3's norm).
    rotation: which numbers were turned by which angles; None where nothing turned them, or it is not known.
    raw, raw_place, norm: what that norm was given, where in it this head begins, and how it normed the first token's.
    """

    met: Float[np.ndarray, "token head_width"]
    before: Float[np.ndarray, "token head_width"] | None = None
    given: Float[np.ndarray, "token width"] | None = None
    weight: Float[np.ndarray, "head_width width"] | None = None
    bias: Float[np.ndarray, "head_width"] | None = None
    factor: float = 1.0
    rotation: Rotation | None = None
    raw: Float[np.ndarray, "token unit"] | None = None
    raw_place: int = 0
    norm: NormStep | None = None

    @property
    def rotates(self) -> bool:
        """Whether positions turned the vectors; False where it is not known."""
        return self.rotation is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadInside:
    """One head and one query token, from the embedding to the residual stream. float32.

    embedded: the token's embedding; entered: the stream before the first block, with positions; residual: the stream
    before this layer; given: what the layer reads of it (normed, in most families); norm: how, None where nothing
    normed it or no norm of the block makes these numbers. query [1, head_width], keys,
    values: see Projected; shared_by: the query heads that use the same keys and values. steps: products to z.
    output_weight [width, head_width] and output_bias: this head's part of the output projection, and the bias that
    all share; share: output_weight @ z; written: what all heads wrote; added: what went into the stream (as written,
    but for families that norm it); after: residual + added, which families with is_additive False norm next.
    added_norm: how it was normed, where it was. entering: how the embedding became what entered, None where it cannot
    be told. head_shares: every head's share.
    differences: the largest one between this recomputation and the model's own numbers, by every step that could be
    recomputed.
    """

    kind: SiteKind
    layer: int
    head: int
    query_position: int
    shared_by: tuple[int, ...]
    embedded: Float[np.ndarray, "embedding_width"]
    entered: Float[np.ndarray, "width"]
    residual: Float[np.ndarray, "width"]
    given: Float[np.ndarray, "width"]
    query: Projected
    keys: Projected
    values: Projected
    steps: Steps
    output_weight: Float[np.ndarray, "width head_width"]
    output_bias: Float[np.ndarray, "width"] | None
    share: Float[np.ndarray, "width"]
    written: Float[np.ndarray, "width"]
    added: Float[np.ndarray, "width"]
    after: Float[np.ndarray, "width"]
    is_additive: bool
    differences: dict[str, float]
    norm: NormStep | None = None
    added_norm: NormStep | None = None
    entering: Entering | None = None
    head_shares: Float[np.ndarray, "head width"]

    @property
    def difference(self) -> float:
        """The largest difference between the recomputation and what the model itself produced."""
        return float(np.max(list(self.differences.values())))
