"""Register a component from its folder: its ES modules joined into one, its style sheet, its reports."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

COMPONENTS = Path(__file__).resolve().parent.parent
ROOT = '<div class="root"></div>'

_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_MARGIN = re.compile(r"^[ \t]+|^[ \t]*//.*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)


def bundle(files: Iterable[Path]) -> str:
    """Concatenate modules in order, without imports, comment lines and indentation.

    Only `export default` survives. A module must not contain a string over several lines.

    Raises ValueError when two modules define the same top-level name, since they share one scope.
    """
    defined_in: dict[str, str] = {}
    parts = []
    for file in files:
        source = file.read_text(encoding="utf-8")
        for name in _NAME.findall(source):
            if name in defined_in:
                raise ValueError(f"{file.name} and {defined_in[name]} both define {name}.")
            defined_in[name] = file.name
        parts.append(_EXPORT.sub("", _IMPORT.sub("", _MARGIN.sub("", source))))
    return "\n".join(parts)


def module(component: str, own: str, shared: str = "") -> str:
    """Join modules of `shared/js` and of a component's own `js` into one; list each after the modules it imports."""
    files = [COMPONENTS / "shared" / "js" / f"{name}.js" for name in shared.split()]
    return bundle([*files, *(COMPONENTS / component / "js" / f"{name}.js" for name in own.split())])


def style(*sheets: str) -> str:
    """Join style sheets: `film_view` is film_view/film_view.css."""
    return "".join((COMPONENTS / sheet / f"{sheet}.css").read_text(encoding="utf-8") for sheet in sheets)


def register(name: str, js: str, *, html: str = ROOT, css: str | None = None, isolate_styles: bool = True) -> Any:
    """Register a component with Streamlit as `playground_<name>`."""
    return st.components.v2.component(
        f"playground_{name}", html=html or None, css=css, js=js, isolate_styles=isolate_styles
    )


def report_of(result: object, name: str) -> Any:
    """The browser's report under a name; None where there is none."""
    return result.get(name) if isinstance(result, Mapping) else None


def keep_report() -> None:
    """Do nothing; Streamlit keeps a component's state key only when a callback names it."""
