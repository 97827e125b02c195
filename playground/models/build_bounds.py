"""What a configuration may ask for: no more layers, modules and numbers than its weights can fill.

A config.json is a few words that a stranger wrote. A million layers would be built, and take the memory of all, before
anybody noticed that the weights hold two.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from playground.errors import UserError
from playground.models.formats.checkpoint import Checkpoint

COUNT = re.compile(r"(^|_)(layers?|blocks|experts|heads?|groups|stages|branches)$")
"""Keys of what is built one by one: num_hidden_layers, n_layer, num_local_experts, n_head, …"""
LARGEST_COUNT = 4_096
"""The most experts of a published layer are 2,048 (Fedus et al. 2022)."""
SIZE = re.compile(
    r"(size|dim|width|embd|d_model|d_ff|d_inner|d_kv|n_positions|n_ctx|embeddings|rank|buckets|vocabulary)$"
)
LARGEST_SIZE = 1 << 26
MODULES_PER_TENSOR, SPARE_MODULES = 8, 2_000
"""A block has up to two modules for each of its tensors; activations and dropout have none."""
NUMBERS_PER_NUMBER, SPARE_NUMBERS = 4, 1 << 25
"""T5 meets its embedding four times before it is shared. The spare ones are a table of positions, or a mask."""


def check_counts(config: Mapping[str, Any], name: str) -> None:
    """Raise UserError for a configuration that asks for more parts, or larger ones, than any model has."""
    for key, value in _numbers(config):
        if COUNT.search(key):
            _check(key, value, LARGEST_COUNT, name)
        elif SIZE.search(key):
            _check(key, value, LARGEST_SIZE, name)


def _check(key: str, value: int, most: int, name: str) -> None:
    if value > most:
        raise UserError(
            "The config.json of {name} asks for more than {most:,} as {key}, which no model has; it is damaged.",
            name=name,
            most=most,
            key=key,
        )


def _numbers(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Every whole number in a configuration, nested ones too, with its key."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float) and value == value:
        yield key, min(int(min(value, 2**62)), 2**62)
    elif depth < 20 and isinstance(value, dict):
        for inner, part in value.items():
            yield from _numbers(part, str(inner), depth + 1)
    elif depth < 20 and isinstance(value, list):
        for part in value:
            yield from _numbers(part, key, depth + 1)


@dataclass(kw_only=True, eq=False)
class BuildBudget:
    """How many modules and numbers may still be built in this context."""

    name: str
    tensors: int
    parameters: int
    modules: int
    numbers: int

    def spend(self, *, modules: int = 0, numbers: int = 0) -> None:
        """Count what is built. Raises UserError beyond the budget."""
        self.modules -= modules
        self.numbers -= numbers
        if self.modules < 0 or self.numbers < 0:
            raise UserError(
                "The config.json of {name} asks for more than its weights hold ({tensors:,} tensors, {parameters:,} "
                "numbers): it belongs to another model.",
                name=self.name,
                tensors=self.tensors,
                parameters=self.parameters,
            )


_budget: ContextVar[BuildBudget | None] = ContextVar("playground_build_budget", default=None)


@contextmanager
def bounded_build(checkpoint: Checkpoint, name: str) -> Iterator[None]:
    """Within the block, and in this context only, building more than the weights could fill raises UserError."""
    budget = BuildBudget(
        name=name,
        tensors=checkpoint.tensors,
        parameters=checkpoint.parameters,
        modules=MODULES_PER_TENSOR * checkpoint.tensors + SPARE_MODULES,
        numbers=NUMBERS_PER_NUMBER * checkpoint.parameters + SPARE_NUMBERS,
    )
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


def _count_module(_parent: nn.Module, _name: str, _module: nn.Module | None) -> None:
    if (budget := _budget.get()) is not None:
        budget.spend(modules=1)


def _count_tensor(_parent: nn.Module, _name: str, tensor: Tensor | None) -> None:
    if (budget := _budget.get()) is not None and tensor is not None:
        budget.spend(numbers=tensor.numel() * tensor.element_size() // torch.float32.itemsize)


# Once and for all, since a hook that comes and goes would disturb whoever builds in another thread.
register_module_module_registration_hook(_count_module)
register_module_parameter_registration_hook(_count_tensor)
register_module_buffer_registration_hook(_count_tensor)
