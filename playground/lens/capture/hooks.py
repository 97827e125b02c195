"""Hooks on a shared model: `record` what modules receive and return, or edit it, in one context only.

A forward hook is called in every thread that uses the module. These look into a ContextVar first, so that they act
only in the block that set them; each hook is removed with the last block that needs it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal

from torch import Tensor, nn

Side = Literal["input", "output", "call"]
Edit = Callable[[Tensor], Tensor | None]
"""Maps a module's first tensor to its replacement; None leaves the tensor."""
Keep = Callable[[Tensor], Tensor | None]
"""What is stored of a tensor; None stores nothing."""
Edits = Mapping[tuple[nn.Module, Literal["input", "output"]], Edit]


@dataclass(eq=False)
class _SharedHook:
    """A registered hook, and how many blocks use it."""

    handle: Any
    users: int


_hooks: dict[tuple[int, Side], _SharedHook] = {}
_lock = Lock()
_actions: ContextVar[dict[tuple[int, Side], tuple[Any, ...]] | None] = ContextVar("playground_hooks", default=None)


def editing(edits: Edits) -> AbstractContextManager[None]:
    """Edit the inputs and outputs of modules, within the block and in this context only.

    Nested blocks add up, the outer one's edits first.
    """
    return _hooking(edits)


@dataclass(frozen=True, kw_only=True, eq=False)
class ModuleOutput:
    """What a module returned (its first tensor), and what it received where inputs were recorded."""

    module: nn.Module
    received: Tensor | None
    output: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """What some modules received and returned during a pass."""

    inputs: dict[nn.Module, Tensor] = field(default_factory=dict)
    """The first tensor that each module last received."""
    outputs: list[ModuleOutput] = field(default_factory=list)
    """Outputs in the order in which the modules returned."""
    calls: dict[nn.Module, tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    """The arguments and keywords that each module was last called with."""
    _outputs_before: dict[nn.Module, int] = field(default_factory=dict)

    def output(self, module: nn.Module) -> Tensor:
        """The module's last output. Raises StopIteration where there is none."""
        return next(item.output for item in reversed(self.outputs) if item.module is module)

    def before(self, module: nn.Module) -> Sequence[ModuleOutput]:
        """The outputs that were there when the module was last called; all where its input was not recorded."""
        return self.outputs[: self._outputs_before.get(module)]


@contextmanager
def record(
    *,
    inputs: Iterable[nn.Module] = (),
    outputs: Iterable[nn.Module] = (),
    calls: Iterable[nn.Module] = (),
    keep: Keep = Tensor.detach,
    keeps: Mapping[nn.Module, Keep] = MappingProxyType({}),
) -> Iterator[Recording]:
    """Record inputs, outputs or calls of modules, within the block and in this context only; changes nothing.

    keep: what is stored of a tensor, such as a clone or one row; None stores nothing. keeps: the same for some modules
    that it is something else of.
    """
    recording = Recording()

    def observe_input(module: nn.Module) -> Edit:
        def observe(tensor: Tensor) -> None:
            recording._outputs_before[module] = len(recording.outputs)
            if (kept := keeps.get(module, keep)(tensor)) is not None:
                recording.inputs[module] = kept

        return observe

    def observe_output(module: nn.Module) -> Edit:
        def observe(tensor: Tensor) -> None:
            if (kept := keeps.get(module, keep)(tensor)) is not None:
                received = recording.inputs.get(module)
                recording.outputs.append(ModuleOutput(module=module, received=received, output=kept))

        return observe

    def observe_call(module: nn.Module) -> Callable[..., None]:
        return lambda args, kwargs: recording.calls.__setitem__(module, (args, kwargs))

    observers: dict[tuple[nn.Module, Side], Callable[..., Any]] = {}
    observers |= {(module, "call"): observe_call(module) for module in calls}
    observers |= {(module, "input"): observe_input(module) for module in inputs}
    observers |= {(module, "output"): observe_output(module) for module in outputs}
    with _hooking(observers):
        yield recording


@contextmanager
def _hooking(actions: Mapping[tuple[nn.Module, Any], Callable[..., Any]]) -> Iterator[None]:
    merged = dict(_actions.get() or {})
    for (module, side), action in actions.items():
        merged[id(module), side] = (*merged.get((id(module), side), ()), action)
    with ExitStack() as stack:
        for module, side in actions:
            stack.enter_context(_shared_hook(module, side))
        token = _actions.set(merged)
        try:
            yield
        finally:
            _actions.reset(token)


@contextmanager
def _shared_hook(module: nn.Module, side: Side) -> Iterator[None]:
    """Keep the hook on the module at least as long as the block lasts."""
    key = (id(module), side)
    with _lock:
        if key not in _hooks:
            _hooks[key] = _SharedHook(handle=_register(module, side), users=0)
        _hooks[key].users += 1
    try:
        yield
    finally:
        with _lock:
            _hooks[key].users -= 1
            if not _hooks[key].users:
                _hooks.pop(key).handle.remove()


def _register(module: nn.Module, side: Side) -> Any:
    if side == "call":
        return module.register_forward_pre_hook(_observe_call, with_kwargs=True)
    if side == "input":
        return module.register_forward_pre_hook(_edit_input, with_kwargs=True)
    return module.register_forward_hook(_edit_output)


def _observe_call(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for observe in (_actions.get() or {}).get((id(module), "call"), ()):
        observe(args, kwargs)


def _edit_input(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    edits = (_actions.get() or {}).get((id(module), "input"))
    if not edits:
        return None
    if args and isinstance(args[0], Tensor):
        return (apply_edits(args[0], edits), *args[1:]), kwargs
    name = next((name for name, value in kwargs.items() if isinstance(value, Tensor)), None)
    return None if name is None else (args, {**kwargs, name: apply_edits(kwargs[name], edits)})


def _edit_output(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
    edits = (_actions.get() or {}).get((id(module), "output"))
    if not edits:
        return None
    if isinstance(output, Tensor):
        return apply_edits(output, edits)
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return (apply_edits(output[0], edits), *output[1:])
    return None


def apply_edits(tensor: Tensor, edits: Iterable[Edit]) -> Tensor:
    """One edit after the other."""
    for edit in edits:
        edited = edit(tensor)
        tensor = tensor if edited is None else edited
    return tensor
