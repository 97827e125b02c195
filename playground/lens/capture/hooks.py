"""Edits of what a module is given or returns, seen by the context that asks for them and by no other.

A hook on a shared module is called in every thread. These look into a ContextVar first, so that they act only in
the block that set them, and each is taken off again with the last block that needs it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from torch import Tensor, nn

Side = Literal["input", "output", "call"]
Edit = Callable[[Tensor], Tensor | None]
"""Given a module's first tensor, what should stand in its place; None leaves it."""
Note = Callable[[tuple[Any, ...], dict[str, Any]], None]
"""Told with which arguments and keywords a module is called."""
Edits = Mapping[tuple[nn.Module, Literal["input", "output"]], Edit]


@dataclass(eq=False)
class _Hooked:
    """A hook that is on a module, and how many blocks need it."""

    handle: Any
    users: int


_hooked: dict[tuple[int, Side], _Hooked] = {}
_lock = Lock()
_edits: ContextVar[dict[tuple[int, Side], tuple[Any, ...]] | None] = ContextVar("playground_edits", default=None)


def editing(edits: Edits) -> AbstractContextManager[None]:
    """Within the block and this context only, the modules are given and return what the edits make of it.

    Blocks inside blocks add to each other, the outer one's edits first.
    """
    return _acting(edits)


def watching(notes: Mapping[nn.Module, Note]) -> AbstractContextManager[None]:
    """Within the block and this context only, be told with what the modules are called."""
    return _acting({(module, "call"): note for module, note in notes.items()})


@contextmanager
def _acting(edits: Mapping[tuple[nn.Module, Any], Callable[..., Any]]) -> Iterator[None]:
    merged = dict(_edits.get() or {})
    for (module, side), edit in edits.items():
        merged[id(module), side] = (*merged.get((id(module), side), ()), edit)
    with ExitStack() as stack:
        for module, side in edits:
            stack.enter_context(_hook_on(module, side))
        token = _edits.set(merged)
        try:
            yield
        finally:
            _edits.reset(token)


@contextmanager
def _hook_on(module: nn.Module, side: Side) -> Iterator[None]:
    """Keep the hook on the module at least as long as the block lasts."""
    key = (id(module), side)
    with _lock:
        if key not in _hooked:
            _hooked[key] = _Hooked(handle=_register(module, side), users=0)
        _hooked[key].users += 1
    try:
        yield
    finally:
        with _lock:
            _hooked[key].users -= 1
            if not _hooked[key].users:
                _hooked.pop(key).handle.remove()


def _register(module: nn.Module, side: Side) -> Any:
    if side == "call":
        return module.register_forward_pre_hook(_watch, with_kwargs=True)
    if side == "input":
        return module.register_forward_pre_hook(_before, with_kwargs=True)
    return module.register_forward_hook(_after)


def _watch(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for note in (_edits.get() or {}).get((id(module), "call"), ()):
        note(args, kwargs)


def _before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    edits = (_edits.get() or {}).get((id(module), "input"))
    if not edits:
        return None
    if args and isinstance(args[0], Tensor):
        return (_edited(args[0], edits), *args[1:]), kwargs
    name = next((name for name, value in kwargs.items() if isinstance(value, Tensor)), None)
    return None if name is None else (args, {**kwargs, name: _edited(kwargs[name], edits)})


def _after(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
    edits = (_edits.get() or {}).get((id(module), "output"))
    if not edits:
        return None
    if isinstance(output, Tensor):
        return _edited(output, edits)
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return (_edited(output[0], edits), *output[1:])
    return None


def _edited(tensor: Tensor, edits: tuple[Edit, ...]) -> Tensor:
    for edit in edits:
        changed = edit(tensor)
        tensor = tensor if changed is None else changed
    return tensor
