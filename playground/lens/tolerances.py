"""Tolerances: how far two computations of the same values may differ.

By dtype and relative to the largest value, if nothing else is said.
"""

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
NORM_RELATIVE, NORM_ABSOLUTE = 1e-3, 1e-4
"""Of a norm's output against its formula; the absolute one is multiplied by the largest output if that exceeds 1."""
UNROTATED_RELATIVE, UNROTATED_ABSOLUTE = 1e-3, 1e-5
"""Of a query or key before and after the position embedding, if there is none."""
UNROTATED_COMPONENT = 1e-6
"""Of the components that a partial rotary embedding leaves as they are."""
ADDED = 1e-6
"""Absolute, with a relative 1e-5; of a layer's output and what is added to the stream if no norm is between."""
FACTOR = 1e-4
"""Absolute; of a scale factor that counts as 1, or a scaling that counts as 1/sqrt(width)."""
NO_BIAS = 1e-5
"""Absolute; the largest score bias that counts as none."""
SAME_ANSWER = 1e-4
"""Absolute; of the logit differences of two prompts that prefer an answer equally."""


def tolerance(comparison: Comparison, dtype: torch.dtype) -> float:
    """The largest relative difference at which two computations in `dtype` count as the same."""
    by_dtype = _TOLERANCES[comparison]
    return by_dtype.get(dtype, by_dtype[torch.float32])
