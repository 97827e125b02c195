"""Multi-head vs. single-head attention of equal width: the same queries and keys, split into heads or left whole.

Both have the same parameters and nearly the same work. One head gives every query one distribution over the tokens;
many give it several at once (Vaswani et al. 2017, section 3.2.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground import attention
from playground.errors import UserError
from playground.lens.capture.site import Site
from playground.lens.finding import Finding
from playground.lens.inspect.free_attention import Rules, Words, attend_freely
from playground.text import N_

ALIKE = 1e-3
"""A distance below this is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadsCompared:
    """The maps of several heads and of a single head of their width, and how far the several are apart."""

    many: Float[np.ndarray, "head query key"]
    one: Float[np.ndarray, "query key"]
    disagreement: Float[np.ndarray, "query"]
    """Mean total variation distance over pairs of heads: 0 where all attend alike, 1 where no two attend to a common
    token; a single head can only give 0."""


def free_heads(words: Words, heads: int, rules: Rules | None = None) -> HeadsCompared:
    """The words' vectors cut into so many heads. Raises UserError for a number that does not divide their width."""
    width = words.queries.shape[1]
    if heads < 1 or width % heads:
        raise UserError(
            "{heads} heads cannot share {width} numbers; choose a number that divides {width}.",
            heads=heads,
            width=width,
        )
    cuts = [slice(head * width // heads, (head + 1) * width // heads) for head in range(heads)]
    parts = [
        Words(words=words.words, queries=words.queries[:, cut], keys=words.keys[:, cut], values=words.values)
        for cut in cuts
    ]
    many = np.stack([attend_freely(part, rules).weights for part in parts])
    return HeadsCompared(many=many, one=attend_freely(words, rules).weights, disagreement=_disagreement(many))


@torch.inference_mode()
def model_heads(site: Site) -> HeadsCompared:
    """A layer's heads, and the map that its queries and keys would give as a single head of all their width.

    The one head's scores are the sum of all heads' products, scaled for the whole width; biases are averaged. Raises
    UserError for a family that reports only its maps.
    """
    if site.call is None:
        raise UserError("This family reports only its finished maps, so its heads cannot be put together.")
    many = site.pattern(slice(None), slice(None)).numpy()
    call = site.call
    key = call.key[0].float().repeat_interleave(call.queries_per_key_value_head, dim=0)
    products = (call.query[0].float() @ key.transpose(-1, -2)).sum(0)
    logits = products * call.scaling / call.n_heads**0.5 + _mean_mask(attention.additive_mask(call))
    single = logits.softmax(-1).nan_to_num(0.0).cpu().numpy()
    return HeadsCompared(many=many, one=single, disagreement=_disagreement(many))


def furthest_query(disagreement: Float[np.ndarray, "query"], queries: Sequence[str]) -> Finding | None:
    """At which query a layer's heads are furthest apart; None where there are no two, or all attend alike."""
    if not disagreement.size or disagreement.max() <= ALIKE:
        return None
    index = int(disagreement.argmax())
    values = {"query": queries[index], "largest": float(disagreement[index]), "mean": float(disagreement.mean())}
    template = N_(
        "The layer's heads are furthest apart at query {query}: a distance of {largest:.2f}, where 1 is no common "
        "token. The mean is {mean:.2f}; with a single head it is always 0."
    )
    return Finding(template=template, values=values)


def _mean_mask(mask: Tensor | None) -> Tensor | float:
    """Bias and mask as one term for all heads."""
    if mask is None:
        return 0.0
    while mask.ndim < 4:
        mask = mask[None]
    mean: Tensor = mask[0].float().mean(0)
    return mean


def _disagreement(many: Float[np.ndarray, "head query key"]) -> Float[np.ndarray, "query"]:
    """The mean total variation distance between pairs of heads."""
    heads = len(many)
    if heads == 1:
        return np.zeros(many.shape[1])
    total = sum(np.abs(many[i] - many[j]).sum(-1) / 2 for i in range(heads) for j in range(i))
    return np.asarray(total) / (heads * (heads - 1) / 2)
