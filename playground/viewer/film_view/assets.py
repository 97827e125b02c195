"""The style sheet and the bundled module of the film."""

from pathlib import Path

from playground.viewer.shared.bundle import joined_modules, joined_sheets

HERE = Path(__file__).parent
CSS = joined_sheets(HERE.parent / "attention_view", HERE)

SHARED = "decode matrix colour connection dom mount files tokens paint heatmap heatmap_layers legend"
OWN = "reel choice thumbs stage curves timeline player picture film"


def film_module() -> str:
    """The film as one ES module."""
    return joined_modules(HERE, OWN, shared=SHARED)
