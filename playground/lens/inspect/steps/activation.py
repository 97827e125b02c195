"""Activation functions of feed-forward layers and output heads, and which of them made some numbers of others.

Glorot et al. 2011 (ReLU), Hendrycks and Gimpel 2016 (GELU, its two approximations, SiLU), So et al. 2021 (ReLU²),
Shazeer 2020 (gated forms).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from playground.lens.tolerances import tolerance

QUICK = 1.702
"""The factor with which a logistic function comes nearest to the normal distribution's."""


FUNCTIONS = (FunctionType, BuiltinFunctionType)


@dataclass(frozen=True, kw_only=True, eq=False)
class Activation:
    """A function of one number."""

    name: str
    formula: str
    """LaTeX, of u."""
    plain: str
    """The same on one line."""
    function: Callable[[Tensor], Tensor]

    def __call__(self, u: Tensor) -> Tensor:
        return self.function(u)

    def slope(self, u: Float[Tensor, "*row"]) -> Float[Tensor, "*row"]:
        """Its derivative at each number."""
        with torch.inference_mode(mode=False), torch.enable_grad():
            at = u.clone().requires_grad_()
            (slope,) = torch.autograd.grad(self.function(at).sum(), at)
        return slope


RELU = Activation(name="ReLU", formula=r"\max(0, u)", plain="max(0, u)", function=functional.relu)
GELU = Activation(name="GELU", formula=r"u\,\Phi(u)", plain="u · Φ(u)", function=functional.gelu)
GELU_TANH = Activation(
    name="GELU (tanh)",
    formula=r"\tfrac{u}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(u + 0.044715\,u^3)\right)\right)",
    plain="u/2 · (1 + tanh(√(2/π) · (u + 0.044715 u³)))",
    function=lambda u: functional.gelu(u, approximate="tanh"),
)
GELU_QUICK = Activation(
    name="GELU (logistic)",
    formula=r"u\,\sigma(1.702\,u)",
    plain="u · σ(1.702 u)",
    function=lambda u: u * torch.sigmoid(QUICK * u),
)
SILU = Activation(name="SiLU", formula=r"u\,\sigma(u)", plain="u · σ(u)", function=functional.silu)
RELU_SQUARED = Activation(
    name="ReLU²", formula=r"\max(0, u)^2", plain="max(0, u)²", function=lambda u: functional.relu(u).square()
)
TANH = Activation(name="tanh", formula=r"\tanh(u)", plain="tanh(u)", function=torch.tanh)
SIGMOID = Activation(name="sigmoid", formula=r"\sigma(u)", plain="σ(u)", function=torch.sigmoid)
NONE = Activation(name="none", formula="u", plain="u", function=lambda u: u)
ACTIVATIONS = (RELU, GELU, GELU_TANH, SILU, GELU_QUICK, RELU_SQUARED, TANH, SIGMOID, NONE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Gating:
    """What stands between a feed-forward layer's first matrices and its last.

    Without a gate: activation(u). With one: (min(max(u, -limit), limit) + shift) · activation(min(g, limit)).
    """

    activation: Activation
    is_gated: bool
    limit: float | None = None
    """gpt-oss limits gate and up; None in other families."""
    shift: float = 0.0

    def __call__(
        self, up: Float[Tensor, "*row hidden"], gate: Float[Tensor, "*row hidden"] | None
    ) -> Float[Tensor, "*row hidden"]:
        """The hidden numbers that the last matrix reads."""
        if gate is None:
            return self.activation(up)
        left, right = self.factors(up, gate)
        return left * right

    def factors(self, up: Float[Tensor, "*row hidden"], gate: Float[Tensor, "*row hidden"]) -> tuple[Tensor, Tensor]:
        """The two factors of a gated layer's hidden numbers."""
        if self.limit is not None:
            up, gate = up.clamp(-self.limit, self.limit), gate.clamp(max=self.limit)
        return up + self.shift, self.activation(gate)

    @property
    def formula(self) -> str:
        """LaTeX."""
        if not self.is_gated:
            return rf"a = {self.activation.formula}"
        up = "u" if self.limit is None else rf"\mathrm{{clip}}(u, \pm{self.limit:g})"
        up = up if not self.shift else rf"({up} + {self.shift:g})"
        return rf"a = {up} \cdot {self.activation.formula.replace('u', 'g')}"


def find_activation(
    modules: Sequence[nn.Module], before: Tensor, after: Tensor, dtype: torch.dtype
) -> Activation | None:
    """The function that made the one of the other; None where none did.

    GELU and its approximations agree to four digits: among several the one that a part of the modules computes.
    """
    candidates = [one for one in (*ACTIVATIONS, *_slopes(modules)) if agrees(one(before), after, dtype)]
    return closest(candidates, modules, lambda one: float((one(before) - after).abs().max()))


def closest(
    candidates: Sequence[Activation], modules: Sequence[nn.Module], error: Callable[[Activation], float]
) -> Activation | None:
    """The candidate that some part of the modules computes; else the one of the smallest error."""
    if len(candidates) < 2:
        return next(iter(candidates), None)
    grid = torch.linspace(-4.0, 4.0, 33)
    computed = [output for part in _functions(modules) if (output := _on_grid(part, grid)) is not None]
    stated = [one for one in candidates if any(torch.allclose(one(grid), output, atol=1e-6) for output in computed)]
    return min(stated or candidates, key=error)


def _functions(modules: Sequence[nn.Module]) -> list[Callable[[Tensor], object]]:
    """What could be an activation function: parts without parameters, and functions that a module keeps."""
    functions: list[Callable[[Tensor], object]] = []
    for module in modules:
        for part in module.modules():
            if not list(part.parameters()):
                functions.append(part)
            functions += [value for value in vars(part).values() if isinstance(value, FUNCTIONS)]
    return functions


def _on_grid(function: Callable[[Tensor], object], grid: Tensor) -> Tensor | None:
    try:
        output = function(grid)
    except Exception:  # a part of another kind: it takes other arguments
        return None
    return output if isinstance(output, Tensor) and output.shape == grid.shape else None


def find_gating(
    modules: Sequence[nn.Module], up: Tensor, gate: Tensor | None, after: Tensor, dtype: torch.dtype
) -> Gating | None:
    """What made the hidden numbers of up and gate; factors and limits as the modules state them. None where nothing."""
    found = [one for one in gatings(modules, is_gated=gate is not None) if agrees(one(up, gate), after, dtype)]
    activation = closest(
        [one.activation for one in found],
        modules,
        lambda activation: min(
            float((one(up, gate) - after).abs().max()) for one in found if one.activation is activation
        ),
    )
    return next((one for one in found if one.activation is activation), None)


def gatings(modules: Sequence[nn.Module], *, is_gated: bool) -> Iterator[Gating]:
    """Every gating that is known; factors and limits as the modules state them."""
    limits = [getattr(part, "limit", None) for module in modules for part in module.modules()]
    limit = next((value for value in limits if isinstance(value, float)), None)
    for activation in (*_slopes(modules), SILU) if is_gated and limit else ():
        limited = Gating(activation=activation, is_gated=True, limit=limit)
        yield from (replace(limited, shift=1.0), limited)
    for activation in ACTIVATIONS:
        yield Gating(activation=activation, is_gated=is_gated)


def _slopes(modules: Sequence[nn.Module]) -> list[Activation]:
    """u · σ(alpha u), with the alphas that the modules state."""
    stated = {getattr(part, "alpha", None) for module in modules for part in module.modules()}
    return [
        Activation(
            name=f"SiLU ({alpha:g})",
            formula=rf"u\,\sigma({alpha:g}\,u)",
            plain=f"u · σ({alpha:g} u)",
            function=lambda u, alpha=alpha: u * torch.sigmoid(alpha * u),  # type: ignore[misc]
        )
        for alpha in stated
        if isinstance(alpha, float)
    ]


def agrees(recomputed: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    """Whether two computations of the same numbers agree up to rounding in the dtype."""
    if recomputed.shape != expected.shape:
        return False
    largest = float(expected.abs().max().clamp(min=1e-6)) if expected.numel() else 1.0
    return bool((recomputed - expected).abs().max() <= tolerance("module", dtype) * largest)
