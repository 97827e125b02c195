"""Gate: what some families multiply z by before the output projection, and which numbers it is made of.

Qwen3-Next, Qwen 3.5, AFMoE, Laguna, LFM3: z is multiplied by the sigmoid (or softplus) of what a matrix makes of the
layer's input, one number for each of z or one for each head (Qiu et al. 2025, arXiv:2505.06708, section 2.2).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from playground.lens.inspect.steps.activation import agrees

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "softplus": functional.softplus}


@dataclass(frozen=True, kw_only=True, eq=False)
class Gate:
    """What z is multiplied by at some tokens, all heads side by side."""

    function: str
    """One of `FUNCTIONS`."""
    arguments: Float[Tensor, "row width"]
    """What a module of the layer returned."""

    @property
    def values(self) -> Float[Tensor, "row width"]:
        """The multipliers."""
        return FUNCTIONS[self.function](self.arguments)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadGate:
    """What z is multiplied by before the output projection (Qwen3-Next)."""

    function: str
    arguments: Float[np.ndarray, "width"]
    values: Float[np.ndarray, "width"]
    """The function of the arguments."""


def gate_of_head(gate: Gate, part: slice) -> HeadGate:
    """The first token's numbers of the head that stands in this part of z."""
    arguments, values = (tensor[0, part].cpu().numpy() for tensor in (gate.arguments, gate.values))
    return HeadGate(function=gate.function, arguments=arguments, values=values)


def find_gate(
    outputs: Iterable[Tensor], z: Float[Tensor, "row width"], received: Tensor, *, heads: int, dtype: torch.dtype
) -> Gate | None:
    """The gate with which z becomes what the projection received; None where no module's output makes it.

    outputs: of the layer's modules, with as many rows. heads: how many stand side by side in z.
    """
    z, received = z.float(), received.reshape(z.shape).float()
    for output in outputs:
        for arguments in _layouts(output, z, heads):
            for name, function in FUNCTIONS.items():
                if agrees(function(arguments) * z, received, dtype):
                    return Gate(function=name, arguments=arguments)
    return None


def _layouts(output: Tensor, z: Tensor, heads: int) -> Iterator[Float[Tensor, "row width"]]:
    """A module's output as one number for each of z: one a number, one a head, or the end of each head's own piece."""
    (rows, width), count = z.shape, output.shape[-1]
    if not output.is_floating_point() or output.numel() != rows * count:
        return
    table, head_width = output.reshape(rows, count).float(), width // heads
    if count == width:
        yield table
    elif count == heads:
        yield table.repeat_interleave(head_width, dim=1)
    elif count > width and count % heads == 0:
        # Of 4 heads, [query 8, gate 8] each: [row, 64] becomes [row, 4, 16], of which the last 8 are the gate's.
        yield table.view(rows, heads, -1)[..., -head_width:].flatten(1)
