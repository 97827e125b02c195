"""The seam: the one attention function that every model calls.

`attend` has the signature of transformers' AttentionInterface and passes each call to a handler. The handler is a
ContextVar, so models stay shared, stateless and unpatched: two threads can trace and ablate the same module at once,
and nothing remains when the block ends.

    with handling(handler):      # handler: AttentionCall -> z
        model(ids)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

IMPLEMENTATION = "playground"


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionCall:
    """The arguments of one attention layer: everything that its weights and its output depend on."""

    module: nn.Module
    query: Tensor
    """[batch, head, query, width]."""
    key: Tensor
    """[batch, key_value_head, key, width]; fewer heads than the query has in grouped-query attention."""
    value: Tensor
    """[batch, key_value_head, key, width]."""
    mask: Tensor | None
    """Broadcasts to [batch, head, query, key]. Boolean (True: visible), or a float term added to the scores."""
    bias: Tensor | None
    """Added to the scores; broadcasts like the mask (T5's relative positions)."""
    sinks: Tensor | None
    """[head]; one more column in the softmax, dropped afterwards (gpt-oss)."""
    softcap: float | None
    """Scores become softcap * tanh(score / softcap) (Gemma 2: arXiv:2408.00118, section 2)."""
    scaling: float
    """Factor of the dot products, usually 1 / sqrt(width)."""
    is_causal: bool
    """Whether keys after the query are hidden although no mask says so."""

    @property
    def queries_per_key_value_head(self) -> int:
        """Query heads that share one key/value head: 3 for 9 query and 3 key/value heads."""
        return self.query.shape[1] // self.key.shape[1]

    @property
    def n_heads(self) -> int:
        """Number of query heads."""
        return self.query.shape[1]

    @property
    def is_plain(self) -> bool:
        """Whether the fused kernel can compute the call: it knows no softcap and no sinks."""
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
    indices: Int[Tensor, "batch query chosen"] | None = None,
    **_: Any,
) -> tuple[Float[Tensor, "batch query head width"], None]:
    """Compute z, the weighted sums of the values, as transformers' AttentionInterface asks.

    indices: the only keys that each query sees, where a layer chooses some (DeepSeek-AI 2025, lightning indexer).
    """
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    # transformers may pass a mask for more keys than there are, and its own kernels cut it likewise.
    mask = None if attention_mask is None else attention_mask[..., : key.shape[2]]
    call = AttentionCall(
        module=module,
        query=query,
        key=key,
        value=value,
        mask=mask if indices is None else _chosen_only(mask, indices, key.shape[2]),
        bias=position_bias,
        sinks=s_aux,
        softcap=softcap,
        scaling=query.shape[-1] ** -0.5 if scaling is None else scaling,
        # A single query is the newest token, which sees every cached key.
        is_causal=bool(causal) and attention_mask is None and query.shape[2] > 1,
    )
    return _handler.get()(call).transpose(1, 2).contiguous(), None


def _chosen_only(mask: Tensor | None, indices: Int[Tensor, "batch query chosen"], n_keys: int) -> Tensor:
    """The mask with all but the chosen keys hidden, for all heads."""
    hidden = torch.ones((*indices.shape[:2], n_keys), dtype=torch.bool, device=indices.device)
    hidden = hidden.scatter(-1, indices.long(), False)[:, None]
    if mask is None or mask.dtype == torch.bool:
        return ~hidden if mask is None else mask & ~hidden
    return mask.masked_fill(hidden, torch.finfo(mask.dtype).min)


def z(call: AttentionCall) -> Float[Tensor, "batch head query width"]:
    """The weighted sums of the values, by torch's fused kernel where it can compute the call."""
    # A float mask goes through additive_mask: it turns the dtype's most negative number into -inf, as `pattern` does.
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


