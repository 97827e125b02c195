"""Why scores are divided by the root of d_k: how even the softmax stays, and how large its gradient, as d_k grows.

For independent numbers of mean 0 and variance 1, q · k has variance d_k, so that without the root the softmax of wide
heads is close to one-hot, and its gradient close to 0. Vaswani et al. 2017, section 3.2.1 and footnote 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from playground.attention import AttentionCall
from playground.errors import UserError
from playground.lens.capture.site import Site, select
from playground.lens.finding import Finding
from playground.text import N_

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SETS, QUERIES = 8, 64
"""For each width so many sets of keys are drawn, and for each set so many queries."""
SUBSETS = 8
"""Random choices of dimensions of a model's queries and keys."""
MOST_ROWS = 64
"""Queries of a model that count, the last ones: they see the most keys."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sharpness:
    """A softmax's mean entropy and gradient by width, with and without the root."""

    widths: tuple[int, ...]
    keys: float
    """Keys that a query sees, on average."""
    entropy: Float[np.ndarray, "width"]
    """With the root, as a share of the largest (the logarithm of the number of keys)."""
    entropy_unscaled: Float[np.ndarray, "width"]
    gradient: Float[np.ndarray, "width"]
    """With the root: the Frobenius norm of d weights / d (softmax's input), diag(a) - a aᵀ; 0.5 is the largest."""
    gradient_unscaled: Float[np.ndarray, "width"]


def entropy_share(weights: Float[Tensor, "row key"], seen: Bool[Tensor, "row key"]) -> Float[Tensor, "row"]:
    """Each row's entropy, divided by that of even weights on the keys that it sees: 1 is even, 0 is one-hot."""
    logs = torch.where(weights > 0, weights, torch.ones_like(weights)).log()
    share: Tensor = -(weights * logs).sum(-1) / seen.sum(-1).to(weights.dtype).log()
    return share


def softmax_gradient_norm(weights: Float[Tensor, "row key"]) -> Float[Tensor, "row"]:
    """The Frobenius norm of each softmax's Jacobian diag(a) - a aᵀ.

    Its square is Σ a_i² (1 - a_i)² + Σ_(i≠j) a_i² a_j² = Σ a_i² - 2 Σ a_i³ + (Σ a_i²)².
    """
    squares = (weights**2).sum(-1)
    norm: Tensor = (squares - 2 * (weights**3).sum(-1) + squares**2).clamp(min=0).sqrt()
    return norm


def random_sharpness(keys: int, *, widths: Sequence[int] = WIDTHS, seed: int = 0) -> Sharpness:
    """For random queries and keys, standard normal numbers. Raises UserError for fewer than two keys."""
    if keys < 2:
        raise UserError("A softmax over one key is always 1; choose at least 2 keys.")
    generator = torch.Generator().manual_seed(seed)
    seen = torch.ones(SETS * QUERIES, keys, dtype=torch.bool)
    rows = []
    for width in widths:
        query = torch.randn(SETS, QUERIES, width, generator=generator, dtype=torch.float64)
        key = torch.randn(SETS, keys, width, generator=generator, dtype=torch.float64)
        rows.append(_measured((query @ key.mT).flatten(0, 1), seen, width))
    return _sharpness(widths, rows, float(keys))


def model_sharpness(site: Site, *, seed: int = 0) -> Sharpness:
    """For a layer's own queries and keys: random subsets of the dimensions of all its heads together.

    A subset of d dimensions is a head of width d; each dimension of a query keeps its partner in the key. The heads'
    own width is among the widths. Raises UserError where queries and keys are not captured or not finite, and where no
    query sees two keys.
    """
    queries, keys, seen = _whole(site)
    total, own = queries.shape[-1], head_width(site)
    generator = torch.Generator().manual_seed(seed)
    widths = sorted({own, *(width for width in WIDTHS if width <= total)})
    rows = []
    for width in widths:
        drawn = []
        for _subset in range(SUBSETS if width < total else 1):
            dimensions = torch.randperm(total, generator=generator)[:width]
            drawn.append(_measured(queries[:, dimensions] @ keys[:, dimensions].T, seen, width))
        rows.append(np.mean(drawn, axis=0))
    return _sharpness(widths, rows, float(seen.sum(-1).double().mean()))


