"""Export of the attention view: CSV, NPZ, stand-alone HTML, Python. (PNG and SVG are made in the browser.)"""

from dataclasses import replace
from functools import partial

import streamlit as st

from playground.attention_export import SelectedMap, cells_at, head_csv, head_npz, snippet
from playground.lens.inspect.attention_view import ViewOptions
from playground.lens.inspect.chosen_tokens import ChosenTokens, Gather
from playground.lens.trace import Trace
from playground.text import _
from playground.viewer.attention_view.standalone import standalone_html
from ui.cache import TracedText
from ui.components.attention_view import ViewState, encode_head, encode_scores, grid_payload
from ui.sections.attention.heatmaps import grid_view, view_of_head
from ui.sections.attention.scores import scores_view
from ui.state.attention import wants_cut
from ui.state.link import link_lines
from ui.widgets.model import ModelChoice
from ui.widgets.text import Texts


def offer_exports(
    traced: TracedText, options: ViewOptions, view: ViewState, *, choice: ModelChoice, texts: Texts
) -> None:
    """Download buttons, and the snippet that reproduces the view."""
    selected = view.selected
    selected_map = shown_map(traced.trace, options, view)
    stem = f"{choice.name.replace('/', '-')}-{options.kind}-layer{selected.layer}-head{selected.head}"
    trace = traced.trace
    more = dict(line.split(": ", 1) for line in link_lines())
    with st.container(horizontal=True):
        _button(_("Download CSV"), partial(head_csv, trace, selected_map, more=more), f"{stem}.csv", "text/csv")
        npz = partial(head_npz, trace, selected_map, more=more)
        _button(_("Download NPZ"), npz, f"{stem}.npz", "application/octet-stream")
        _button(_("Download HTML"), partial(_page, traced, options, view, link_lines()), f"{stem}.html", "text/html")
    st.caption(_("CSV: the weights shown. NPZ: also the overview, all head scores and, up to 50 MB, all weights."))
    st.caption(_("HTML: a page that stands alone."))
    if selected_map.chosen is not None:
        st.caption(_("Both and the Python hold the chosen tokens' weights put together, too."))
    st.caption(_("Python that reproduces this view:"))
    python = snippet(
        trace,
        selected_map,
        text=texts.text,
        pair=texts.pair,
        target=texts.target,
        truncate=wants_cut(texts),
        revision=choice.revision,
    )
    st.code(python, language="python", height=240)


def shown_map(trace: Trace, options: ViewOptions, view: ViewState) -> SelectedMap:
    """The map on show, by words where these are chosen, with the tokens that are chosen in it."""
    selected, settings = view.selected, view.settings
    shown = SelectedMap(
        options=options,
        layer=selected.layer,
        head=selected.head,
        combine=selected.combine,
        by_word=settings.units == "words",
    )
    pin = settings.pin
    if pin is None or not pin.also:
        return shown
    cells = cells_at(trace, shown, pin.axis, (pin.index, *pin.also))
    gather: Gather = settings.gather if settings.gather != "auto" else "mean" if pin.axis == "query" else "sum"
    return replace(shown, chosen=ChosenTokens(axis=pin.axis, cells=cells, gather=gather)) if len(cells) > 1 else shown


def _button(label: str, make: partial[str] | partial[bytes], name: str, kind: str) -> None:
    st.download_button(
        label, make, file_name=name, mime=kind, icon=":material/download:", on_click="ignore", key=f"save_{name}"
    )


def _page(traced: TracedText, options: ViewOptions, view: ViewState, link: list[str]) -> str:
    """One HTML file with all heads and the exact weights of the selected one."""
    grid = grid_view(traced, options)
    head = view_of_head(traced, options, view.selected)
    payload = grid_payload(grid, view="page", state=view)
    scores = scores_view(traced, traced.trace.head_scores(options.kind), options.kind, view.selected)
    sent = encode_head(grid.trace, head, view="page"), encode_scores(grid.trace, scores, view="page")
    return standalone_html(payload, sent[0], grid.title, [*grid.provenance, *link], sent[1])