def handler() -> Handler:
    """What handles attention calls in this context: for a handler that stands before another one."""
    return _handler.get()


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Pass every attention call to the handler, within the block and in this context only."""
    token = _handler.set(handler)
    try:
        yield
    finally:
        _handler.reset(token)


def pattern(call: AttentionCall) -> Float[Tensor, "batch head query key"]:
    """The attention weights: softmax of the masked scores, in float32. Vaswani et al. 2017, equation 1.

    The row of a query that sees no key is zero.
    """
    logits = masked_scores(call)
    if call.sinks is None:
        return logits.softmax(-1).nan_to_num(0.0)
    # [h] -> [b, h, q, 1]: the sink takes part in each row's softmax; without it, the row sums to less than 1.
    column = call.sinks.float().view(1, -1, 1, 1).expand(*logits.shape[:-1], 1)
    return torch.cat([logits, column], dim=-1).softmax(-1)[..., :-1].nan_to_num(0.0)


def scores(call: AttentionCall) -> Float[Tensor, "batch head query key"]:
    """Dot products of queries and keys, scaled and soft-capped, before bias and mask, in float32."""
    query, key = below_each_other(call.query.float(), call.key.shape[1]), call.key.float()
    products = query @ key.transpose(-1, -2) * call.scaling
    products = products.view(*call.query.shape[:3], key.shape[2])
    return products if call.softcap is None else call.softcap * torch.tanh(products / call.softcap)


def below_each_other(
    rows: Float[Tensor, "batch head query entry"], key_heads: int
) -> Float[Tensor, "batch key_head row entry"]:
    """The rows of all heads that a key/value head serves, one below the other: one product with it instead of several.

    Heads [0, 1, 2, 3] on key/value heads [k0, k1]: the rows of 0 and 1 for k0, those of 2 and 3 for k1.
    """
    batch, heads, queries, entries = rows.shape
    return rows.reshape(batch, key_heads, heads // key_heads * queries, entries)


def ungrouped(call: AttentionCall) -> AttentionCall:
    """The same call with a key and a value of its own for each head: [k0, k0, k1, k1] of [k0, k1] for four heads."""
    repeats = call.queries_per_key_value_head
    key, value = (states.repeat_interleave(repeats, dim=1) for states in (call.key, call.value))
    return replace(call, key=key, value=value)


def weighted_values(
    weights: Float[Tensor, "batch head query key"], values: Float[Tensor, "batch key_head key width"]
) -> Float[Tensor, "batch head query width"]:
    """Each head's weights times the values of the key/value head that serves it."""
    sums = below_each_other(weights, values.shape[1]) @ values
    return sums.view(*weights.shape[:3], values.shape[-1])


def masked_scores(call: AttentionCall) -> Float[Tensor, "batch head query key"]:
    """The scores with bias and mask: minus infinity at hidden keys."""
    mask = additive_mask(call)
    return scores(call) if mask is None else scores(call) + mask


def additive_mask(call: AttentionCall) -> Float[Tensor, "... key"] | None:
    """Bias, mask and causality as one term added to the scores, in the query's dtype; None if there is none.

    Broadcasts to [batch, head, query, key]; causality alone is [query, key].
    """
    terms = [_as_additive(term) for term in (call.bias, call.mask) if term is not None]
    if call.is_causal:
        terms.append(_causal_term(call))
    return sum(terms[1:], start=terms[0]).to(call.query.dtype) if terms else None


def _as_additive(term: Tensor) -> Tensor:
    """0 and minus infinity for a boolean mask; a float mask with -inf for the dtype's most negative number."""
    if term.dtype == torch.bool:
        return torch.zeros(term.shape, device=term.device).masked_fill(~term, float("-inf"))
    # Half of the most negative number: a mask that was added to a bias (T5) lies a little above it.
    return term.float().masked_fill(term < torch.finfo(term.dtype).min / 2, float("-inf"))


def _causal_term(call: AttentionCall) -> Tensor:
    """Minus infinity above the diagonal, [query, key]: query i sees keys 0 … i."""
    n_queries, n_keys, device = call.query.shape[2], call.key.shape[2], call.query.device
    future = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).triu(1)
    return torch.zeros(n_queries, n_keys, device=device).masked_fill(future, float("-inf"))


def hides_later_keys(call: AttentionCall) -> bool:
    """Whether no query can see a key behind its own position: from the mask, whatever the model calls itself."""
    if call.query.shape[2] != call.key.shape[2]:
        return False
    if call.is_causal or call.mask is None:
        return call.is_causal
    visible = _as_additive(call.mask) > float("-inf")
    return not bool(visible.expand(*visible.shape[:-2], call.query.shape[2], call.key.shape[2]).triu(1).any())


def register_with_transformers() -> None:
    """Register `attn_implementation="playground"` with transformers. Idempotent."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    AttentionInterface.register(IMPLEMENTATION, attend)
    AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
