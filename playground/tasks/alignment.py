"""Cross-attention held against gold alignments: the alignment error rate of Och and Ney (2003, section 5)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from playground.attention import AttentionCall, handling, pattern, z
from playground.tasks.task import Batch
from playground.transformer import CrossAttention, Transformer


@dataclass(frozen=True, kw_only=True, eq=False)
class Gold:
    """Which source token each target position may be linked to, and which it surely is; sure links are possible ones.

    A target position is the one that writes the word: the word is its label.
    """

    sure: Bool[np.ndarray, "row position token"]
    possible: Bool[np.ndarray, "row position token"]


def cross_attention(model: Transformer, batch: Batch) -> Float[Tensor, "layer row head position token"]:
    """The patterns of an encoder-decoder's cross-attention."""
    patterns: list[Tensor] = []

    def keep(call: AttentionCall) -> Tensor:
        if isinstance(call.module, CrossAttention):
            patterns.append(pattern(call))
        return z(call)

    with torch.no_grad(), handling(keep):
        model.read(batch.ids, batch.target_ids, mask=batch.mask)
    return torch.stack(patterns)


def error_rate(found: Bool[np.ndarray, "row position token"], gold: Gold) -> float:
    """1 - (|found and sure| + |found and possible|) / (|found| + |sure|): 0 is perfect, 1 all wrong."""
    agreed = (found & gold.sure).sum() + (found & gold.possible).sum()
    return float(1 - agreed / (found.sum() + gold.sure.sum()))


def alignment_error_rates(
    patterns: Float[Tensor, "layer row head position token"], gold: Gold
) -> Float[np.ndarray, "layer head+1"]:
    """The error rate of each head, and last of the layer's mean head, where each word is linked to its heaviest token.

    Only words that have a gold link are linked.
    """
    heads = torch.cat([patterns, patterns.mean(dim=2, keepdim=True)], dim=2)
    heaviest = heads.argmax(-1).cpu().numpy()
    counted = gold.possible.any(-1, keepdims=True)
    tokens = np.arange(gold.sure.shape[-1])

    def rate(links: np.ndarray) -> float:
        return error_rate((links[..., None] == tokens) & counted, gold)

    return np.array([[rate(layer[:, head]) for head in range(layer.shape[1])] for layer in heaviest])
