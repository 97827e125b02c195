"""The attention view of one trace, or of two side by side: options, verification, all heads, the selected map."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from playground.lens.capture import tokens as lens_tokens
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.attention_view import Axis, ViewOptions, axes, coded_maps, head_map
from playground.lens.inspect.head_scores import HeadScores
from playground.lens.trace import Check
from playground.provenance import provenance
from playground.text import N_, _
from ui.cache import TracedText
from ui.components.attention_view import (
    AxisToken,
    GridView,
    HeadView,
    Pin,
    Selected,
    Settings,
    ViewState,
    attention_head,
    attention_view,
    difference_view,
)
from ui.jobs import require
from ui.state.attention import read_view, write_view
from ui.state.parameters import EXCLUDE_FIRST, HIDE_SPECIAL, KIND, LINK_HEADS
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar, bar_head, bar_token

LEFT, RIGHT = "heads_left", "heads_right"
KIND_TITLES: dict[SiteKind, str] = {
    "encoder": N_("Encoder self-attention"),
    "decoder": N_("Decoder self-attention"),
    "cross": N_("Cross-attention"),
}


def choose_options(traced: TracedText) -> ViewOptions:
    """Which attention is shown, what is excluded from the view, and whether it is verified."""
    trace = traced.trace
    kind = trace.kinds[0]
    if len(trace.kinds) > 1:
        kind = choose_kind(trace.kinds)
    hide = False
    if any(token.special for token in (*trace.source, *trace.target)):
        hide = st.toggle(
            _("Hide special tokens"),
            key=HIDE_SPECIAL,
            bind="query-params",
            help=_("Hides the rows and columns of tokens such as [CLS]; the other weights are unchanged."),
        )
    exclude_first = st.toggle(
        _("Exclude first token (attention sink)"),
        key=EXCLUDE_FIRST,
        bind="query-params",
        help=_("Many heads put most weight on the first token. Without it each row is renormalised to sum to 1."),
    )
    _show_badge(require("check", lambda _on_progress: trace.check(), title=_("Comparing the heads …"), cache=traced))
    return ViewOptions(kind=kind, hide_special=hide, exclude_first=exclude_first)


def choose_kind(kinds: tuple[SiteKind, ...]) -> SiteKind:
    """Which attention: encoder, decoder or cross; the address holds the kind, whatever its title."""
    titles: dict[str, str] = {kind: _(KIND_TITLES[kind]) for kind in kinds}
    chosen = choose_option(KIND, _("Attention"), titles, hidden=True, default=kinds[-1])
    return next(kind for kind in kinds if kind == chosen)


def _short(value: float) -> str:
    """A small number with one digit: 1e-6.

    >>> _short(1.4e-6), _short(0.0)
    ('1e-6', '0')
    """
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"


def _show_badge(check: Check) -> None:
    """Largest difference between recomputed and actual head outputs."""
    if check.difference is None:
        st.badge(_("Not verified: reported by the model"), icon=":material/info:", color="gray")
        st.caption(_("This family exposes no queries and keys, so the weights cannot be recomputed."))
        return
    if math.isnan(check.difference):
        st.badge(_("The model's values are not finite"), icon=":material/error:", color="red")
        return
    help_text = _(
        "Weights times values, recomputed from the weights shown, against the model's own head outputs: maximum "
        "absolute error over all heads, {rows} of {queries} rows."
    ).format(rows=check.rows, queries=check.queries)
    if check.passed:
        label = _("Verified: max. error {error}").format(error=_short(check.difference))
        st.badge(label, icon=":material/verified:", color="green", help=help_text)
    else:
        label = _("Differs: max. error {error}").format(error=_short(check.difference))
        st.badge(label, icon=":material/warning:", color="orange", help=help_text)


def show_heads(
    traced: TracedText, options: ViewOptions, *, key: str, is_second: bool = False, follow: Selected | None = None
) -> ViewState:
    """All heads and the selected one; the selection is kept in the address."""
    scores = head_scores_of(traced, options.kind)
    grid = require(
        ("grid", options),
        lambda _on_progress: grid_view(traced, options),
        title=_("Comparing the heads …"),
        cache=traced,
    )
    start = read_view(ViewState(selected=striking_head(scores)), is_second=is_second)
    shown = axes(traced.trace, options)
    settings = _with_pin(start.settings, lambda side, position: _index(side.positions, position), *shown)
    view = attention_view(grid, selected=follow or start.selected, settings=settings, key=key)
    pinned = _with_pin(view.settings, lambda side, row: side.positions[row], *shown)
    write_view(ViewState(selected=view.selected, settings=pinned), is_second=is_second)
    attention_head(grid.trace, head_view(traced, options, view.selected), view=key)
    return view


def _with_pin(settings: Settings, convert: Callable[[Axis, int], int | None], queries: Axis, keys: Axis) -> Settings:
    """The settings with the pin converted from a position of the text to a shown row, or back; None is no pin."""
    pin = settings.pin
    if pin is None:
        return settings
    index = convert(queries if pin.axis == "query" else keys, pin.index)
    return replace(settings, pin=None if index is None else Pin(axis=pin.axis, index=index))


def _index(positions: tuple[int, ...], position: int) -> int | None:
    return positions.index(position) if position in positions else None


def show_bar(bar: ContextBar, traced: TracedText, options: ViewOptions) -> None:
    """The selected head and the pinned token in the bar; both move the view."""
    trace = traced.trace
    sites = trace.layers(options.kind)
    striking = striking_head(head_scores_of(traced, options.kind))
    bar_head(bar, (striking.layer, striking.head), layers=len(sites), heads=sites[0].n_heads)
    bar_token(bar, [token.text for token in trace.query_tokens(options.kind)])


def show_side_by_side(left: TracedText, right: TracedText, options: ViewOptions) -> None:
    """The difference of the selected heads, and both views below it."""
    link_help = _("Both sides show the same head.")
    linked = st.toggle(_("Link heads"), value=True, key=LINK_HEADS, bind="query-params", help=link_help)
    st.subheader(_("Left minus right"), anchor=False)
    difference_view(LEFT, RIGHT, key="difference")
    columns = st.columns(2, gap="large")
    with columns[0]:
        st.subheader(left.trace.model.name, anchor=False)
        view = show_heads(left, options, key=LEFT)
    with columns[1]:
        st.subheader(right.trace.model.name, anchor=False)
        other = _options_for(right, options)
        show_heads(right, other, key=RIGHT, is_second=True, follow=view.selected if linked else None)


def _options_for(traced: TracedText, options: ViewOptions) -> ViewOptions:
    """The same options, with a kind of attention that this model has."""
    kinds = traced.trace.kinds
    kind = options.kind if options.kind in kinds else kinds[0]
    return ViewOptions(kind=kind, hide_special=options.hide_special, exclude_first=options.exclude_first)


def grid_view(traced: TracedText, options: ViewOptions) -> GridView:
    """All heads at overview resolution, at most a megabyte."""
    trace = traced.trace
    queries, keys = axes(trace, options)
    coded = coded_maps(trace, options)
    sites = trace.layers(options.kind)
    return GridView(
        trace=f"{traced.name}.{options.kind}.{options.hide_special:d}{options.exclude_first:d}",
        title=trace.model.name,
        kind=options.kind,
        maps=coded.maps,
        rows=coded.rows,
        columns=coded.columns,
        packing=coded.packing,
        pooled=coded.pooled,
        query_tokens=_tokens(queries.tokens),
        key_tokens=_tokens(keys.tokens),
        causal=sites[0].is_causal,
        head_scores=traced.remember(("head scores", options.kind), lambda: trace.head_scores(options.kind)).scores,
        first_excluded=options.exclude_first,
        special_hidden=options.hide_special,
        provenance=[f"{name}: {value}" for name, value in provenance(trace.model).items()],
    )


def _tokens(tokens: tuple[lens_tokens.Token, ...]) -> list[AxisToken]:
    return [AxisToken(text=token.text, special=token.special, segment=token.segment) for token in tokens]


def head_view(traced: TracedText, options: ViewOptions, selected: Selected) -> HeadView:
    """Exact weights of the selected head, or of the selected mean or maximum."""
    weights = head_map(traced.trace, options, layer=selected.layer, head=selected.head, combine=selected.combine)
    lower = traced.trace.site(selected.layer, options.kind).is_causal
    packed = weights[np.tril_indices(weights.shape[0])] if lower else weights
    return HeadView(
        selected=selected,
        map=packed,
        rows=weights.shape[0],
        columns=weights.shape[1],
        packing="lower" if lower else "full",
        max_error=_max_error(traced, options, selected),
    )


def _max_error(traced: TracedText, options: ViewOptions, selected: Selected) -> float | None:
    """Maximum error of the selected head over all its rows; None for a mean or maximum."""
    if selected.combine != "head":
        return None
    site = traced.trace.site(selected.layer, options.kind)
    return site.recomputed_difference(slice(selected.head, selected.head + 1))


def head_scores_of(traced: TracedText, kind: SiteKind) -> HeadScores:
    """Scores of every head, cached with the trace."""
    return require(
        ("head scores", kind),
        lambda _on_progress: traced.trace.head_scores(kind),
        title=_("Comparing the heads …"),
        cache=traced,
    )


def striking_head(scores: HeadScores) -> Selected:
    """The head to show first: the strongest induction head, else previous-token head."""
    for name in ("induction", "previous", "entropy"):
        table = np.nan_to_num(scores[name], nan=-1.0)
        if table.max() > 0:
            layer, head = divmod(int(table.argmax()), table.shape[1])
            return Selected(layer=layer, head=head)
    return Selected()