def head_width(site: Site) -> int:
    """The width of one head's queries and keys. Raises UserError where they are not captured."""
    return int(_captured(site).query.shape[-1])


def _captured(site: Site) -> AttentionCall:
    if site.call is None:
        raise UserError("This family does not hand over its queries and keys; choose a model of another family.")
    return site.call


def _whole(site: Site) -> tuple[Tensor, Tensor, Bool[Tensor, "row key"]]:
    """Queries and keys of all heads side by side, and which keys each query sees; only queries that see two or more."""
    rows = slice(max(0, site.queries - MOST_ROWS), site.queries)
    call = select(_captured(site), slice(None), rows)
    query = call.query[0].transpose(0, 1).flatten(1).double().cpu()  # [row, head · width]
    key = (
        call.key[0].repeat_interleave(call.queries_per_key_value_head, dim=0).transpose(0, 1).flatten(1).double().cpu()
    )
    if not bool(query.isfinite().all() and key.isfinite().all()):
        raise UserError("This layer's queries or keys are not finite numbers; choose another layer or model.")
    seen = _seen(call.mask, len(query), len(key))
    kept = seen.sum(-1) > 1
    if not bool(kept.any()):
        raise UserError("No token of this text sees two keys; type a longer text.")
    return query[kept], key, seen[kept]


def _seen(mask: Tensor | None, rows: int, keys: int) -> Bool[Tensor, "row key"]:
    """Which keys each query sees in some head, of a mask that is boolean or added to the scores."""
    if mask is None:
        return torch.ones(rows, keys, dtype=torch.bool)
    visible = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
    return visible.cpu().expand(*visible.shape[:-2], rows, keys).reshape(-1, rows, keys).any(0)


def _measured(scores: Float[Tensor, "row key"], seen: Bool[Tensor, "row key"], width: int) -> tuple[float, ...]:
    """Entropy and gradient, with the root and without."""
    hidden = scores.masked_fill(~seen, -torch.inf)
    scaled, unscaled = (hidden / width**0.5).softmax(-1), hidden.softmax(-1)
    measures = (
        *(entropy_share(weights, seen) for weights in (scaled, unscaled)),
        *(softmax_gradient_norm(weights) for weights in (scaled, unscaled)),
    )
    return tuple(float(measure.mean()) for measure in measures)


def _sharpness(widths: Sequence[int], rows: Sequence[Sequence[float] | np.ndarray], keys: float) -> Sharpness:
    table = np.array(rows, dtype=float)
    return Sharpness(
        widths=tuple(widths),
        keys=keys,
        entropy=table[:, 0],
        entropy_unscaled=table[:, 1],
        gradient=table[:, 2],
        gradient_unscaled=table[:, 3],
    )


def describe_sharpness(sharpness: Sharpness, width: int) -> Finding:
    """What the root does at the width nearest to this one."""
    index = int(np.abs(np.array(sharpness.widths) - width).argmin())
    return Finding(
        template=N_(
            "At d_k = {width} and {keys:.0f} keys the softmax keeps {entropy:.0%} of the largest entropy with the "
            "root, {entropy_unscaled:.0%} without it; the norm of its gradient is {gradient:.3f} with the root, "
            "{gradient_unscaled:.3f} without."
        ),
        values={
            "width": sharpness.widths[index],
            "keys": sharpness.keys,
            "entropy": sharpness.entropy[index],
            "entropy_unscaled": sharpness.entropy_unscaled[index],
            "gradient": sharpness.gradient[index],
            "gradient_unscaled": sharpness.gradient_unscaled[index],
        },
    )
