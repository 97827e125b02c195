"""The style sheet and the bundled modules, shared by the components and the stand-alone page."""

from pathlib import Path

from ui.components.shared.bundle import bundle

HERE = Path(__file__).parent
CSS = (HERE / "attention_view.css").read_text(encoding="utf-8")

_BASE = "store decode matrix colour dom files tokens paint heatmap heatmap_layers"
_VIEW = "filter state grid heatmap_input arcs arcs_input legend facts links heads_table toolbar vector export view main"


def view_module() -> str:
    """Return the attention view as one ES module."""
    return _module(f"{_BASE} {_VIEW}")


def head_module() -> str:
    """Return the carrier of exact maps as one ES module."""
    return _module("store decode head")


def difference_module() -> str:
    """Return the difference view as one ES module."""
    return _module(f"{_BASE} difference_paint difference")


def _module(names: str) -> str:
    return bundle(HERE / "js" / f"{name}.js" for name in names.split())
