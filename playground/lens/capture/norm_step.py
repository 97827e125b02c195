"""How a norm made a layer's input out of the residual stream, found by trying the block's norms on it.

Ba et al. 2016 (layer norm) and Zhang and Sennrich 2019 (root mean square). No family's names are needed: the norm is
the one that gives the numbers that the layer received.
"""

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.tolerances import NORM_ABSOLUTE, NORM_RELATIVE

EPSILONS = ("eps", "variance_epsilon", "epsilon")
UNSTATED_EPSILONS = (float(torch.finfo(torch.float32).eps), 1e-5, 1e-6)
"""Where a norm states none: torch's own for a root mean square, and those that are written into formulas."""


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


def norm_of(
    module: nn.Module,
    residual: Float[Tensor, "width"],
    normed: Float[Tensor, "width"],
    relative: float = NORM_RELATIVE,
) -> NormStep | None:
    """How this module norms, if it is a norm and makes `normed` of `residual`, up to a relative difference."""
    weight = getattr(module, "weight", None)
    if weight is None and "norm" in type(module).__name__.lower() and not list(module.parameters()):
        weight = torch.ones_like(residual)  # OLMo's norm has no weights
    if not isinstance(weight, Tensor) or not weight.shape == residual.shape == normed.shape:
        return None
    return _try(module, weight.detach().float().to(residual.device), residual.float(), normed.float(), relative)


def _try(module: nn.Module, weight: Tensor, residual: Tensor, normed: Tensor, relative: float) -> NormStep | None:
    """The closest of all kinds: a vector of small mean hardly tells a layer norm from a root mean square."""
    bias = getattr(module, "bias", None)
    shift = torch.zeros_like(weight) if bias is None else bias.detach().float().to(weight.device)
    stated = next((getattr(module, name) for name in EPSILONS if hasattr(module, name)), None)
    epsilons = UNSTATED_EPSILONS if stated is None else (float(stated),)
    kinds: tuple[Literal["layer", "root mean square"], ...] = ("layer", "root mean square")
    absolute = max(NORM_ABSOLUTE, relative / 10) * max(1.0, float(normed.abs().max()))
    best, smallest = None, torch.inf
    # Gemma's weights are kept less one.
    for kind, epsilon, gain in product(kinds, epsilons, (weight, 1 + weight)):
        mean = residual.mean() if kind == "layer" else torch.zeros((), device=weight.device)
        root = ((residual - mean).square().mean() + epsilon).sqrt()
        recomputed = (residual - mean) / root * gain + shift
        error = float((recomputed - normed).abs().max())
        if error < smallest and torch.allclose(recomputed, normed, rtol=relative, atol=absolute):
            smallest = error
            best = NormStep(
                kind=kind,
                mean=float(mean),
                root=float(root),
                epsilon=epsilon,
                weight=gain.cpu().numpy(),
                bias=None if bias is None else shift.cpu().numpy(),
            )
    return best
