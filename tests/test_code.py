"""The code's own rules: format, lint, types, and who may import whom."""

import ast
import doctest
import importlib
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
}

EVERY_COMMANDS = "declare"
EVERY_PROCESSES = "main"


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_the_tool_has_nothing_to_say(tool):
    name, *arguments = TOOLS[tool]
    command = [str(Path(sys.executable).parent / name), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_no_file_of_ours_is_longer_than_three_hundred_lines():
    files = [path for folder in ("playground", "ui", "pages") for path in (ROOT / folder).rglob("*.py")]
    files += [path for folder in ("playground", "ui") for path in (ROOT / folder).rglob("*.js")]
    assert {str(path): count for path in files if (count := len(path.read_text().splitlines())) > 310} == {}


def test_a_public_class_or_function_is_defined_in_one_module():
    homes = defaultdict(set)
    for path in (path for folder in ("playground", "ui", "pages") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(str(path.relative_to(ROOT)))
    repeated = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert repeated.keys() == {EVERY_COMMANDS, EVERY_PROCESSES}, repeated


def modules_with_examples() -> list[str]:
    """The modules whose docstrings show a call and what it gives."""
    paths = [path for folder in ("playground", "ui") for path in sorted((ROOT / folder).rglob("*.py"))]
    shown = [path.relative_to(ROOT).with_suffix("") for path in paths if ">>> " in path.read_text(encoding="utf-8")]
    return [".".join(path.parts).removesuffix(".__init__") for path in shown]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_in_docstrings_are_true(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted
    assert results.failed == 0


def test_importing_the_package_imports_nothing_heavy():
    code = "import playground, playground.models, sys; print({'torch', 'transformers', 'streamlit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
