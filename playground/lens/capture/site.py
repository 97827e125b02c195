"""A captured attention layer: recompute its exact attention weights, for any heads and queries."""

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.attention import AttentionCall

SiteKind = Literal["encoder", "decoder", "cross"]
Rows = slice | list[int]
"""Some queries of a site."""
STACKED_TOKENS = 64
"""Sites of so few queries and keys are stacked: each alone would be too little work for a call."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """One attention layer of one pass. It has a `call`, or only the `maps` that the family itself reports."""

    kind: SiteKind
    layer: int
    """The number of its block in the model; in a mixed stack (LFM2, Jamba) another than its row in a picture."""
    n_heads: int
    queries: int
    keys: int
    call: AttentionCall | None = None
    """Query, key, value and mask; None for a family outside transformers' attention interface."""
    z: Tensor | None = None
    """The model's own output for every `z_step`-th query, [head, kept, width]; with soft caps or sinks, which torch's
    kernel does not know, what transformers' eager function gives. The recomputed one is compared to it."""
    z_step: int = 1
    logsumexp: Tensor | None = None
    """Logarithm of the softmax's denominator, [head, query], where the kernel returned it."""
    maps: Tensor | None = None
    """Attention weights that the family reports itself, [head, query, key]."""

    @property
    def bytes(self) -> int:
        """Memory of the captured tensors."""
        call = () if self.call is None else (self.call.query, self.call.key, self.call.value, self.call.bias)
        tensors = (*call, self.z, self.logsumexp, self.maps)
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)

    @cached_property
    def is_causal(self) -> bool:
        """Whether no query sees a later key: from the mask that passed the seam, or from the reported weights."""
        if self.call is not None:
            return self.kind != "cross" and attention.hides_later_keys(self.call)
        return self.queries == self.keys and self.maps is not None and not bool(self.maps.triu(1).any())

    def pattern(self, heads: slice, rows: Rows) -> Float[Tensor, "head query key"]:
        """The exact attention weights of some heads and queries, in float32 on the CPU."""
        if self.maps is not None:
            return self.maps[heads, rows].float().cpu()
        assert self.call is not None
        return attention.pattern(select(self.call, heads, rows))[0].cpu()

    def recomputed_difference(self, heads: slice, every: int = 1, weights: Tensor | None = None) -> float | None:
        """The largest difference between weights times values and the model's own z, at each `every`-th kept query.

        weights: the pattern of those heads and queries, where it is at hand. None without a call.
        """
        if self.call is None or self.z is None:
            return None
        # z_step 3, every 2: queries 0, 6, 12 … of the call are the rows 0, 2, 4 … of z.
        part = select(self.call, heads, slice(None, None, self.z_step * every))
        weights = attention.pattern(part)[0] if weights is None else weights.to(part.value.device)
        recomputed = attention.weighted_values(weights[None], part.value.float())[0]
        return float((recomputed - self.z[heads, ::every].float()).abs().max())

    def model_z(self, head: int, query: int) -> Tensor | None:
        """The model's own z of one query; None if it was not kept."""
        kept = self.z is not None and query % self.z_step == 0
        return self.z[head, query // self.z_step] if kept and self.z is not None else None

    @property
    def largest_z(self) -> float:
        """The largest magnitude in z: the scale of `recomputed_difference`."""
        return 0.0 if self.z is None else float(self.z.abs().max())


def select(call: AttentionCall, heads: slice, rows: Rows) -> AttentionCall:
    """The same call for some of its heads and queries; causality becomes an explicit mask."""
    mask = _causal_rows(call, rows) if call.is_causal else _select_term(call.mask, heads, rows)
    return dataclasses.replace(
        call,
        query=call.query[:, heads, rows],
        key=_key_heads(call, call.key, heads),
        value=_key_heads(call, call.value, heads),
        mask=mask,
        bias=_select_term(call.bias, heads, rows),
        sinks=None if call.sinks is None else call.sinks[heads],
        is_causal=False,
    )


def _key_heads(call: AttentionCall, states: Tensor, heads: slice) -> Tensor:
    """The key/value heads of some query heads: all as they are, of fewer one for each query head."""
    if call.queries_per_key_value_head == 1 or heads == slice(None):
        return states[:, heads]
    # Four query heads on two key/value heads: heads 1 and 2 need key heads [0, 1].
    indices = torch.arange(call.query.shape[1], device=states.device)[heads]
    return states[:, indices // call.queries_per_key_value_head]


def _causal_rows(call: AttentionCall, rows: Rows) -> Tensor:
    """The causal mask of the selected rows, [row, key]: True at a query's own position and before."""
    positions = torch.arange(call.query.shape[2], device=call.query.device)[rows]
    return positions[:, None] >= torch.arange(call.key.shape[2], device=call.query.device)


def _select_term(term: Tensor | None, heads: slice, rows: Rows) -> Tensor | None:
    """The same heads and rows of a mask or bias, of which one head or row may stand for all (broadcasting)."""
    if term is None:
        return None
    while term.ndim < 4:
        term = term[None]
    term = term if term.shape[1] == 1 else term[:, heads]
    return term if term.shape[2] == 1 else term[:, :, rows]


def stacked(sites: Sequence[Site]) -> list[Site]:
    """Short sites that differ in nothing but their numbers as one with the heads of all, after its first's layer."""
    alike: dict[Hashable, list[Site]] = {}
    for site in sites:
        alike.setdefault(_likeness(site) or id(site), []).append(site)
    return [group[0] if len(group) == 1 else _stack(group) for group in alike.values()]


def of_each(sites: Sequence[Site], compute: Callable[[Site], Tensor]) -> Float[Tensor, "layer head row column"]:
    """What is computed of every site's heads, layer by layer: of short sites in one call."""
    together = stacked(sites)
    if len(together) == 1:
        found = compute(together[0])
        return found.reshape(len(sites), -1, *found.shape[1:])
    return torch.stack([compute(site) for site in sites])


def _likeness(site: Site) -> Hashable:
    """What sites have in common that can be stacked; None for one that stays alone."""
    call, is_short = site.call, max(site.queries, site.keys) <= STACKED_TOKENS
    if call is None or site.z is None or not is_short:
        return None
    if not call.is_plain or call.mask is not None or call.bias is not None:
        return None
    tensors = (call.query, call.key, call.value, site.z, site.logsumexp)
    shapes = [None if tensor is None else (tensor.shape, tensor.dtype, tensor.device) for tensor in tensors]
    return (site.kind, site.z_step, call.scaling, call.is_causal, *shapes)


def _stack(sites: Sequence[Site]) -> Site:
    """One site with all heads in their order. 2 sites of 9 query and 3 key heads: 18 and 6, still three to one."""
    calls = [site.call for site in sites if site.call is not None]
    call = dataclasses.replace(
        calls[0],
        query=torch.cat([call.query for call in calls], dim=1),
        key=torch.cat([call.key for call in calls], dim=1),
        value=torch.cat([call.value for call in calls], dim=1),
    )
    kept = [site.z for site in sites if site.z is not None]
    denominators = [site.logsumexp for site in sites if site.logsumexp is not None]
    return dataclasses.replace(
        sites[0],
        n_heads=call.n_heads,
        call=call,
        z=torch.cat(kept),
        logsumexp=torch.cat(denominators) if denominators else None,
    )
