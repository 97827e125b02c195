"""One attention layer of a captured pass, and the exact patterns it can give."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.attention import AttentionCall

SiteKind = Literal["encoder", "decoder", "cross"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """Where a layer attends: kind, layer (counted within its kind), and what passed there.

    `call` holds query, key, value and mask; `z` the model's own output of every `z_step`-th query [head, kept,
    width], enough to hold the maps against; `logsumexp` [head, query] is the softmax's denominator where the
    kernel gave it. A family outside transformers'
    attention interface has no call, only the `maps` it reports itself [head, query, key].
    """

    kind: SiteKind
    layer: int
    n_heads: int
    queries: int
    keys: int
    call: AttentionCall | None = None
    z: Tensor | None = None
    z_step: int = 1
    logsumexp: Tensor | None = None
    maps: Tensor | None = None

    @property
    def bytes(self) -> int:
        """The memory that the captured tensors hold."""
        call = () if self.call is None else (self.call.query, self.call.key, self.call.value, self.call.bias)
        tensors = (*call, self.z, self.logsumexp, self.maps)
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)

    @property
    def is_causal(self) -> bool:
        """Whether no query looks at a later key: kept true for every map of a decoder's self-attention."""
        return self.kind == "decoder" and self.queries == self.keys

    def pattern(self, heads: slice, rows: slice) -> Float[Tensor, "head query key"]:
        """The exact attention weights of some heads and some queries, float32 on the CPU."""
        if self.maps is not None:
            return self.maps[heads, rows].float().cpu()
        assert self.call is not None
        return attention.pattern(select(self.call, heads, rows))[0].cpu()

    def recomputed_difference(self, heads: slice, every: int = 1) -> float | None:
        """The largest difference between pattern times value and the model's own z, at every so many kept queries.

        None without a call.
        """
        if self.call is None or self.z is None:
            return None
        part = select(self.call, heads, slice(None, None, self.z_step * every))
        value = part.value.float().repeat_interleave(part.queries_per_key_value_head, dim=1)
        again = attention.pattern(part) @ value
        return float((again[0] - self.z[heads, ::every].float()).abs().max())

    def model_z(self, head: int, query: int) -> Tensor | None:
        """What the model itself mixed for one query, where it was kept."""
        kept = self.z is not None and query % self.z_step == 0
        return self.z[head, query // self.z_step] if kept and self.z is not None else None

    @property
    def largest_z(self) -> float:
        """The largest number in z, which a difference is held against."""
        return 0.0 if self.z is None else float(self.z.abs().max())


def select(call: AttentionCall, heads: slice, rows: slice) -> AttentionCall:
    """The same call for some of its heads and queries; causality becomes an explicit mask."""
    indices = torch.arange(call.query.shape[1], device=call.query.device)[heads]
    key_indices = indices // call.queries_per_key_value_head
    mask = _causal_rows(call, rows) if call.is_causal else _part(call.mask, heads, rows)
    return dataclasses.replace(
        call,
        query=call.query[:, heads, rows],
        key=call.key[:, key_indices] if call.queries_per_key_value_head > 1 else call.key[:, heads],
        value=call.value[:, key_indices] if call.queries_per_key_value_head > 1 else call.value[:, heads],
        mask=mask,
        bias=_part(call.bias, heads, rows),
        sinks=None if call.sinks is None else call.sinks[heads],
        is_causal=False,
    )


def _causal_rows(call: AttentionCall, rows: slice) -> Tensor:
    """True where a query of the selected rows may look: at its own position and before."""
    positions = torch.arange(call.query.shape[2], device=call.query.device)[rows]
    return positions[:, None] >= torch.arange(call.key.shape[2], device=call.query.device)


def _part(term: Tensor | None, heads: slice, rows: slice) -> Tensor | None:
    """The same heads and rows of a mask or bias that may be shared by all heads or all rows."""
    if term is None:
        return None
    while term.ndim < 4:
        term = term[None]
    term = term if term.shape[1] == 1 else term[:, heads]
    return term if term.shape[2] == 1 else term[:, :, rows]
