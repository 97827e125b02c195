"""Attention tensors and tokens that somebody else has computed, as the viewer takes them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from playground.errors import UserError
from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import Token

_SPECIAL = re.compile(r"\[[A-Z]+\]|<[^<>\s]+>")
_SPELLED = str.maketrans({"Ġ": " ", "▁": " "})


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenMaps:
    """Maps of one kind of attention."""

    kind: SiteKind
    sites: tuple[Site, ...]
    heads: tuple[int, ...]
    """What each head is called."""
    queries: tuple[Token, ...]
    keys: tuple[Token, ...]

    @property
    def kinds(self) -> tuple[SiteKind, ...]:
        """The one kind."""
        return (self.kind,)

    def layers(self, kind: SiteKind | None = None) -> list[Site]:
        """The layers."""
        return list(self.sites)

    def site(self, layer: int, kind: SiteKind | None = None) -> Site:
        """One layer."""
        return next(site for site in self.sites if site.layer == layer)

    def block_numbers(self, kind: SiteKind | None = None) -> Sequence[int]:
        """What each layer is called."""
        return [site.layer for site in self.sites]

    def query_tokens(self, kind: SiteKind | None = None) -> tuple[Token, ...]:
        """The tokens along the rows."""
        return self.queries

    def key_tokens(self, kind: SiteKind | None = None) -> tuple[Token, ...]:
        """The tokens along the columns."""
        return self.keys


def given_maps(
    attention: Sequence[Any],
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    kind: SiteKind | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    pair_start: int | None = None,
    prettify: bool = True,
) -> GivenMaps:
    """Maps [1, head, query, key] of each layer. kind: None tells a decoder from an encoder by its maps.

    layers, heads: those that are shown; by default all. pair_start: where the second sentence begins. prettify: write
    the marks of word beginnings as spaces. Raises UserError for tensors that do not fit the tokens or each other.
    """
    tensors = _checked_layers(attention, queries, keys)
    shown = _numbers(layers, len(tensors), "include_layers")
    named = _numbers(heads, len(tensors[0]), "include_heads")
    maps = [tensors[layer][list(named)] for layer in shown]
    if kind is None:
        is_causal = all(len(queries) > 1 and not bool(one.triu(1).any()) for one in maps)
        kind = "decoder" if is_causal else "encoder"
    sites = tuple(
        Site(kind=kind, layer=layer, n_heads=len(one), queries=one.shape[1], keys=one.shape[2], maps=one)
        for layer, one in zip(shown, maps, strict=True)
    )
    known: dict[str, int] = {}
    return GivenMaps(
        kind=kind,
        sites=sites,
        heads=named,
        queries=_tokens(queries, known, pair_start, prettify),
        keys=_tokens(keys, known, pair_start, prettify),
    )


def _checked_layers(attention: Sequence[Any], queries: Sequence[str], keys: Sequence[str]) -> list[torch.Tensor]:
    tensors = [_checked(tensor, layer, len(queries), len(keys)) for layer, tensor in enumerate(attention)]
    if not tensors:
        raise UserError(
            "The attention has no layers. Give outputs.attentions of a model loaded with output_attentions=True; the "
            "last of a model's outputs, outputs[-1], may be its empty cross-attention."
        )
    if not queries or not keys:
        raise UserError("There are no tokens, so there is nothing to show.")
    if len({len(tensor) for tensor in tensors}) > 1:
        raise UserError("The layers have different numbers of heads; choose layers that have as many.")
    return tensors


def _checked(tensor: Any, layer: int, queries: int, keys: int) -> torch.Tensor:
    if tensor is None or len(tensor.shape) != 4 or tensor.shape[0] != 1:
        raise UserError(
            "Layer {layer}: give attention of the shape [1, heads, tokens, tokens], as a model returns it that was "
            "loaded with output_attentions=True and attn_implementation='eager'; this one is {shape}.",
            layer=layer,
            shape=None if tensor is None else list(tensor.shape),
        )
    if tuple(tensor.shape[2:]) != (queries, keys):
        raise UserError(
            "Layer {layer}: the attention is {rows} by {columns}, but there are {queries} by {keys} tokens.",
            layer=layer,
            rows=tensor.shape[2],
            columns=tensor.shape[3],
            queries=queries,
            keys=keys,
        )
    return torch.as_tensor(tensor)[0].detach().float().cpu()


def _numbers(wanted: Sequence[int] | None, count: int, name: str) -> tuple[int, ...]:
    if not wanted:
        return tuple(range(count))
    outside = [number for number in wanted if not 0 <= number < count]
    if outside:
        raise UserError(
            "{name}: there is no {number}; choose 0 to {last}.", name=name, number=outside[0], last=count - 1
        )
    return tuple(wanted)


def _tokens(texts: Sequence[str], known: dict[str, int], pair_start: int | None, prettify: bool) -> tuple[Token, ...]:
    """Tokens with one id for each text, so that repeated ones are known as such."""
    return tuple(
        Token(
            id=known.setdefault(text, len(known)),
            text=text.translate(_SPELLED).replace("</w>", "") if prettify else text,
            special=_SPECIAL.fullmatch(text) is not None,
            segment=int(pair_start is not None and position >= pair_start),
        )
        for position, text in enumerate(texts)
    )
