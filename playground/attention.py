"""The seam: the one function through which queries meet keys, in every model.

`attend` has the signature of transformers' AttentionInterface. What happens to a call is decided by a
handler in a ContextVar, so that a model stays shared, stateless and unpatched: two threads can trace and
ablate the same module at once, and nothing is left behind when a handler's block ends.

    with handling(handler):      # handler: AttentionCall -> z
        model(ids)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

IMPLEMENTATION = "playground"


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionCall:
    """What one attention layer hands over: everything its pattern and its output depend on.

    Shapes: query [batch, head, query, width], key and value [batch, key_head, key, width] (fewer key heads
    than query heads where they are grouped), mask broadcastable to [batch, head, query, key], either boolean
    (True: may look) or added to the scores; bias is added to the scores; sinks [head] is one more column in
    the softmax, dropped afterwards (gpt-oss); softcap bends the scores by softcap * tanh(score / softcap)
    (Gemma 2, section 2 of arXiv:2408.00118).
    """

    module: nn.Module
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    bias: Tensor | None
    sinks: Tensor | None
    softcap: float | None
    scaling: float
    is_causal: bool

    @property
    def queries_per_key_value_head(self) -> int:
        """How many query heads share one key and value head."""
        return self.query.shape[1] // self.key.shape[1]

    @property
    def n_heads(self) -> int:
        """Number of query heads."""
        return self.query.shape[1]

    @property
    def is_plain(self) -> bool:
        """Whether the fused kernel can compute it: no softcap and no sinks."""
        return self.softcap is None and self.sinks is None


Handler = Callable[[AttentionCall], Tensor]


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **_: Any,
) -> tuple[Float[Tensor, "batch query head width"], None]:
    """Let queries meet keys and return the mixed values z, as transformers' AttentionInterface asks."""
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    call = AttentionCall(
        module=module,
        query=query,
        key=key,
        value=value,
        mask=None if attention_mask is None else attention_mask[..., : key.shape[2]],
        bias=position_bias,
        sinks=s_aux,
        softcap=softcap,
        scaling=query.shape[-1] ** -0.5 if scaling is None else scaling,
        is_causal=bool(causal) and attention_mask is None and query.shape[2] > 1,
    )
    return _handler.get()(call).transpose(1, 2).contiguous(), None


def z(call: AttentionCall) -> Float[Tensor, "batch head query width"]:
    """Mix the values: pattern times value, by torch's fused kernel wherever it can compute the call."""
    # Only additive_mask turns a float mask's most negative number into minus infinity, as the pattern has it.
    boolean = call.bias is None and (call.mask is None or call.mask.dtype == torch.bool)
    if not call.is_plain:
        value = call.value.repeat_interleave(call.queries_per_key_value_head, dim=1)
        return pattern(call).to(value.dtype) @ value
    return functional.scaled_dot_product_attention(
        call.query,
        call.key,
        call.value,
        attn_mask=call.mask if boolean else additive_mask(call),
        is_causal=call.is_causal and boolean,
        scale=call.scaling,
        enable_gqa=call.queries_per_key_value_head > 1,
    )


_handler: ContextVar[Handler] = ContextVar("playground_attention_handler", default=z)


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Within the block and this context only, every attention call goes through the handler."""
    token = _handler.set(handler)
    try:
        yield
    finally:
        _handler.reset(token)


def pattern(call: AttentionCall) -> Float[Tensor, "batch head query key"]:
    """The attention weights: softmax of the masked scores, in float32. Vaswani et al. 2017, equation 1.

    A row that may look nowhere is zero.
    """
    logits = masked_scores(call)
    if call.sinks is None:
        return logits.softmax(-1).nan_to_num(0.0)
    column = call.sinks.float().view(1, -1, 1, 1).expand(*logits.shape[:-1], 1)
    return torch.cat([logits, column], dim=-1).softmax(-1)[..., :-1].nan_to_num(0.0)


def scores(call: AttentionCall) -> Float[Tensor, "batch head query key"]:
    """Queries times keys, scaled and soft-capped, before bias and mask, in float32."""
    key = call.key.float().repeat_interleave(call.queries_per_key_value_head, dim=1)
    products = call.query.float() @ key.transpose(-1, -2) * call.scaling
    return products if call.softcap is None else call.softcap * torch.tanh(products / call.softcap)


def masked_scores(call: AttentionCall) -> Float[Tensor, "batch head query key"]:
    """The scores with bias and mask: minus infinity where a query may not look."""
    mask = additive_mask(call)
    return scores(call) if mask is None else scores(call) + mask


def additive_mask(call: AttentionCall) -> Float[Tensor, "... key"] | None:
    """Bias, mask and causality as one term to add to the scores, in the query's dtype; None where there is none.

    It broadcasts to [batch, head, query, key]; causality alone is [query, key].
    """
    terms = [_as_additive(term) for term in (call.bias, call.mask) if term is not None]
    if call.is_causal:
        terms.append(_causal_term(call))
    return sum(terms[1:], start=terms[0]).to(call.query.dtype) if terms else None


def _as_additive(term: Tensor) -> Tensor:
    """A boolean mask becomes 0 and minus infinity; a float mask's most negative number does, too."""
    if term.dtype == torch.bool:
        return torch.zeros(term.shape, device=term.device).masked_fill(~term, float("-inf"))
    lowest = torch.finfo(term.dtype).min / 2
    return term.float().masked_fill(term < lowest, float("-inf"))


def _causal_term(call: AttentionCall) -> Tensor:
    """Minus infinity above the diagonal: query i sees keys 0 … i."""
    rows, columns = call.query.shape[2], call.key.shape[2]
    future = torch.ones(rows, columns, dtype=torch.bool, device=call.query.device).triu(1)
    return torch.zeros(rows, columns, device=call.query.device).masked_fill(future, float("-inf"))


def register() -> None:
    """Make `attn_implementation="playground"` known to transformers. Calling it again changes nothing."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    AttentionInterface.register(IMPLEMENTATION, attend)
    AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
