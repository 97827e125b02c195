"""The style sheet and the bundled modules, shared by the components and the pages without a server."""

from pathlib import Path

from playground.viewer.shared.bundle import joined_modules, joined_sheets

HERE = Path(__file__).parent
CSS = joined_sheets(HERE)

_DRAWING = "decode matrix colour connection dom mount files tokens paint heatmap heatmap_layers"
_VIEW = (
    "filter state words chosen grid heatmap_input arcs arcs_input head_scores links heads_table chosen_line toolbar "
    "marks vector export view"
)


def view_module() -> str:
    """The attention view as one ES module."""
    return joined_modules(HERE, f"store {_VIEW}", shared=f"{_DRAWING} legend")


def placed_view_module() -> str:
    """The attention view for a page without a server."""
    return joined_modules(HERE, f"store {_VIEW}", shared=f"{_DRAWING} legend placed")


def head_module() -> str:
    """The carrier of exact maps as one ES module."""
    return joined_modules(HERE, "store carry head", shared="decode")


def scores_module() -> str:
    """The carrier of all heads' scores as one ES module."""
    return joined_modules(HERE, "store carry scores", shared="decode")


def tables_module() -> str:
    """The place for a view's tables as one ES module."""
    return joined_modules(HERE, "store below", shared="connection dom mount")


def difference_module() -> str:
    """The difference view as one ES module."""
    return joined_modules(HERE, "store words difference_map difference_view", shared=_DRAWING)


def placed_difference_module() -> str:
    """The difference view for a page without a server."""
    return joined_modules(HERE, "store words difference_map difference_view", shared=f"{_DRAWING} placed")
