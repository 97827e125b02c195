"""Which keys a layer's queries see on this text: described from the mask that passed the seam."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from playground.attention import additive_mask
from playground.lens.capture.site import Site, select

VisibilityKind = Literal["causal", "both ways", "window", "window both ways", "chunks", "prefix", "other"]


@dataclass(frozen=True, kw_only=True)
class Visibility:
    """What a query at position i sees."""

    kind: VisibilityKind
    """causal: 0 … i. both ways: all. window: the last `size` up to i. window both ways: `size` to either side. chunks:
    0 … i within its chunk of `size`. prefix: the first `size`, and 0 … i."""
    size: int = 0


def visible_keys(site: Site) -> Bool[Tensor, "query key"] | None:
    """True where a query of the first head sees a key; None where the family only reports its weights."""
    if site.call is None or site.kind == "cross":
        return None
    mask = additive_mask(select(site.call, slice(0, 1), slice(None)))
    if mask is None:
        return torch.ones(site.queries, site.keys, dtype=torch.bool)
    while mask.ndim < 4:
        mask = mask[None]
    return (mask > float("-inf")).expand(1, 1, site.queries, site.keys)[0, 0].cpu()


def sees_later_keys(site: Site) -> bool:
    """Whether a query of the site sees keys behind it, as far as its mask is known."""
    visible = visible_keys(site)
    return visible is not None and bool(visible.triu(1 + site.keys - site.queries).any())


def describe_visibility(visible: Bool[Tensor, "query key"]) -> Visibility:
    """The first description that gives exactly this mask.

    >>> describe_visibility(torch.ones(4, 4, dtype=torch.bool).tril())
    Visibility(kind='causal', size=0)
    """
    if visible.shape[0] != visible.shape[1] or not len(visible):
        return Visibility(kind="other")
    position = torch.arange(len(visible))
    back = position[:, None] - position  # [query, key]: how far the key lies behind the query
    causal = back >= 0
    if bool(visible.all()):
        return Visibility(kind="both ways")
    if torch.equal(visible, causal):
        return Visibility(kind="causal")
    farthest = int(back[visible].max()) if bool(visible.any()) else 0
    if torch.equal(visible, causal & (back <= farthest)):
        return Visibility(kind="window", size=farthest + 1)
    if torch.equal(visible, back.abs() <= farthest):
        return Visibility(kind="window both ways", size=farthest)
    # The first query that does not see the first key begins the second chunk.
    size = int((~visible[:, 0]).int().argmax())
    if size and torch.equal(visible, causal & (position[:, None] // size == position // size)):
        return Visibility(kind="chunks", size=size)
    prefix = int(visible[0].sum())
    if torch.equal(visible, causal | (position < prefix)):
        return Visibility(kind="prefix", size=prefix)
    return Visibility(kind="other")


def visibilities(sites: Sequence[Site]) -> dict[Visibility, list[int]]:
    """The numbers of the layers of each visibility; empty where none is known. One mask is described once."""
    found: dict[Visibility, list[int]] = {}
    known: dict[tuple[int, int, bool], Visibility] = {}
    for site in sites:
        if site.call is None or site.kind == "cross":
            continue
        key = (id(site.call.mask), id(site.call.bias), site.call.is_causal)
        if key not in known:
            visible = visible_keys(site)
            assert visible is not None
            known[key] = describe_visibility(visible)
        found.setdefault(known[key], []).append(site.layer)
    return found
