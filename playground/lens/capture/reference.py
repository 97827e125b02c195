"""What something else than the lens makes of a call of `attend`: the reference that its head outputs are held against.

torch's fused kernel computes most calls otherwise than by weights times values. It knows no soft cap and no sink: for
these the family's own eager function in transformers is asked, and where there is none, the sums are made again in
float64 by logarithms.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.attention import AttentionCall
from playground.lens.capture.site import select


@torch.inference_mode()
def reference_z(call: AttentionCall, z: Float[Tensor, "1 head query width"], step: int) -> Tensor:
    """Every `step`-th query's output, [head, kept, width]. z: what the model went on with."""
    rows = slice(None, None, step)
    if call.is_plain:
        return z[0, :, rows].detach()
    part = attention.ungrouped(select(call, slice(None), rows))
    eager = _eager_function(call)
    return (_logarithmic_z(part) if eager is None else _eager_z(part, call, eager)).to(z.dtype)


def _eager_function(call: AttentionCall) -> Callable[..., Any] | None:
    """The function that transformers has beside the family's attention class."""
    found: Callable[..., Any] | None = getattr(
        sys.modules.get(type(call.module).__module__), "eager_attention_forward", None
    )
    return found


def _eager_z(part: AttentionCall, call: AttentionCall, eager: Callable[..., Any]) -> Tensor:
    """transformers' own. It repeats shared keys itself, where the module says how often."""
    mask = attention.additive_mask(part)
    lowest = torch.finfo(part.query.dtype).min
    given = {"scaling": call.scaling, "dropout": 0.0, "softcap": call.softcap, "s_aux": call.sinks}
    known = inspect.signature(eager).parameters
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
    options = {name: value for name, value in given.items() if takes_any or name in known}
    repeats = getattr(call.module, "num_key_value_groups", None) == call.queries_per_key_value_head
    source = call if repeats else part
    mask = None if mask is None else _four_axes(mask.clamp(min=lowest))
    z: Tensor = eager(call.module, part.query, source.key, source.value, mask, **options)[0]
    return z[0].transpose(0, 1)


def _four_axes(mask: Tensor) -> Tensor:
    while mask.ndim < 4:
        mask = mask[None]
    return mask


def _logarithmic_z(part: AttentionCall) -> Tensor:
    """exp(score − log Σ exp score) times values in float64, the sink within the logarithm."""
    query, key, value = (tensor[0].double() for tensor in (part.query, part.key, part.value))
    scores = torch.einsum("hqd,hkd->hqk", query, key) * part.scaling
    if part.softcap is not None:
        # tanh by exponentials: 1 − 2 / (e^(2x) + 1).
        scores = part.softcap * (1 - 2 / ((2 * scores / part.softcap).exp() + 1))
    mask = attention.additive_mask(part)
    scores = scores if mask is None else scores + _four_axes(mask)[0].double()
    total = scores.logsumexp(-1, keepdim=True)
    if part.sinks is not None:
        total = torch.logaddexp(total, part.sinks.double().view(-1, 1, 1).expand_as(total))
    return torch.einsum("hqk,hkd->hqd", (scores - total).exp().nan_to_num(0.0), value)
