"""The numbers, a stand-alone page and a snippet to take home. (PNG and SVG are made in the browser.)"""

from functools import partial

import streamlit as st

from playground.export_csv import Inputs, Picture, head_csv, head_npz, snippet
from playground.lens.inspect.attention_view import ViewOptions
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.components.attention_view import ViewState, encode_head, grid_payload
from ui.components.attention_view.standalone import standalone_html
from ui.sections.attention.heatmaps import grid_view, head_view
from ui.widgets.model import ModelChoice
from ui.widgets.text import Texts


def offer_exports(
    reading: Reading, options: ViewOptions, view: ViewState, *, choice: ModelChoice, texts: Texts
) -> None:
    """Buttons for CSV, NPZ and HTML, and the snippet."""
    selected = view.selected
    picture = Picture(options=options, layer=selected.layer, head=selected.head, combine=selected.combine)
    stem = f"{choice.name.replace('/', '-')}-{options.kind}-layer{selected.layer}-head{selected.head}"
    trace = reading.trace
    with st.container(horizontal=True):
        _button(_("CSV"), partial(head_csv, trace, picture), f"{stem}.csv", "text/csv")
        _button(_("NPZ"), partial(head_npz, trace, picture), f"{stem}.npz", "application/octet-stream")
        _button(_("Stand-alone page"), partial(_page, reading, options, view), f"{stem}.html", "text/html")
    st.caption(_("CSV: the map that is shown. NPZ: also the overview, all scores and, up to 50 MB, all maps."))
    st.caption(_("Python that makes the same picture:"))
    inputs = Inputs(
        name=choice.name,
        revision=choice.revision,
        device=choice.device,
        dtype=choice.dtype,
        text=texts.text,
        pair=texts.pair,
        target=texts.target,
        truncate=state.wants_cut(texts),
    )
    st.code(snippet(inputs, trace, picture), language="python", height=240)


def _button(label: str, make: partial[str] | partial[bytes], name: str, kind: str) -> None:
    st.download_button(
        label, make, file_name=name, mime=kind, icon=":material/download:", on_click="ignore", key=f"save_{name}"
    )


def _page(reading: Reading, options: ViewOptions, view: ViewState) -> str:
    """One HTML file with the grid and the exact map of the chosen head."""
    grid = grid_view(reading, options)
    head = head_view(reading, options, view.selected)
    payload = grid_payload(grid, view="page", state=view)
    return standalone_html(payload, encode_head(grid.trace, head, view="page"), grid.title, grid.provenance)
