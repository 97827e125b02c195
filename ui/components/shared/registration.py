"""Register a component from its folder: its ES modules joined into one, its style sheet, its reports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from playground.viewer.shared.bundle import VIEWER, joined_modules, joined_sheets

COMPONENTS = Path(__file__).resolve().parent.parent
ROOT = '<div class="root"></div>'


def module(component: str, own: str, shared: str = "") -> str:
    """Join modules of the viewer's `shared/js` and of a component's own `js` into one."""
    return joined_modules(COMPONENTS / component, own, shared)


def style(*sheets: str) -> str:
    """Join style sheets of the viewer and of components: `film_view` is film_view/film_view.css."""
    folders = ((VIEWER if (VIEWER / sheet).is_dir() else COMPONENTS) / sheet for sheet in sheets)
    return joined_sheets(*folders)


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
