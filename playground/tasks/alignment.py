"""Compare cross-attention with gold alignments: the alignment error rate of Och and Ney (2003, section 5)."""

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
    """Sure and possible links from target positions to source tokens; sure links are possible ones, too.

    The target position of a word is the one that predicts it: the word is its label.
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


def error_rate(links: Bool[np.ndarray, "row position token"], gold: Gold) -> float:
    """1 - (|links and sure| + |links and possible|) / (|links| + |sure|): 0 is perfect, 1 all wrong."""
    agreed = (links & gold.sure).sum() + (links & gold.possible).sum()
    return float(1 - agreed / (links.sum() + gold.sure.sum()))


def alignment_error_rates(
    patterns: Float[Tensor, "layer row head position token"], gold: Gold
) -> Float[np.ndarray, "layer head+1"]:
    """The error rate of each head and, in the last column, of the mean over the layer's heads.

    Each word that has a gold link is linked to the token of its largest weight.
    """
    heads = torch.cat([patterns, patterns.mean(dim=2, keepdim=True)], dim=2)
    strongest = heads.argmax(-1).cpu().numpy()
    counted = gold.possible.any(-1, keepdims=True)
    tokens = np.arange(gold.sure.shape[-1])

    def rate(links: np.ndarray) -> float:
        return error_rate((links[..., None] == tokens) & counted, gold)

    return np.array([[rate(layer[:, head]) for head in range(layer.shape[1])] for layer in strongest])
