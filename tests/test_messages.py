"""Every sentence is a literal that a catalogue can hold, and is looked up when it is shown, not at import."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for top in ("playground", "ui", "pages") for path in (ROOT / top).rglob("*.py"))
LOOK_UP, MARKS = {"_", "_n"}, {"N_", "UserError"}


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def is_composed(node: ast.expr) -> bool:
    """Whether a text is put together before it is looked up, so that no catalogue can hold it."""
    return isinstance(node, ast.JoinedStr | ast.BinOp) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join")
    )


def at_import(tree: ast.Module) -> list[ast.AST]:
    """All nodes that run when the module is imported: bodies of functions are left out, their defaults are not."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.args.defaults, *(one for one in node.args.kw_defaults if one), *node.decorator_list]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_literals_that_are_looked_up_when_shown(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    composed = [
        node.lineno
        for node in ast.walk(tree)
        if called(node) in LOOK_UP | MARKS and node.args and is_composed(node.args[0])
    ]
    assert composed == [], "put values in with .format() after the look-up, or hand them to UserError by name"
    if path.parent != ROOT / "pages":
        early = [node.lineno for node in at_import(tree) if called(node) in LOOK_UP]
        assert early == [], "mark it with N_ and look it up where it is shown"
