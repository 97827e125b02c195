"""Optimisers and the learning-rate schedule: torch's AdamW and SGD; Muon for the blocks' matrices, AdamW for the rest.

Weight decay applies to matrices only, not to norms and biases. Each step sets the learning rate in the parameter
groups. The optimiser's state is tensors by parameter, so a checkpoint holds all of it.

Each was tried at several rates: 400 steps of 12 x 64 characters of Shakespeare, 2 layers of width 64, one seed. The
best held-out losses, in nats: AdamW 2.09 (betas 0.9 and 0.95), Muon 2.00 (0.95 and 0.99), SGD with momentum 2.96.
Lion (Chen et al. 2023) reached 2.43 and was left out. A step of Muon takes 1.2 to 1.4 times as long as one of AdamW.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.training.config import OptimizerName, RunSettings, ScheduleName

Groups = list[dict[str, Any]]
TOGETHER = 1_000_000
"""Numbers in the matrices that Muon steps at once: their copies stay small beside the activations."""


def make_optimizer(config: RunSettings, model: nn.Module) -> torch.optim.Optimizer:
    """The config's optimiser over all parameters that are trained, each once."""
    groups = [group for share, parameters in config.rate_shares(model) for group in _groups(config, share, parameters)]
    return OPTIMIZERS[config.optimizer](config, model, groups)


def _groups(config: RunSettings, share: float, parameters: list[nn.Parameter]) -> Groups:
    """Matrices, which decay, and norms and biases, which do not; both learn at that share of the rate."""
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay, "rate_share": share},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0, "rate_share": share},
    ]


def _adamw(config: RunSettings, model: nn.Module, groups: Groups) -> torch.optim.Optimizer:
    """Loshchilov and Hutter 2019, algorithm 2."""
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)


def _sgd(config: RunSettings, model: nn.Module, groups: Groups) -> torch.optim.Optimizer:
    """With momentum (Sutskever et al. 2013); the decay is added to the gradient."""
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.betas[0], fused=True)


def _muon(config: RunSettings, model: nn.Module, groups: Groups) -> torch.optim.Optimizer:
    inner = {id(p) for name, p in model.named_parameters() if "blocks" in name.split(".") and p.ndim == 2}
    return Muon(_split_groups(groups, inner), lr=config.learning_rate, betas=config.betas)


def _split_groups(groups: Groups, inner: set[int]) -> Groups:
    """The same groups, with the matrices of the blocks in a group of their own."""
    matrices = [p for group in groups for p in group["params"] if id(p) in inner]
    decay = groups[0]["weight_decay"]
    rest = [{**group, "params": [p for p in group["params"] if id(p) not in inner]} for group in groups]
    blocks = {"params": matrices, "weight_decay": decay, "rate_share": groups[0]["rate_share"], "orthogonal": True}
    return [blocks, *rest]


OPTIMIZERS: dict[OptimizerName, Callable[[RunSettings, nn.Module, Groups], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "sgd": _sgd,
    "muon": _muon,
}


class Muon(torch.optim.AdamW):
    """Step the matrices of the blocks by their orthogonalised momentum, everything else by AdamW.

    Jordan et al. 2024 (kellerjordan.github.io/posts/muon), with Nesterov's momentum; the step is scaled by
    0.2 sqrt(longer side), so that AdamW's learning rates and decay fit (Liu et al. 2025, section 2.2).
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, lr=lr, betas=betas, fused=True)
        for group in self.param_groups:
            group.setdefault("orthogonal", False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # AdamW's own __setstate__ expects a count of steps in every state; Muon's matrices have none.
        torch.optim.Optimizer.__setstate__(self, state)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            if group["orthogonal"]:
                for parameters in _by_shape(group["params"]):
                    self._step_matrices(parameters, group)
        super().step()

    def _step_matrices(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Step matrices of one shape together: for small ones the calls take longer than the products."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        momenta = [_momentum_of(self.state[parameter], parameter) for parameter in parameters]
        beta = group["betas"][0]
        torch._foreach_lerp_(momenta, gradients, 1 - beta)  # m <- beta m + (1 - beta) g
        # Nesterov: look ahead by one more average. All singular values of the update become about 1: directions with
        # small gradients move as far as those with large ones.
        updates = orthogonalised(torch.stack(torch._foreach_lerp(gradients, momenta, beta)))
        rate = group["lr"]
        # An orthogonal a x b matrix has entries of about 1/sqrt(max(a, b)); AdamW's updates have about 0.2. A 64 x 256
        # matrix is scaled by 0.2 * 16 = 3.2.
        scale = 0.2 * max(updates.shape[1:]) ** 0.5
        torch._foreach_mul_(parameters, 1 - rate * group["weight_decay"])
        torch._foreach_add_(parameters, updates.unbind(), alpha=-rate * scale)
        for parameter in parameters:
            parameter.grad = None  # AdamW's own step skips a parameter without one


def _by_shape(parameters: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Those with a gradient, in lists of one shape that together are no larger than `TOGETHER`, or of one alone."""
    alike: dict[torch.Size, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            alike.setdefault(parameter.shape, []).append(parameter)
    for shape, found in alike.items():
        count = max(1, TOGETHER // shape.numel())
        yield from (found[first : first + count] for first in range(0, len(found), count))


def orthogonalised(
    matrices: Float[Tensor, "matrix row column"], iterations: int = 5
) -> Float[Tensor, "matrix row column"]:
    """Roughly U V^T of each matrix's singular value decomposition: singular values between 0.7 and 1.2.

    Newton-Schulz iteration of fifth order with the coefficients of Jordan et al. 2024.
    """
    # At most as many rows as columns: the square x x^T is then the smaller of the two.
    is_wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if is_wide else matrices.mT
    # Frobenius norm 1: no singular value above 1, as the iteration needs.
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(iterations):
        # Each singular value s becomes 3.4445 s - 4.7750 s^3 + 2.0315 s^5, which leads small ones quickly towards 1.
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x if is_wide else x.mT


def _momentum_of(state: dict[str, Any], parameter: Tensor) -> Tensor:
    """The parameter's momentum, zero at first."""
    if "momentum" not in state:
        state["momentum"] = torch.zeros_like(parameter)
    momentum: Tensor = state["momentum"]
    return momentum


def learning_rate(config: RunSettings, step: int) -> float:
    """The learning rate of step `step` (the first is 1): linear warm-up, then the schedule's decay."""
    if step <= config.warm_up:
        return config.learning_rate * step / config.warm_up
    progress = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    fraction = DECAYS[config.schedule](progress)
    return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * fraction


def _stable_decay(progress: float) -> float:
    """Constant for the first four fifths, then linear (warmup-stable-decay, Hu et al. 2024, section 4)."""
    return min(1.0, (1.0 - progress) / 0.2)


DECAYS: dict[ScheduleName, Callable[[float], float]] = {
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1 - progress,
    "stable-decay": _stable_decay,
    "constant": lambda progress: 1.0,
}
