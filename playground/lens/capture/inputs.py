"""What enters the first block: which vectors were added to a token's embedding, and whether a norm followed.

Found by following the numbers back through the modules that stand before the blocks; no family's names are needed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.anatomy import TOLERANCE
from playground.lens.capture.hooks import Edit
from playground.lens.capture.norm_step import NormStep, norm_of

MOST_STEPS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Passed:
    """One row of what a module before the blocks was given and made."""

    name: str
    module: nn.Module
    given: Float[Tensor, "width"] | None
    made: Float[Tensor, "width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outside:
    """A module outside the blocks, by name, and what it was given and made in a pass."""

    name: str
    module: nn.Module
    given: Tensor | None
    made: Tensor


def outside(root: nn.Module, blocks: Iterable[nn.Module]) -> dict[str, nn.Module]:
    """The modules that are in no block, by name."""
    inside = {module for block in blocks for module in block.modules()}
    return {name: module for name, module in root.named_modules() if name and module not in inside}


def noting_outside(
    modules: Mapping[str, nn.Module], notes: list[Outside], is_over: Callable[[], bool]
) -> dict[tuple[nn.Module, Literal["input", "output"]], Edit]:
    """Edits that change nothing and write down what these modules are given and make, until it is over."""
    edits: dict[tuple[nn.Module, Literal["input", "output"]], Edit] = {}
    inputs: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module) -> Edit:
        return lambda tensor: None if is_over() else inputs.__setitem__(module, tensor)

    def note(name: str, module: nn.Module) -> Edit:
        def write(tensor: Tensor) -> None:
            if not is_over():
                notes.append(Outside(name=name, module=module, given=inputs.get(module), made=tensor))

        return write

    for name, module in modules.items():
        edits[module, "input"], edits[module, "output"] = keep(module), note(name, module)
    return edits


def rows_of(notes: Sequence[Outside], token: int, tokens: int) -> list[Passed]:
    """A token's row of everything that has rows for tokens."""
    rows = ((one, _row(one.given, token, tokens), _row(one.made, token, tokens)) for one in notes)
    return [
        Passed(name=one.name, module=one.module, given=given, made=made)
        for one, given, made in rows
        if made is not None
    ]


def _row(tensor: Tensor | None, token: int, tokens: int) -> Tensor | None:
    if tensor is None or not tensor.is_floating_point() or tensor.ndim < 2 or tensor.shape[-2] != tokens:
        return None
    return tensor.reshape(-1, tensor.shape[-1])[token]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entering:
    """entered = the sum of the vectors, normed where there is a norm; each vector with its module's name.

    The embedding stands last, with what it is multiplied by, which is 1 in most families.
    """

    names: tuple[str, ...]
    vectors: Float[np.ndarray, "vector width"]
    scale: float
    norm: NormStep | None


def find_entering(
    passed: Sequence[Passed], embedded: Float[Tensor, "_"], entered: Float[Tensor, "width"]
) -> Entering | None:
    """How a row of the embedding became what enters the blocks; None where it cannot be told."""
    target, norm = entered, None
    names: list[str] = []
    vectors: list[Tensor] = []
    for _step in range(MOST_STEPS):
        found = _combination(passed, embedded, target)
        if found is not None:
            more, scale = found
            names += [one.name for one in more]
            vectors += [one.made for one in more]
            table = torch.stack([*vectors, embedded * scale]).float()
            return Entering(names=(*names, "embedding"), vectors=table.cpu().numpy(), scale=scale, norm=norm)
        one = next((one for one in reversed(passed) if _has_made(one, target)), None)
        if one is None or one.given is None:
            return None
        if not names and norm is None:
            norm = norm_of(one.module, one.given, target)
        if norm is None or target is not entered:
            names.append(one.name)
            vectors.append(target - one.given)
        target = one.given
    return None


def _has_made(one: Passed, target: Tensor) -> bool:
    """Whether a module made these numbers of others of the same width."""
    is_alike = one.given is not None and one.given.shape == target.shape and _same(one.made, target)
    return is_alike and one.given is not None and not _same(one.given, target)


def _combination(passed: Sequence[Passed], embedded: Tensor, target: Tensor) -> tuple[tuple[Passed, ...], float] | None:
    """The tables whose rows, with a multiple of the embedding, sum to the target; the fewest that do."""
    if embedded.shape != target.shape:
        return None
    tables = [one for one in passed if isinstance(one.module, nn.Embedding) and one.made.shape == target.shape]
    tables = [one for one in tables if not _same(one.made, embedded)]
    for count in range(len(tables) + 1):
        for chosen in combinations(tables, count):
            rest = target.float() - sum(one.made.float() for one in chosen)
            scale = float(rest @ embedded.float() / embedded.float().square().sum().clamp(min=1e-20))
            scale = 1.0 if abs(scale - 1) < 1e-4 else scale
            if scale > 0 and _same(embedded.float() * scale, rest, like=target):
                return chosen, scale
    return None


def _same(left: Tensor, right: Tensor, like: Tensor | None = None) -> bool:
    tolerance = TOLERANCE.get((right if like is None else like).dtype, 1e-4)
    largest = float(right.abs().max().clamp(min=1e-6))
    return left.shape == right.shape and float((left.float() - right.float()).abs().max()) <= tolerance * largest
