"""One forward pass with every attention call kept."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall
from playground.lens.capture.site import Site, SiteKind

_CROSS = re.compile(r"cross|enc_?dec|encoder_attn|encoder_attention", re.IGNORECASE)
_ENCODER = re.compile(r"(^|\.)encoder\.", re.IGNORECASE)

KEPT_QUERIES = 128
"""How many queries' outputs are kept for the check: all of a short text, evenly spread ones of a long text."""

OnLayer = Callable[[int], None]


@dataclass(kw_only=True)
class Recorder:
    """An attention handler that computes each call as usual and keeps it as a Site.

    `on_layer` is told how many calls are done; what it raises ends the forward pass, which is how a stale
    one is cancelled.
    """

    names: dict[int, str]
    whole_model_kind: SiteKind | None
    on_layer: OnLayer | None = None
    sites: list[Site] = field(default_factory=list)
    counts: Counter[SiteKind] = field(default_factory=Counter)

    def __call__(self, call: AttentionCall) -> Tensor:
        z, logsumexp = z_and_logsumexp(call)
        kind = self._kind(call.module)
        step = -(-call.query.shape[2] // KEPT_QUERIES)
        self.sites.append(
            Site(
                kind=kind,
                layer=self.counts[kind],
                n_heads=call.n_heads,
                queries=call.query.shape[2],
                keys=call.key.shape[2],
                call=_compact(call),
                z=_own(z[0, :, ::step]),
                z_step=step,
                logsumexp=None if logsumexp is None else logsumexp[0].detach(),
            )
        )
        self.counts[kind] += 1
        if self.on_layer is not None:
            self.on_layer(len(self.sites))
        return z

    def _kind(self, module: nn.Module) -> SiteKind:
        name = self.names.get(id(module), "")
        if _CROSS.search(name.rsplit("encoder.", 1)[-1] if _ENCODER.search(name) else name):
            return "cross"
        if self.whole_model_kind is not None:
            return self.whole_model_kind
        return "encoder" if _ENCODER.search(name) else "decoder"


def recorder_for(module: nn.Module, kind: SiteKind | None, on_layer: OnLayer | None) -> Recorder:
    """A recorder for one pass; kind is None for an encoder-decoder, whose sites are told apart by name."""
    names = {id(part): name for name, part in module.named_modules()}
    return Recorder(names=names, whole_model_kind=kind, on_layer=on_layer)


def z_and_logsumexp(call: AttentionCall) -> tuple[Tensor, Tensor | None]:
    """The mixed values, and the logarithm of each row's softmax denominator where torch's CPU kernel gives it."""
    if call.query.device.type != "cpu" or not call.is_plain or call.query.shape[-1] != call.value.shape[-1]:
        return attention.z(call), None
    mask = attention.additive_mask(call) if call.mask is not None or call.bias is not None else None
    z, logsumexp = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        call.query,
        call.key.repeat_interleave(call.queries_per_key_value_head, dim=1),
        call.value.repeat_interleave(call.queries_per_key_value_head, dim=1),
        0.0,
        call.is_causal and mask is None,
        attn_mask=mask,
        scale=call.scaling,
    )
    return z, logsumexp


def _compact(call: AttentionCall) -> AttentionCall:
    """The call without its module and without the storage that a view would keep alive."""
    return dataclasses.replace(
        call,
        module=_NO_MODULE,
        query=_own(call.query),
        key=_own(call.key),
        value=_own(call.value),
        bias=None if call.bias is None else _own(call.bias),
    )


def _own(tensor: Tensor) -> Tensor:
    tensor = tensor.detach()
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


_NO_MODULE = nn.Identity()
