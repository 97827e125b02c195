"""A plotly chart that takes new data without being built again: no flicker, and zoom and legend stay as set.

figure.py   a figure's JSON with its arrays as bytes
js          the browser's side
labels.py   labels, translated
"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from playground.charts.palette import for_dark
from ui.components.live_chart.figure import compact_figure
from ui.components.live_chart.labels import default_labels
from ui.components.shared.payload import encode_payload
from ui.components.shared.registration import keep_report, module, register, report_of, style
from ui.static_files import plotly_name, publish_plotly

__all__ = ["Cell", "chart_payload", "compact_figure", "default_labels", "live_chart", "load_chart_library", "read_cell"]

Cell = tuple[int, int, int]
"""A curve of cells, and in it a row and a column."""


def chart_module() -> str:
    """Return the live chart as one ES module."""
    return module("live_chart", "library theme table pick save chart", shared="decode colour dom files")


# plotly writes its style rules into the document's head, where a shadow root would not see them.
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
    picks: bool = False,
    picked: Cell | None = None,
) -> Cell | None:
    """Draw the figure, or give the chart that is already there its data.

    Zoom, pan and hidden curves stay as a person has set them until `revision` changes (another run, other
    axes). A click on a point whose last customdata is `train?run=…` opens that run, one that is `say:` and a sentence
    shows the sentence. `label` says to those who cannot see it what the chart shows. `height` is in CSS pixels.
    `provenance` stands in every file that is saved, a line each. `picks`: the cells of its maps can be clicked, or
    reached by arrow keys and Enter; the one that was picked just now is returned. `picked` has a frame.
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


def read_cell(result: object) -> Cell | None:
    """The curve, row and column that the browser sent; None for anything else."""
    sent = report_of(result, "picked")
    if not isinstance(sent, list | tuple) or len(sent) != 3:
        return None
    if not all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 1_000_000 for part in sent):
        return None
    return (sent[0], sent[1], sent[2])


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
        **({"picks": True, "picked": picked} if picks else {}),
    }
    return encode_payload(header)
