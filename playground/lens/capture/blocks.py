"""Which blocks of a model attend, by their numbers in it, and what the others mix tokens by.

In a mixed stack (LFM2, Jamba, Qwen3-Next) only some blocks attend. The number of a block stands in the name of its
attention module: `model.layers.2.self_attn` belongs to block 2 of the list `model.layers`.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from playground.lens.capture.site import Site

_BLOCK = re.compile(r"^(?:.*?\.)?(\d+)(?=\.|$)")


@dataclass(frozen=True, kw_only=True)
class OtherBlock:
    """A block without attention in a stack in which others attend."""

    number: int
    mixer: str
    """The class of the module that it has where the others have their attention."""


def number_blocks(sites: Sequence[Site], paths: Sequence[str]) -> tuple[Site, ...]:
    """The sites with their blocks' numbers, where these ascend within a kind; layers that share modules keep counts."""
    found = [_BLOCK.match(path) for path in paths]
    numbers = [None if match is None else int(match[1]) for match in found]
    kinds = {site.kind for site in sites}
    ascending = {kind for kind in kinds if _ascend([n for n, s in zip(numbers, sites, strict=True) if s.kind == kind])}
    return tuple(
        replace(site, layer=number) if site.kind in ascending and number is not None else site
        for site, number in zip(sites, numbers, strict=True)
    )


def _ascend(numbers: Sequence[int | None]) -> bool:
    known = [number for number in numbers if number is not None]
    return len(known) == len(numbers) and all(a < b for a, b in itertools.pairwise(known))


def find_other_blocks(root: nn.Module, paths: Sequence[str]) -> tuple[OtherBlock, ...]:
    """The blocks that do not attend, in the lists in which others do. paths: the names of the attention modules.

    >>> block = lambda mixer: nn.ModuleDict({"mixer": mixer, "mlp": nn.Linear(2, 2)})
    >>> stack = nn.ModuleDict({"layers": nn.ModuleList([block(nn.Conv1d(1, 1, 1)), block(nn.Bilinear(1, 1, 1))])})
    >>> find_other_blocks(stack, ["layers.1.mixer"])
    (OtherBlock(number=0, mixer='Conv1d'),)
    """
    attending: dict[str, set[int]] = {}
    for path in paths:
        if (match := _BLOCK.match(path)) is not None:
            attending.setdefault(path[: match.start(1) - 1], set()).add(int(match[1]))
    others = []
    for name, numbers in attending.items():
        stack = root.get_submodule(name)
        if isinstance(stack, nn.ModuleList):
            parts = {part for number in numbers for part in _parts(stack[number])}
            for number in sorted(set(range(len(stack))) - numbers):
                others.append(OtherBlock(number=number, mixer=_mixer(stack[number], parts)))
    return tuple(others)


def _parts(block: nn.Module) -> list[tuple[str, str]]:
    return [(name, type(child).__name__) for name, child in block.named_children()]


def _mixer(block: nn.Module, attending: set[tuple[str, str]]) -> str:
    """The first part that no attending block has, no norm where there is another (OLMo Hybrid)."""
    own = [kind for name, kind in _parts(block) if (name, kind) not in attending]
    mixers = [kind for kind in own if "norm" not in kind.lower()]
    return next(iter(mixers or own), type(block).__name__)
