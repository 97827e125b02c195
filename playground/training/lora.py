"""LoRA by hand: W stays as it is, and beside it a narrow detour B A learns (Hu et al. 2022, equation 3).

    y = W x + b + (alpha / r) B A x        A is r x inputs, B is outputs x r, r is the rank

At the start B is zero, so that the model answers as before. Of a 576 x 576 matrix rank 8 trains 2 · 8 · 576 = 9,216
numbers instead of 331,776.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from playground.errors import UserError
from playground.models.adapters.low_rank import sides_of, with_low_rank


class LoraLinear(nn.Module):
    """A frozen linear layer with a trainable detour of low rank beside it."""

    def __init__(self, base: nn.Module, *, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        outputs, inputs = sides_of(base)
        self.scale = alpha / rank
        self.lora_A = nn.Linear(inputs, rank, bias=False)
        self.lora_B = nn.Linear(rank, outputs, bias=False)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        narrow = functional.linear(x, self.lora_A.weight)
        # Scaled where it is narrow: r numbers a token instead of as many as there are outputs.
        added: Tensor = self.base(x) + functional.linear(self.scale * narrow, self.lora_B.weight)
        return added

    @property
    def weight(self) -> Tensor:
        """W as it was: some layers ask for its type."""
        weight: Tensor = self.base.weight  # type: ignore[assignment]
        return weight

    @property
    def bias(self) -> Tensor | None:
        """b, which stays as it is."""
        bias: Tensor | None = self.base.bias  # type: ignore[assignment]
        return bias

    @torch.no_grad()
    def merged(self) -> Tensor:
        """W + (alpha / r) B A, as the base layer holds it: what answers the same without a detour."""
        return with_low_rank(self.base, self.lora_A.weight, self.lora_B.weight, self.scale)


def refuse_rank(path: str, rank: int, sides: tuple[int, int]) -> None:
    """Raise UserError for a rank that saves nothing beside a matrix of outputs x inputs."""
    if rank >= min(sides):
        raise UserError(
            "LoRA of rank {rank} beside {path} would train as much as the matrix has ({rows} x {columns}); choose a "
            "smaller rank.",
            rank=rank,
            path=path,
            rows=sides[0],
            columns=sides[1],
        )


def add_lora(model: nn.Module, path: str, *, rank: int, alpha: float) -> LoraLinear:
    """Put a detour beside the linear layer at a path. Raises UserError for a rank that is none or saves nothing."""
    parent = model.get_submodule(path.rpartition(".")[0])
    base = model.get_submodule(path)
    refuse_rank(path, rank, sides_of(base))
    layer = LoraLinear(base, rank=rank, alpha=alpha)
    setattr(parent, path.rpartition(".")[2], layer)
    return layer
