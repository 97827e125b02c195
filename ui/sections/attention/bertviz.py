"""BertViz's head, model and neuron views of a trace."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.text import N_, _
from playground.viewer.bertviz_views.budget import View
from playground.viewer.bertviz_views.source import Source
from ui.cache import TracedText
from ui.components.bertviz_views import document_of, neuron_supported, show_bertviz, source_of
from ui.state.parameters import BERTVIZ_VIEW
from ui.state.session import BERTVIZ_LAYER
from ui.widgets.choice import choose_option

VIEW_TITLES: dict[View, str] = {
    "head": N_("Head view"),
    "model": N_("Model view"),
    "neuron": N_("Neuron view"),
}


def show_bertviz_views(traced: TracedText, kind: SiteKind) -> None:
    """The selected BertViz view; its document is cached with the trace."""
    titles: dict[str, str] = {view: _(title) for view, title in VIEW_TITLES.items()}
    chosen = choose_option(BERTVIZ_VIEW, _("BertViz view"), titles, hidden=True)
    view = next(view for view in VIEW_TITLES if view == chosen)
    support = neuron_supported(traced.trace, kind)
    if view == "neuron" and not support:
        st.info(support.reason, icon=":material/info:")
        return
    with st.spinner(_("Building the BertViz view …")):
        show_bertviz(
            view, [source_of(traced.trace, kind)], key=BERTVIZ_LAYER, document=partial(_cached_document, traced)
        )


def _cached_document(
    traced: TracedText, view: View, sources: Sequence[Source], layers: Sequence[int], tokens: int, dark: bool
) -> str:
    """The HTML document, from the cache where it is known."""
    key = ("bertviz", view, tuple(source.kind for source in sources), tuple(layers), tokens, dark)
    return traced.remember(key, lambda: document_of(view, sources, layers, tokens, dark))
