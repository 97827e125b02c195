"""Many heads or one: a layer's heads beside the one big head of the same queries and keys."""

import numpy as np
import streamlit as st

from playground.charts.inside import bars_figure, map_figure
from playground.charts.palette import CROSS, DECODER, ENCODER
from playground.lens.inspect.head_comparison import model_heads
from playground.models import LoadedModel
from playground.text import _
from ui.cache import Reading
from ui.jobs import answer
from ui.sections.inside.selection import choose_place
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_facts, traced
from ui.widgets.text import Texts

MOST_TOKENS = 256
HEIGHT = 420
COLOURS = {"encoder": ENCODER, "decoder": DECODER, "cross": CROSS}


def show_many_heads(reading: Reading, texts: Texts) -> None:
    """The chosen head, the one big head, and how far a layer's heads are apart at each query."""
    place = choose_place(reading, with_query=False)
    site = reading.trace.site(place.layer, place.kind)
    if max(site.queries, site.keys) > MOST_TOKENS:
        st.info(_("Choose a text of at most {most} tokens to compare whole maps.").format(most=MOST_TOKENS))
        return
    found = answer(reading, ("one head", place.kind, place.layer), lambda: model_heads(site))
    queries = [token.text for token in reading.trace.query_tokens(place.kind)]
    keys = [token.text for token in reading.trace.key_tokens(place.kind)]
    st.caption(
        _(
            "Both use the same queries and keys, {heads} × {width} numbers for each token. Many heads give a token "
            "{heads} distributions over the text; one big head gives it one."
        ).format(heads=site.n_heads, width=site.call.query.shape[-1] if site.call else 0)
    )
    st.latex(
        r"\text{many: } a^{(h)} = \mathrm{softmax}\left(\tfrac{q_h \cdot k_h}{\sqrt{d}}\right) \\ "
        r"\text{one: } a = \mathrm{softmax}\left(\tfrac{\sum_h q_h \cdot k_h}{\sqrt{n d}}\right)"
    )
    maps = {
        _("Head {head}").format(head=place.head): found.many[place.head],
        _("One big head"): found.one,
    }
    revision, model = f"{reading.name}.{place}", reading.trace.model
    facts = {**text_facts(texts), "attention": place.kind, "layer": place.layer}
    for index, (column, (title, weights)) in enumerate(zip(st.columns(2), maps.items(), strict=True)):
        with column:
            st.caption(title)
            figure = map_figure(weights, queries, keys, COLOURS[place.kind])
            about = {**facts, "head": place.head} if index == 0 else facts
            draw(model, figure, key=f"many_map_{index}", height=HEIGHT, revision=revision, label=title, facts=about)
    _show_disagreement(model, found.disagreement, queries, revision, facts)
    site_line = f"found = model_heads(traced.site({place.layer}, {place.kind!r}))"
    imports = ["playground.lens.inspect.head_comparison import model_heads"]
    offer_snippet(model, imports, [traced(texts), site_line, "print(found.one, found.disagreement)"])


def _show_disagreement(
    model: LoadedModel, disagreement: np.ndarray, queries: list[str], revision: str, facts: dict[str, object]
) -> None:
    """How far the heads are apart; one head could only give 0."""
    st.caption(
        _(
            "How far the layer's heads are apart at each query: 0 where all look the same, 1 where no two look at a "
            "common token. The mean is {mean:.3f}; one head could only give 0."
        ).format(mean=float(disagreement.mean()))
    )
    figure = bars_figure(disagreement, queries, DECODER, x=_("query"), y=_("total variation distance"))
    label = _("How far the heads are apart")
    draw(model, figure, key="many_apart", height=260, revision=revision, label=label, facts=facts)
