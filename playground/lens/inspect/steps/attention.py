"""One head, one query: every number from q and k to the weighted sum of values."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.errors import UserError
from playground.lens.capture.site import Site, select


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """The numbers behind one row of one head's map, float32.

    products is query times each key; scores are scaled (and soft-capped); masked adds bias and mask; weights
    is their softmax; z the weights' mix of values; model_z what the model itself produced (of a long text only
    some queries' are kept; None for the others). softcap: what bends the scores; sink: one more score in the
    softmax, whose weight goes nowhere (gpt-oss).
    """

    query: Float[np.ndarray, "width"]
    keys: Float[np.ndarray, "key width"]
    values: Float[np.ndarray, "key width"]
    products: Float[np.ndarray, "key"]
    scaling: float
    scores: Float[np.ndarray, "key"]
    masked: Float[np.ndarray, "key"]
    weights: Float[np.ndarray, "key"]
    z: Float[np.ndarray, "width"]
    model_z: Float[np.ndarray, "width"] | None
    softcap: float | None = None
    sink: float | None = None


def head_steps(site: Site, head: int, query: int) -> Steps:
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
    part = select(site.call, slice(head, head + 1), slice(query, query + 1))
    weights = attention.pattern(part)[0, 0, 0]
    keys, values = part.key[0, 0].float(), part.value[0, 0].float()
    return Steps(
        query=_array(part.query[0, 0, 0]),
        keys=_array(keys),
        values=_array(values),
        products=_array(keys @ part.query[0, 0, 0].float()),
        scaling=part.scaling,
        scores=_array(attention.scores(part)[0, 0, 0]),
        masked=_array(attention.masked_scores(part)[0, 0, 0]),
        weights=_array(weights),
        z=_array(weights @ values),
        model_z=None if model_z is None else _array(model_z),
        softcap=part.softcap,
        sink=None if part.sinks is None else float(part.sinks[0]),
    )


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.to(device="cpu", dtype=torch.float32).numpy()
