"""Record every attention call of a forward pass."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall
from playground.lens.capture.reference import reference_z
from playground.lens.capture.site import Site, SiteKind

_CROSS = re.compile(r"cross|enc_?dec|encoder_attn|encoder_attention", re.IGNORECASE)
_ENCODER = re.compile(r"(^|[._])encoder\.", re.IGNORECASE)

KEPT_QUERIES = 128
"""Queries whose output is kept for the check, at most: all of a short text, evenly spaced ones of a long text."""

LARGEST_LOGSUMEXP = 1000.0
"""Beyond it, exp(score - logsumexp) would be off by more than 1e-4."""

OnLayer = Callable[[int], None]


@dataclass(kw_only=True)
class Recorder:
    """An attention handler that computes each call as usual and keeps it as a Site."""

    names: dict[int, str]
    """Each module's qualified name by its id()."""
    whole_model_kind: SiteKind | None
    """The kind of every site; None for an encoder-decoder, where the module's name decides."""
    on_layer: OnLayer | None = None
    """Called with the number of recorded calls; an exception from it cancels the pass."""
    sites: list[Site] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    """The qualified name of each site's module."""
    _last: AttentionCall | None = None
    counts: Counter[SiteKind] = field(default_factory=Counter)
    """Sites so far by kind: the next site's layer."""

    def __call__(self, call: AttentionCall) -> Tensor:
        z, logsumexp = z_and_logsumexp(call)
        if self._last is not None and _continues(self._last, call):
            self.sites[-1] = _widened(self.sites[-1], call, z)
            return z
        self._last = call
        kind = self._kind(call.module)
        # 100 queries: every one; 300: every third, so that 100 are kept.
        step = -(-call.query.shape[2] // KEPT_QUERIES)
        self.sites.append(
            Site(
                kind=kind,
                layer=self.counts[kind],
                n_heads=call.n_heads,
                queries=call.query.shape[2],
                keys=call.key.shape[2],
                call=_detached(call),
                z=_unshared(reference_z(call, z, step)),
                z_step=step,
                logsumexp=None if logsumexp is None else logsumexp[0].detach(),
            )
        )
        self.paths.append(self.names.get(id(call.module), ""))
        self.counts[kind] += 1
        if self.on_layer is not None:
            self.on_layer(len(self.sites))
        return z

    def _kind(self, module: nn.Module) -> SiteKind:
        name = self.names.get(id(module), "")
        # In an encoder only the names below it count: "encoder_decoder.encoder.layer.0.attention" does not cross.
        if _CROSS.search(name.rsplit("encoder.", 1)[-1] if _ENCODER.search(name) else name):
            return "cross"
        if self.whole_model_kind is not None:
            return self.whole_model_kind
        return "encoder" if _ENCODER.search(name) else "decoder"


def _continues(last: AttentionCall, call: AttentionCall) -> bool:
    """Whether one layer asks again with the same queries and keys, for other values (DiffLlama)."""
    same = last.module is call.module and last.query.shape == call.query.shape and last.key.shape == call.key.shape
    return same and torch.equal(last.query, call.query) and torch.equal(last.key, call.key) and last.mask is call.mask


def _widened(site: Site, call: AttentionCall, z: Tensor) -> Site:
    """The site with more values beside its own: [.., 8] and [.., 8] become [.., 16]."""
    assert site.call is not None
    assert site.z is not None
    kept = reference_z(call, z, site.z_step)
    value = torch.cat([site.call.value, call.value.detach()], dim=-1)
    return dataclasses.replace(
        site, call=dataclasses.replace(site.call, value=value), z=torch.cat([site.z, kept], dim=-1)
    )


def recorder_for(module: nn.Module, kind: SiteKind | None, on_layer: OnLayer | None) -> Recorder:
    """A recorder for one pass; kind is None for an encoder-decoder, whose sites are classified by module name."""
    names = {id(part): name for name, part in module.named_modules()}
    return Recorder(names=names, whole_model_kind=kind, on_layer=on_layer)


def z_and_logsumexp(call: AttentionCall) -> tuple[Tensor, Tensor | None]:
    """z and, if torch's CPU kernel can compute the call, each row's log-sum-exp [batch, head, query]."""
    if call.query.device.type != "cpu" or not call.is_plain or call.query.shape[-1] != call.value.shape[-1]:
        return attention.z(call), None
    # Causality alone is the kernel's own flag: it skips the hidden half.
    mask = attention.additive_mask(call) if call.mask is not None or call.bias is not None else None
    each = attention.ungrouped(call)  # the kernel knows no key/value heads that several heads share
    z, logsumexp = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        call.query,
        each.key,
        each.value,
        0.0,
        call.is_causal and mask is None,
        attn_mask=mask,
        scale=call.scaling,
    )
    # In float32 a logsumexp of 30,000 is off by 0.002: the weights are then computed from their own row.
    known = logsumexp[logsumexp.isfinite()]
    return z, logsumexp if not known.numel() or float(known.abs().max()) < LARGEST_LOGSUMEXP else None


def _detached(call: AttentionCall) -> AttentionCall:
    """The call without its module, and without the larger storages that views would keep alive."""
    return dataclasses.replace(
        call,
        module=_NO_MODULE,
        query=_unshared(call.query),
        key=_unshared(call.key),
        value=_unshared(call.value),
        bias=None if call.bias is None else _unshared(call.bias),
    )


def _unshared(tensor: Tensor) -> Tensor:
    """A view of a fused projection shares the storage of query, key and value: only a copy lets it go."""
    tensor = tensor.detach()
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


_NO_MODULE = nn.Identity()
