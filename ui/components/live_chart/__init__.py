"""A plotly chart that takes new data in place: without flicker, with zoom and legend kept.

figure.py   a figure as compact JSON
js          the browser's side
labels.py   labels, translated
"""

from collections.abc import Callable, Hashable, Mapping, Sequence

import plotly.graph_objects as go

from playground.charts.palette import for_dark
from playground.text import language
from playground.viewer.shared.payload import encode_payload
from ui.cache import chart_payloads
from ui.components.live_chart.figure import compact_figure
from ui.components.live_chart.labels import live_chart_labels
from ui.components.shared.registration import keep_report, module, register, report_of, style
from ui.static_files import plotly_name, publish_plotly

__all__ = [
    "Cell",
    "chart_payload",
    "compact_figure",
    "followed_chart",
    "live_chart",
    "live_chart_labels",
    "load_chart_library",
    "read_cell",
]

Cell = tuple[int, int, int]
"""The index of a trace with cells, and in it a row and a column."""


def chart_module() -> str:
    """The live chart as one ES module."""
    return module(
        "live_chart", "library theme table numbers pick save chart", shared="decode colour connection dom mount files"
    )


# plotly writes its style rules into the document's head, which does not reach into a shadow root.
_component = register(
    "live_chart",
    chart_module(),
    html='<div class="live-chart"></div>',
    css=style("live_chart"),
    isolate_styles=False,
)
_ahead = register(
    "live_chart_ahead", module("live_chart", "library ahead", shared="decode"), html="<span hidden></span>"
)


def load_chart_library() -> None:
    """Let the browser fetch plotly before there is a chart; draws nothing."""
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
    picks: bool = False,
    picked: Cell | None = None,
) -> Cell | None:
    """Draw the figure, or update the chart that is already on the page; return the cell picked just now.

    A click on a point whose last customdata is `train?run=…` opens that run; `say:` and a sentence shows the sentence.

    Args:
        figure: in light colours; the browser adapts it to the page's theme.
        key: of the component.
        height: in CSS pixels.
        revision: zoom, pan and hidden curves stay until it changes (another run, other axes).
        label: what the chart shows, for screen readers, and the stem of file names.
        labels: replacements for some of `live_chart_labels`.
        provenance: lines in every saved file.
        picks: cells of the figure's maps, and its bars, can be picked by a click, or by arrow keys and Enter.
        picked: the cell with a frame.
    """
    publish_plotly()
    data = chart_payload(
        figure,
        height=height,
        revision=revision,
        label=label,
        labels=labels,
        provenance=provenance,
        picks=picks,
        picked=picked,
    )
    if not picks:
        _component(key=key, data=data)
        return None
    return read_cell(_component(key=key, data=data, on_picked_change=keep_report))


def followed_chart(
    draw: Callable[[], go.Figure], *, state: Hashable, key: str, height: int, revision: str, label: str
) -> None:
    """A live chart that many sessions look at again and again: drawn once for each state of what it shows.

    state: all that the figure depends on but the language. The other arguments are those of `live_chart`.
    """
    publish_plotly()

    def make() -> bytes:
        return chart_payload(draw(), height=height, revision=revision, label=label)

    known = (key, state, height, revision, label, language())
    _component(key=key, data=chart_payloads().remember(known, make))


def read_cell(result: object) -> Cell | None:
    """Validate the cell that the browser reported; None for anything else."""
    cell = report_of(result, "picked")
    if not isinstance(cell, list | tuple) or len(cell) != 3:
        return None
    if not all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 1_000_000 for part in cell):
        return None
    return (cell[0], cell[1], cell[2])


def chart_payload(
    figure: go.Figure,
    *,
    height: int,
    revision: str,
    label: str,
    labels: Mapping[str, str] | None = None,
    provenance: Sequence[str] = (),
    picks: bool = False,
    picked: Cell | None = None,
) -> bytes:
    """Encode a figure, with everything else that the browser needs to draw it."""
    header = {
        "figure": compact_figure(figure),
        "height": height,
        "revision": revision,
        "label": label,
        "labels": {**live_chart_labels(), **(labels or {})},
        "provenance": list(provenance),
        "script": plotly_name(),
        "dark": for_dark(),
        **({"picks": True, "picked": picked} if picks else {}),
    }
    return encode_payload(header)
