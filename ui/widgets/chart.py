"""A chart of a model's numbers, whose files say where they come from."""

from collections.abc import Mapping

import plotly.graph_objects as go

from playground.models import LoadedModel
from playground.snippets import origin
from ui.components.live_chart import Cell, live_chart


def draw(
    model: LoadedModel | None,
    figure: go.Figure,
    *,
    key: str,
    label: str,
    details: Mapping[str, object],
    height: int = 320,
    revision: str = "",
    seed: int | None = None,
    picks: bool = False,
    picked: Cell | None = None,
) -> Cell | None:
    """Draw the figure; PNG, SVG and CSV name model, revision, dtype, seed, versions, and the details.

    model: None where no model made it. details: what was read and how it was set, by name. picks, picked, and the
    cell that is returned: see live_chart.
    """
    return live_chart(
        figure,
        key=key,
        height=height,
        revision=revision,
        label=label,
        provenance=origin(model, seed, details),
        picks=picks,
        picked=picked,
    )
