"""Every number of one attention head at one query token, as a captured layer gives them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.errors import UserError
from playground.lens.capture.inputs import EmbeddingRow, Entering
from playground.lens.capture.norm_step import NormStep
from playground.lens.capture.site import Site, SiteKind, select
from playground.lens.inspect.steps.gate import HeadGate

if TYPE_CHECKING:
    from playground.lens.inspect.steps.rotation import Rotation


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionRow:
    """The numbers behind one row of one head's map, from the query and its keys to the weighted sum; float32."""

    query: Float[np.ndarray, "width"]
    keys: Float[np.ndarray, "key width"]
    values: Float[np.ndarray, "key width"]
    products: Float[np.ndarray, "key"]
    """Query times each key."""
    scaling: float
    scores: Float[np.ndarray, "key"]
    """The products, scaled and soft-capped."""
    masked: Float[np.ndarray, "key"]
    """The scores with bias and mask."""
    weights: Float[np.ndarray, "key"]
    """Their softmax."""
    z: Float[np.ndarray, "width"]
    """The values, weighted and summed."""
    model_z: Float[np.ndarray, "width"] | None
    """What the model itself produced; of a long text it is kept for some queries only, and None for the others."""
    softcap: float | None = None
    """Scores are softcap · tanh(score / softcap)."""
    sink: float | None = None
    """One more score in the softmax, whose weight goes nowhere (gpt-oss)."""


def attention_row(site: Site, head: int, query: int) -> AttentionRow:
    """Recompute one query's row. Raises UserError for a head or query that is not there."""
    if site.call is None:
        raise UserError("This family reports only its finished maps, so the steps behind them cannot be shown.")
    if not 0 <= head < site.n_heads or not 0 <= query < site.queries:
        raise UserError(
            "Choose a head from 0 to {n_heads} and a query from 0 to {queries}.",
            n_heads=site.n_heads - 1,
            queries=site.queries - 1,
        )
    model_z = site.model_z(head, query)
    # One head and one query are left: query [1, 1, 1, width], key and value [1, 1, key, width].
    call = select(site.call, slice(head, head + 1), slice(query, query + 1))
    weights = attention.pattern(call)[0, 0, 0]
    keys, values = call.key[0, 0].float(), call.value[0, 0].float()
    return AttentionRow(
        query=to_array(call.query[0, 0, 0]),
        keys=to_array(keys),
        values=to_array(values),
        products=to_array(keys @ call.query[0, 0, 0].float()),
        scaling=call.scaling,
        scores=to_array(attention.scores(call)[0, 0, 0]),
        masked=to_array(attention.masked_scores(call)[0, 0, 0]),
        weights=to_array(weights),
        z=to_array(weights @ values),
        model_z=None if model_z is None else to_array(model_z),
        softcap=call.softcap,
        sink=None if call.sinks is None else float(call.sinks[0]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectedVectors:
    """Queries, keys or values of a head: at_seam = rotated((weight @ inputs + bias) · factor).

    inputs, weight and bias are None where something stands between the matrix and the vectors (Qwen 3's norm).
    """

    at_seam: Float[np.ndarray, "token head_width"]
    """As query and key meet in `attend`."""
    before_rotation: Float[np.ndarray, "token head_width"] | None = None
    """None where the family's modules do not show it."""
    inputs: Float[np.ndarray, "token width"] | None = None
    weight: Float[np.ndarray, "head_width width"] | None = None
    bias: Float[np.ndarray, "head_width"] | None = None
    factor: float = 1.0
    rotation: "Rotation | None" = None
    """Which numbers were turned by which angles; None where nothing turned them, or it is not known."""
    before_norm: Float[np.ndarray, "token unit"] | None = None
    """What a norm between matrix and vectors received."""
    norm_offset: int = 0
    """Where in that norm's output this head begins."""
    norm: NormStep | None = None
    """How it normed the first token's."""
    clip: float | None = None
    """The largest number that was let through, where some were cut to it: then no matrix shows how they were made."""

    @property
    def rotates(self) -> bool:
        """Whether positions turned the vectors; False where it is not known."""
        return self.rotation is not None

    @property
    def projected(self) -> Float[np.ndarray, "token head_width"]:
        """The vectors before positions turned them, as far as they are known."""
        return self.at_seam if self.before_rotation is None else self.before_rotation

    def differences(self, name: str) -> dict[str, float]:
        """How far the product is from the vectors before rotation, and these, rotated, from those at the seam."""
        found, before = {}, self.before_rotation
        if self.weight is not None and self.inputs is not None and before is not None:
            recomputed = self.inputs @ self.weight.T + (0 if self.bias is None else self.bias)
            found[name] = float(np.abs(recomputed * self.factor - before).max())
        if self.rotation is not None and before is not None:
            found[f"{name} rotated"] = float(np.abs(self.rotation.turn(before) - self.at_seam).max())
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadInside:
    """One head and one query token, from the embedding to the residual stream; float32."""

    kind: SiteKind
    layer: int
    head: int
    query_position: int
    shared_by: tuple[int, ...]
    """The query heads that use the same keys and values."""
    embedded: Float[np.ndarray, "embedding_width"]
    """The token's embedding, as its module returned it."""
    table_row: EmbeddingRow | None = None
    """What it is a multiple of; None where the module computes something else."""
    entered: Float[np.ndarray, "width"]
    """The residual stream before the first block, with positions."""
    entering: Entering | None = None
    """How the embedding became what entered; None where it cannot be determined."""
    residual: Float[np.ndarray, "width"]
    """The residual stream before this layer."""
    layer_input: Float[np.ndarray, "width"]
    """What the layer receives of it: normed, in most families."""
    norm: NormStep | None = None
    """None where nothing normed it, or no norm of the block makes these numbers."""
    query: ProjectedVectors
    """The query token's only: [1, head_width]."""
    keys: ProjectedVectors
    values: ProjectedVectors
    attention: AttentionRow
    gate: HeadGate | None = None
    """None where the output projection receives z as it is."""
    output_weight: Float[np.ndarray, "width head_width"]
    """This head's columns of the output projection."""
    output_bias: Float[np.ndarray, "width"] | None
    """Shared by all heads."""
    head_output: Float[np.ndarray, "width"]
    """output_weight @ received."""
    head_outputs: Float[np.ndarray, "head width"]
    """Those of all heads."""
    attention_output: Float[np.ndarray, "width"]
    """What the output projection returned: all heads and the bias."""
    added: Float[np.ndarray, "width"]
    """What went into the stream: the attention output, in some families normed (Gemma 2) or multiplied (Granite)."""
    added_norm: NormStep | None = None
    factor: float = 1.0
    """What the layer's output is multiplied by before it is added."""
    after: Float[np.ndarray, "width"]
    """residual + added, which families with is_additive False norm next."""
    is_additive: bool
    differences: dict[str, float]
    """The largest difference between this recomputation and the model's own numbers, by step."""

    @property
    def received(self) -> Float[np.ndarray, "head_width"]:
        """What the output projection receives of the head: z, in some families times a gate."""
        z = self.attention.z
        return z if self.gate is None else np.asarray(z * self.gate.values)

    @property
    def difference(self) -> float:
        """The largest of the differences; NaN if one is."""
        return float(np.max(list(self.differences.values())))


def to_array(tensor: Tensor) -> np.ndarray:
    """The tensor as float32 on the CPU."""
    return tensor.detach().to(device="cpu", dtype=torch.float32).numpy()
