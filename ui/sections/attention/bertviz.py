"""BertViz's own views of a reading, for those who know them."""

from collections.abc import Sequence
from functools import partial
from typing import get_args

import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.components.bertviz_views import document_of, neuron_supported, show_bertviz, source_of
from ui.components.bertviz_views.budget import View
from ui.components.bertviz_views.source import Source


def show_bertviz_views(reading: Reading, kind: SiteKind) -> None:
    """A choice of head, model and neuron view, and the view; a document once made is kept with the reading."""
    chosen = st.segmented_control(
        _("BertViz's view"),
        get_args(View),
        default="head",
        key=state.BERTVIZ_VIEW,
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    view: View = chosen or "head"
    support = neuron_supported(reading.trace, kind)
    if view == "neuron" and not support:
        st.info(support.reason, icon=":material/info:")
        return
    with st.spinner(_("Making BertViz's page …")):
        show_bertviz(
            view, [source_of(reading.trace, kind)], key=state.BERTVIZ_LAYER, document=partial(_kept_document, reading)
        )


def _kept_document(
    reading: Reading, view: View, sources: Sequence[Source], layers: Sequence[int], tokens: int, dark: bool
) -> str:
    """The document, from before where it was made before."""
    question = ("bertviz", view, tuple(source.kind for source in sources), tuple(layers), tokens, dark)
    return reading.remember(question, lambda: document_of(view, sources, layers, tokens, dark))
