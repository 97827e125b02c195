"""A plotly chart that takes new data without being built again: no flicker, and zoom and legend stay as set."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from playground.charts.colours import for_dark
from ui.components.bundle import bundle
from ui.components.payload import encode_payload
from ui.static_files import plotly_name, publish_plotly

from .figure import compact_figure
from .labels import default_labels

__all__ = ["chart_payload", "compact_figure", "default_labels", "live_chart", "load_chart_library"]

HERE = Path(__file__).parent
_SHARED = HERE.parent / "attention_view" / "js"
_MODULES = [
    *(_SHARED / f"{name}.js" for name in ("decode", "colour", "dom")),
    *(HERE / "js" / f"{name}.js" for name in ("library", "theme", "table", "save", "chart")),
]


def chart_module() -> str:
    """Return the live chart as one ES module."""
    return bundle(_MODULES)


# plotly writes its style rules into the document's head, where a shadow root would not see them.
_component = st.components.v2.component(
    "playground_live_chart",
    html='<div class="live-chart"></div>',
    css=(HERE / "live_chart.css").read_text(encoding="utf-8"),
    js=chart_module(),
    isolate_styles=False,
)


_AHEAD = [_SHARED / "decode.js", HERE / "js" / "library.js", HERE / "js" / "ahead.js"]
_ahead = st.components.v2.component("playground_live_chart_ahead", html="<span hidden></span>", js=bundle(_AHEAD))


def load_chart_library() -> None:
    """Let the browser fetch plotly while a person still reads: nothing is drawn."""
    publish_plotly()
    _ahead(key="chart_library", data=encode_payload({"script": plotly_name()}), height=1)


def live_chart(
    figure: go.Figure,
    *,
    key: str,
    height: int = 320,
    revision: str = "",
    label: str,
    labels: Mapping[str, str] | None = None,
    provenance: Sequence[str] = (),
) -> None:
    """Draw the figure, or give the chart that is already there its data.

    Zoom, pan and hidden curves stay as a person has set them until `revision` changes (another run, other
    axes). `label` says to those who cannot see it what the chart shows. `height` is in CSS pixels.
    `provenance` stands in every file that is saved, a line each.
    """
    publish_plotly()
    data = chart_payload(figure, height=height, revision=revision, label=label, labels=labels, provenance=provenance)
    _component(key=key, data=data)


def chart_payload(
    figure: go.Figure,
    *,
    height: int,
    revision: str,
    label: str,
    labels: Mapping[str, str] | None = None,
    provenance: Sequence[str] = (),
) -> bytes:
    """Return what the browser needs to draw the figure."""
    header = {
        "figure": compact_figure(figure),
        "height": height,
        "revision": revision,
        "label": label,
        "labels": {**default_labels(), **(labels or {})},
        "provenance": list(provenance),
        "script": plotly_name(),
        "dark": for_dark(),
    }
    return encode_payload(header)
