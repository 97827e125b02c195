"""The maps are true: a package's docstring names its modules, and every path that the docs name is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = sorted(path.parent for top in ("playground", "ui") for path in (ROOT / top).rglob("__init__.py"))
DOCS = [ROOT / "docs" / "where.md", ROOT / "docs" / "architecture.md"]
NAMED = re.compile(r"(?<![\w/.])(\w+)(\.py|/)(?![\w.])")
PATH = re.compile(r"`((?:playground|ui|pages|tests|assets|benchmarks|docs)/[\w./-]+)`")
PLACE_OF_A_NAME = re.compile(r"`((?:playground|ui|pages|tests)/[\w./-]+\.py)` \(`([\w.]+)`\)")


def modules_of(package: Path) -> set[str]:
    """What a package holds: its modules, and its folders that hold Python."""
    files = {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py"}
    return files | {f"{path.name}/" for path in package.iterdir() if path.is_dir() and any(path.rglob("*.py"))}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_packages_docstring_is_its_map(package):
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    named = [stem + ending for stem, ending in NAMED.findall(docstring)]
    assert sorted(named) == sorted(modules_of(package))


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.stem)
def test_a_document_names_only_what_is_there(document):
    text = document.read_text(encoding="utf-8")
    paths = PATH.findall(text)
    assert len(paths) >= 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.stem)
def test_a_name_is_defined_where_the_document_says(document):
    for path, name in PLACE_OF_A_NAME.findall(document.read_text(encoding="utf-8")):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        owner, _, method = name.partition(".")
        scope = [node for node in tree.body if getattr(node, "name", None) == owner]
        if method:
            scope = [child for node in scope for child in ast.walk(node) if getattr(child, "name", None) == method]
        assert scope, f"{path} defines no {name}"


def test_twenty_questions_are_answered():
    text = DOCS[0].read_text(encoding="utf-8")
    questions = [line for line in text.splitlines() if line.startswith("| ") and "?" in line]
    assert len(questions) >= 20


def test_no_journey_has_more_than_twenty_stations():
    journeys = DOCS[1].read_text(encoding="utf-8").split("\n## ")[1:]
    stations = [len(re.findall(r"^\d+\. ", journey, flags=re.MULTILINE)) for journey in journeys]
    assert len(stations) == 3
    assert all(8 <= count <= 20 for count in stations)
