"""How far two computations of the same numbers may differ, relative to the largest of them: one table by dtype."""

from typing import Literal

import torch

Comparison = Literal["pattern", "vector", "module"]
_TOLERANCES: dict[Comparison, dict[torch.dtype, float]] = {
    # Attention weights times values against the fused kernel's output.
    "pattern": {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2},
    # A query or key at the seam against the projection that it comes from: a rounding or none.
    "vector": {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1e-2},
    # A module's output against its formula: several roundings.
    "module": {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2},
}
ROTATION = 1e-3
"""Of a pair's length before and after a rotary embedding, and of its angles."""
LOGITS = 1e-4
"""Of logits in float32, computed again from a cached prefix."""


def tolerance(comparison: Comparison, dtype: torch.dtype) -> float:
    """The largest relative difference at which two computations in `dtype` count as the same."""
    by_dtype = _TOLERANCES[comparison]
    return by_dtype.get(dtype, by_dtype[torch.float32])
