"""How a norm made a layer's input out of the residual stream, found by trying the block's norms on it.

Ba et al. 2016 (layer norm) and Zhang and Sennrich 2019 (root mean square). No family's names are needed: the norm is
the one that gives the numbers that the layer received.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.tolerances import NORM_ABSOLUTE, NORM_RELATIVE

EPSILONS = ("eps", "variance_epsilon", "epsilon")


@dataclass(frozen=True, kw_only=True, eq=False)
class NormStep:
    """normed = (residual - mean) / root * weight + bias."""

    kind: Literal["layer", "root mean square"]
    mean: float
    """0 for a root mean square."""
    root: float
    """The square root of the variance (or mean square) plus epsilon."""
    epsilon: float
    weight: Float[np.ndarray, "width"]
    bias: Float[np.ndarray, "width"] | None


def find_norm(block: nn.Module, residual: Float[Tensor, "width"], normed: Float[Tensor, "width"]) -> NormStep | None:
    """The norm among a block's modules that makes `normed` of `residual`; None where none of them does."""
    norms = (norm_of(module, residual, normed) for module in block.modules())
    return next((norm for norm in norms if norm is not None), None)


def norm_of(module: nn.Module, residual: Float[Tensor, "width"], normed: Float[Tensor, "width"]) -> NormStep | None:
    """How this module norms, if it is a norm and makes `normed` of `residual`."""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.shape != residual.shape:
        return None
    return _try(module, weight.detach().float(), residual.float(), normed.float())


def _try(module: nn.Module, weight: Tensor, residual: Tensor, normed: Tensor) -> NormStep | None:
    bias = getattr(module, "bias", None)
    shift = torch.zeros_like(weight) if bias is None else bias.detach().float()
    stated = next((getattr(module, name) for name in EPSILONS if hasattr(module, name)), None)
    epsilon = torch.finfo(torch.float32).eps if stated is None else float(stated)
    kinds: tuple[Literal["layer", "root mean square"], ...] = ("layer", "root mean square")
    for kind in kinds:
        mean = residual.mean() if kind == "layer" else torch.zeros(())
        root = ((residual - mean).square().mean() + epsilon).sqrt()
        # Gemma's weights are kept less one.
        for gain in (weight, 1 + weight):
            recomputed = (residual - mean) / root * gain + shift
            absolute = NORM_ABSOLUTE * max(1.0, float(normed.abs().max()))
            if torch.allclose(recomputed, normed, rtol=NORM_RELATIVE, atol=absolute):
                return NormStep(
                    kind=kind,
                    mean=float(mean),
                    root=float(root),
                    epsilon=epsilon,
                    weight=gain.cpu().numpy(),
                    bias=None if bias is None else shift.cpu().numpy(),
                )
    return None
