"""The lines of our own transformer that compute each step, found by what they do, so that they cannot go stale.

A step names a function and what its line mentions; the line is looked up in the source as it is now.
"""

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Literal

from playground import attention, transformer
from playground.errors import UserError

Step = Literal[
    "embedding", "norm", "projection", "rotation", "seam", "scores", "mask", "softmax", "mix", "output", "residual"
]


@dataclass(frozen=True, kw_only=True)
class CodeLines:
    """Some lines of a file of this project, numbered from 1, both ends included; without their indentation."""

    path: str
    first: int
    last: int
    text: str


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A statement of a function: the first that mentions all of these names."""

    module: ModuleType
    function: str
    names: tuple[str, ...]


def _in_transformer(function: str, *names: str) -> _Place:
    return _Place(module=transformer, function=function, names=names)


def _at_the_seam(function: str, *names: str) -> _Place:
    return _Place(module=attention, function=function, names=names)


PLACES: dict[Step, _Place] = {
    "embedding": _in_transformer("Stack.residual", "embedding", "position"),
    "norm": _in_transformer("add_before", "norm", "layer"),
    "projection": _in_transformer("Attention.forward", "query_key_value"),
    "rotation": _in_transformer("Attention.forward", "rotate"),
    "seam": _in_transformer("Attention.forward", "attend"),
    "scores": _at_the_seam("scores", "query", "key", "scaling"),
    "mask": _at_the_seam("masked_scores", "scores", "mask"),
    "softmax": _at_the_seam("pattern", "logits", "softmax"),
    "mix": _at_the_seam("z", "pattern", "value"),
    "output": _in_transformer("Attention.forward", "output"),
    "residual": _in_transformer("add_before", "residual", "drop"),
}
CROSS: dict[Step, _Place] = {
    "projection": _in_transformer("CrossAttention.forward", "key_value"),
    "seam": _in_transformer("CrossAttention.forward", "attend"),
    "output": _in_transformer("CrossAttention.forward", "output"),
}
"""Where cross-attention has lines of its own; it has no rotation."""
AFTER: dict[Step, _Place] = {
    "norm": _in_transformer("add_after", "norm"),
    "residual": _in_transformer("add_after", "residual", "drop"),
}
"""Where a model that norms after each layer has lines of its own."""


def code_lines(step: Step, *, is_cross: bool = False, norms_after: bool = False) -> CodeLines:
    """The lines of a step. Raises UserError for a step that is not there."""
    if step not in PLACES or (is_cross and step == "rotation"):
        raise UserError(
            "There is no code for the step {step}; choose one of {places}.", step=step, places=", ".join(PLACES)
        )
    places = {**PLACES, **(CROSS if is_cross else {}), **(AFTER if norms_after else {})}
    return _find(places[step])


@cache
def _find(place: _Place) -> CodeLines:
    """The first innermost statement of the function that mentions all the names."""
    source = inspect.getsource(place.module)
    function = _function(ast.parse(source), place.function)
    found = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and _mentions(node, place.names)]
    simple = [node for node in found if not hasattr(node, "body")]
    if not simple:
        raise LookupError(f"{place.function} has no line with {', '.join(place.names)}.")
    line = min(simple, key=lambda node: node.lineno)
    last = line.end_lineno or line.lineno
    text = inspect.cleandoc("\n" + "\n".join(source.splitlines()[line.lineno - 1 : last]))
    return CodeLines(path=_path(place.module), first=line.lineno, last=last, text=text)


def _function(tree: ast.AST, name: str) -> ast.FunctionDef:
    """The function or method of that qualified name."""
    for part in name.split("."):
        bodies = ast.iter_child_nodes(tree)
        tree = next(node for node in bodies if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part)
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _mentions(node: ast.stmt, names: tuple[str, ...]) -> bool:
    """Whether all names occur in the statement, as a variable, an attribute or an argument."""
    seen = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    seen |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return set(names) <= seen


def _path(module: ModuleType) -> str:
    """The file as it is named in this project."""
    file = Path(inspect.getfile(module))
    root = Path(inspect.getfile(attention)).parent.parent
    return file.relative_to(root).as_posix()
