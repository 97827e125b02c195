"""The lines of our own transformer that compute a step, looked up in the source so that they never go stale."""

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from playground import attention, layers, transformer


@dataclass(frozen=True, kw_only=True)
class CodeLines:
    """Some lines of a file of this project, without their indentation."""

    path: str
    first: int
    """The first line's number, counted from 1."""
    last: int
    text: str


@dataclass(frozen=True, kw_only=True)
class CodeReference:
    """A statement of a function: the first that mentions all of these names."""

    module: ModuleType
    function: str
    names: tuple[str, ...]


def in_transformer(function: str, *names: str) -> CodeReference:
    """A statement of transformer.py."""
    return CodeReference(module=transformer, function=function, names=names)


def in_layers(function: str, *names: str) -> CodeReference:
    """A statement of layers.py."""
    return CodeReference(module=layers, function=function, names=names)


def in_attention(function: str, *names: str) -> CodeReference:
    """A statement of attention.py."""
    return CodeReference(module=attention, function=function, names=names)


@cache
def code_lines(reference: CodeReference) -> CodeLines:
    """The lines of the statement. Raises LookupError where the source has none that mentions the names."""
    source = inspect.getsource(reference.module)
    statements = [node for node in ast.walk(_definition(source, reference.function)) if isinstance(node, ast.stmt)]
    # A statement with a body (if, with) mentions what its own statements mention; the innermost one is meant.
    matching = [node for node in statements if not hasattr(node, "body") and _mentions(node, reference.names)]
    if not matching:
        raise LookupError(f"{reference.function} has no line with {', '.join(reference.names)}.")
    statement = min(matching, key=lambda node: node.lineno)
    last = statement.end_lineno or statement.lineno
    text = inspect.cleandoc("\n" + "\n".join(source.splitlines()[statement.lineno - 1 : last]))
    return CodeLines(path=_path(reference.module), first=statement.lineno, last=last, text=text)


def _definition(source: str, name: str) -> ast.AST:
    """The function or method of that qualified name."""
    tree: ast.AST = ast.parse(source)
    for part in name.split("."):
        nodes = [node for node in ast.iter_child_nodes(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        tree = next((node for node in nodes if node.name == part), None) or _missing(name)
    return tree


def _missing(name: str) -> ast.AST:
    raise LookupError(f"There is no function {name}.")


def _mentions(statement: ast.stmt, names: tuple[str, ...]) -> bool:
    """Whether all names occur in the statement, as a variable or an attribute."""
    nodes = list(ast.walk(statement))
    mentioned = {node.id for node in nodes if isinstance(node, ast.Name)}
    return set(names) <= mentioned | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _path(module: ModuleType) -> str:
    """The file, relative to the project's root."""
    root = Path(inspect.getfile(attention)).parent.parent
    return Path(inspect.getfile(module)).relative_to(root).as_posix()
