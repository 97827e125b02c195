"""One head: its attention beside value-weighted attention, and query–key products by dimension."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from playground.charts.heatmap import heatmap_figure
from playground.lens.attribute.attribution import value_weighted_attention
from playground.lens.capture.activations import capture
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.head import AttentionRow
from playground.text import _
from ui.jobs import compute
from ui.sections.ablate.figure import numbered, show_figure, table_rows
from ui.sections.ablate.options import Subject, encode_again, kind_titles
from ui.state.attention import read_head, read_token
from ui.state.parameters import CIRCUIT_ORDER, KIND
from ui.widgets.choice import choose_option
from ui.widgets.download import encoding_line, offer_snippet, traced

NATURAL = "natural"


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedAttention:
    """A layer's attention weights and value-weighted attention, [head, query, key]."""

    weights: np.ndarray
    value_weighted: np.ndarray


def show_head(subject: Subject, default: tuple[int, int] | None) -> None:
    """Compare the attention of the bar's head, or of the default, with what it moves; see what makes its scores."""
    kind = _choose_kind(subject)
    layers = subject.clean.layers_of(kind)
    layer, head = read_head(default or (layers[-1], 0), layers, subject.clean.heads_of(kind))
    st.caption(_("Head {layer}.{head}; choose another one in the bar above.").format(layer=layer, head=head))

    def make() -> WeightedAttention:
        clean = capture(subject.model, encode_again(subject), patterns=True)
        weights = clean.patterns[kind, layer].float().cpu().numpy()
        return WeightedAttention(weights=weights, value_weighted=value_weighted_attention(clean, kind, layer))

    title = _("Weighting the values …")
    attention = compute(("looks", kind, layer), lambda _on_progress: make(), title=title, cache=subject.traced)
    if attention is None:
        return
    _draw_attention(subject, kind, layer, head, attention)
    _offer_attention(subject, kind, layer, head)
    st.subheader(_("Query–key products by dimension"), anchor=False)
    st.caption(_("q times k in each dimension; a row's sum is its score before the mask."))
    _show_products(subject, kind, layer, head)


def _draw_attention(subject: Subject, kind: SiteKind, layer: int, head: int, attention: WeightedAttention) -> None:
    """Both maps side by side."""
    clean = subject.clean
    queries = numbered(clean.tokens_of("encoder" if kind == "encoder" else "decoder"))
    keys = numbered(clean.tokens_of("encoder" if kind in ("encoder", "cross") else "decoder"))
    maps = (
        (_("attention weight α"), _("Attention weights α"), attention.weights[head], "looks"),
        (
            _("‖α·f(x)‖"),
            _("‖α·f(x)‖, norm-based attention (Kobayashi et al. 2020)"),
            attention.value_weighted[head],
            "matters",
        ),
    )
    for column, (meaning, title, values, name) in zip(st.columns(2), maps, strict=True):
        with column:
            st.caption(title)
            show_figure(
                subject,
                heatmap_figure(
                    values, rows=queries, columns=keys, y=_("query"), x=_("key"), meaning=meaning, signed=False
                ),
                table_rows("query", queries, keys, values),
                name=f"{name}-{kind}-{layer}-{head}",
                label=title,
                details={"attention": kind, "layer": layer, "head": head},
            )


def _offer_attention(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    lines = [encoding_line(subject.texts), "clean = capture(model, encoded, patterns=True)"]
    lines += [
        f"print(clean.patterns[{kind!r}, {layer}][{head}])",
        f"print(value_weighted_attention(clean, {kind!r}, {layer})[{head}])",
    ]
    imports = [
        "playground.lens.capture.activations import capture, encode_text",
        "playground.lens.attribute.attribution import value_weighted_attention",
    ]
    offer_snippet(subject.model, imports, lines)


def _choose_kind(subject: Subject) -> SiteKind:
    """Which attention; the address holds the kind as on the other pages."""
    kinds = subject.clean.kinds
    titles: dict[str, str] = {kind: kind_titles()[kind] for kind in kinds}
    if not kinds[1:]:
        return kinds[0]
    return cast(SiteKind, choose_option(KIND, _("Attention"), titles, key="ablate_kind", hidden=True))


def _show_products(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    """Choose a query; every key's products, whose sum is the score before the mask."""
    trace = subject.traced.trace
    query = read_token(len(trace.query_tokens(kind)))
    order = choose_option(CIRCUIT_ORDER, _("Dimensions"), {"largest": _("Largest first"), NATURAL: _("In order")})

    def make() -> AttentionRow:
        return trace.steps(layer, head, query, kind)

    key = ("steps", kind, layer, head, query)
    row = compute(key, lambda _on_progress: make(), title=_("Multiplying …"), cache=subject.traced)
    if row is None:
        return
    products = row.query * row.keys * row.scaling
    dimensions = np.arange(products.shape[1])
    if order != NATURAL:
        dimensions = np.argsort(-np.abs(products).sum(0), kind="stable")
    rows, columns = numbered(trace.key_tokens(kind)), [str(dimension) for dimension in dimensions]
    values = products[:, dimensions]
    show_figure(
        subject,
        heatmap_figure(
            values, rows=rows, columns=columns, y=_("key"), x=_("dimension"), meaning=_("scaled product of q and k")
        ),
        table_rows("key", rows, columns, values),
        name=f"products-{kind}-{layer}-{head}-{query}",
        label=_("Query–key products by dimension"),
        details={"attention": kind, "layer": layer, "head": head, "query": query},
    )
    line = f"steps = traced.steps({layer}, {head}, {query}, {kind!r})"
    product = "print(steps.query * steps.keys * steps.scaling)"
    offer_snippet(subject.model, [], [traced(subject.texts), line, product])
