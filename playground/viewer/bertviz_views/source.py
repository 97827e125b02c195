"""The data of BertViz's views: a trace's tokens, and maps and vectors computed for the layers on show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from playground.lens import Trace
from playground.lens.capture.site import Site, SiteKind
from playground.text import _

LayerMaps = Callable[[Sequence[int], int], Float[np.ndarray, "layer head query key"]]
LayerVectors = Callable[
    [Sequence[int], int],
    tuple[Float[np.ndarray, "layer head query width"], Float[np.ndarray, "layer head key width"]],
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One kind of attention of one text."""

    kind: SiteKind
    numbers: tuple[int, ...]
    """What each layer is called, by its block in the model."""
    heads: int
    query_tokens: tuple[str, ...]
    key_tokens: tuple[str, ...]
    sentence_b_start: int | None
    causal: bool
    maps: LayerMaps
    """Maps of these layers, counted from 0, over so many first tokens."""
    vectors: LayerVectors | None
    """Queries and keys of these layers, for so many first tokens; None where the model does not report them."""
    width: int
    """Size of a query or key vector."""

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return len(self.numbers)


@dataclass(frozen=True, kw_only=True)
class Support:
    """Whether a view can show a trace, and else the reason, for the user."""

    supported: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.supported


def source_of(trace: Trace, kind: SiteKind) -> Source:
    """One kind of attention of a trace. Raises UserError for a kind that the model does not have."""
    from playground.charts.layout import mark_spaces  # not before it is needed: it loads plotly

    sites = trace.layers(kind)
    segments = [token.segment for token in trace.query_tokens(kind)]
    first = sites[0]
    return Source(
        kind=kind,
        numbers=tuple(site.layer for site in sites),
        heads=min(site.n_heads for site in sites),
        query_tokens=tuple(mark_spaces(token.text) for token in trace.query_tokens(kind)),
        key_tokens=tuple(mark_spaces(token.text) for token in trace.key_tokens(kind)),
        sentence_b_start=segments.index(1) if kind == "encoder" and 1 in segments else None,
        causal=first.is_causal,
        maps=lambda layers, tokens: _stack_maps([sites[layer] for layer in layers], tokens),
        vectors=(lambda layers, tokens: _stack_vectors([sites[n] for n in layers], tokens)) if first.call else None,
        width=first.call.query.shape[-1] if first.call else 0,
    )


def neuron_supported(trace: Trace, kind: SiteKind) -> Support:
    """Whether BertViz's neuron view is correct for a kind of attention: softmax(q·k / sqrt(width)), nothing added."""
    if kind == "cross":
        return Support(supported=False, reason=_("BertViz's neuron view shows self-attention only."))
    calls = [site.call for site in trace.layers(kind)]
    if any(call is None for call in calls):
        reason = _("{model} reports its attention only, not the queries and keys that the neuron view is about.")
        return Support(supported=False, reason=reason.format(model=trace.model.name))
    known = [call for call in calls if call is not None]
    plain = all(c.bias is None and c.is_plain and abs(c.scaling * c.query.shape[-1] ** 0.5 - 1) < 1e-3 for c in known)
    if not plain or len({call.query.shape for call in known}) > 1:
        reason = _(
            "{model} does more to its scores than divide query times key by the root of their width, "
            "which is all that BertViz's neuron view can show."
        )
        return Support(supported=False, reason=reason.format(model=trace.model.name))
    return Support(supported=True)


@torch.inference_mode()
def _stack_maps(sites: Sequence[Site], tokens: int) -> Float[np.ndarray, "layer head query key"]:
    return np.stack([site.pattern(slice(None), slice(0, tokens))[:, :, :tokens].numpy() for site in sites])


@torch.inference_mode()
def _stack_vectors(
    sites: Sequence[Site], tokens: int
) -> tuple[Float[np.ndarray, "layer head query width"], Float[np.ndarray, "layer head key width"]]:
    """Queries and keys; a key shared by several query heads is repeated for each of them."""
    calls = [site.call for site in sites if site.call is not None]
    queries = [call.query[0, :, :tokens].float().cpu() for call in calls]
    keys = [
        call.key[0, :, :tokens].float().cpu().repeat_interleave(call.queries_per_key_value_head, dim=0)
        for call in calls
    ]
    return torch.stack(queries).numpy(), torch.stack(keys).numpy()
