"""Multi-head vs. single-head: a layer's heads beside a single head of equal width with the same queries and keys."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.bars import token_bars_figure
from playground.charts.heatmap import tinted_map_figure
from playground.charts.layout import mark_spaces
from playground.charts.palette import DECODER
from playground.lens.capture.tokens import Token
from playground.lens.inspect.head_comparison import furthest_query, model_heads
from playground.models import LoadedModel
from playground.text import _
from ui.cache import TracedText
from ui.jobs import require
from ui.sections.inside.selection import select_head
from ui.sections.inside.steps import HEAD_COLOURS
from ui.widgets.chart import draw
from ui.widgets.context_bar import ContextBar
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

MOST_TOKENS = 256
HEIGHT = 420
FORMULA = (
    r"\text{multi-head: } a^{(h)} = \mathrm{softmax}\left(\tfrac{q_h \cdot k_h}{\sqrt{d}}\right) \qquad "
    r"\text{single-head: } a = \mathrm{softmax}\left(\tfrac{\sum_h q_h \cdot k_h}{\sqrt{n d}}\right)"
)


def show_head_comparison(traced_text: TracedText, texts: Texts, bar: ContextBar) -> None:
    """The chosen head, the single head of equal width, and how far a layer's heads are apart at each query."""
    selected = select_head(traced_text, bar)
    site = traced_text.trace.site(selected.layer, selected.kind)
    if max(site.queries, site.keys) > MOST_TOKENS:
        st.info(_("Choose a text of at most {most} tokens to compare whole maps.").format(most=MOST_TOKENS))
        return
    comparison = require(
        ("one head", selected.kind, selected.layer),
        lambda _on_progress: model_heads(site),
        title=_("Comparing the heads …"),
        cache=traced_text,
    )
    queries = _numbered(traced_text.trace.query_tokens(selected.kind))
    keys = _numbered(traced_text.trace.key_tokens(selected.kind))
    show_findings(furthest_query(comparison.disagreement, queries))
    st.caption(
        _(
            "Both use the same queries and keys, {heads} × {width} numbers for each token. Multi-head attention gives "
            "a token {heads} distributions over the text, a single head of equal width gives it one."
        ).format(heads=site.n_heads, width=site.call.query.shape[-1] if site.call else 0)
    )
    maps = {
        _("Head {head}").format(head=selected.head): comparison.many[selected.head],
        _("Single head of equal width"): comparison.one,
    }
    revision, model = f"{traced_text.name}.{selected}", traced_text.trace.model
    details = {**text_details(texts), "attention": selected.kind, "layer": selected.layer}
    for index, (column, (title, weights)) in enumerate(zip(st.columns(2), maps.items(), strict=True)):
        with column:
            st.caption(title)
            figure = tinted_map_figure(
                weights, HEAD_COLOURS[selected.kind], x=_("key"), y=_("query"), rows=queries, columns=keys
            )
            about = {**details, "head": selected.head} if index == 0 else details
            draw(model, figure, key=f"many_map_{index}", height=HEIGHT, revision=revision, label=title, details=about)
    st.latex(FORMULA)
    _show_disagreement(model, comparison.disagreement, queries, revision, details)
    site_line = f"comparison = model_heads(traced.site({selected.layer}, {selected.kind!r}))"
    imports = ["playground.lens.inspect.head_comparison import model_heads"]
    offer_snippet(model, imports, [traced(texts), site_line, "print(comparison.one, comparison.disagreement)"])


def _numbered(tokens: Sequence[Token]) -> list[str]:
    return [f"{position} {mark_spaces(token.text)}" for position, token in enumerate(tokens)]


def _show_disagreement(
    model: LoadedModel, disagreement: np.ndarray, queries: list[str], revision: str, details: dict[str, object]
) -> None:
    """How far the heads are apart; a single head could only give 0."""
    st.caption(
        _(
            "Distance between the layer's heads at each query, averaged over pairs: 0 where all attend alike, 1 where "
            "no two attend to a common token."
        )
    )
    figure = token_bars_figure(disagreement, queries, DECODER, x=_("query"), y=_("total variation distance"))
    label = _("Distance between heads")
    draw(model, figure, key="many_apart", height=260, revision=revision, label=label, details=details)
