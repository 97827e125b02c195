"""The attention view of one trace: options, verification, all heads, the selected map."""

import math

import numpy as np
import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.lens.inspect.attention_view import Axis, ViewOptions, axes, coded_maps, head_map
from playground.lens.inspect.head_kind import TextShape, count_repeats, describe_head
from playground.lens.inspect.head_scores import HeadScores
from playground.lens.trace import Check
from playground.provenance import provenance
from playground.text import N_, _
from ui.cache import TracedText
from ui.components.attention_view import (
    AxisToken,
    GridView,
    HeadView,
    Selected,
    ViewState,
    attention_head,
    attention_view,
)
from ui.jobs import require
from ui.state.attention import read_view, write_view
from ui.state.parameters import EXCLUDE_FIRST, HIDE_SPECIAL, KIND
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar, bar_head, bar_token

KIND_TITLES: dict[SiteKind, str] = {
    "encoder": N_("Encoder"),
    "decoder": N_("Decoder"),
    "cross": N_("Cross-attention"),
}


def choose_options(traced: TracedText) -> ViewOptions:
    """Which attention is shown, and what is excluded from the view."""
    trace = traced.trace
    kind = trace.kinds[0]
    if len(trace.kinds) > 1:
        kind = choose_kind(trace.kinds)
        # Beside the choice of attention there is no room for the switches.
        with st.popover(_("Tokens"), icon=":material/tune:"):
            return _choose_tokens(traced, kind)
    return _choose_tokens(traced, kind)


def _choose_tokens(traced: TracedText, kind: SiteKind) -> ViewOptions:
    trace, hide = traced.trace, False
    if any(token.special for token in (*trace.source, *trace.target)):
        hide = st.toggle(
            _("Hide special tokens"),
            key=HIDE_SPECIAL,
            bind="query-params",
            help=_("Hides the rows and columns of tokens such as [CLS]; the other weights are unchanged."),
        )
    exclude_first = st.toggle(
        _("Exclude first token"),
        key=EXCLUDE_FIRST,
        bind="query-params",
        help=_(
            "The attention sink: many heads put most weight on the first token. "
            "Without it each row is renormalised to sum to 1."
        ),
    )
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


def has_text(traced: TracedText) -> bool:
    """Whether there is anything to see: a token that is not a special one."""
    return bool(traced.trace.sites) and any(not token.special for token in traced.trace.source)


def show_badge(traced: TracedText) -> None:
    """Whether the heads' outputs, recomputed from the weights shown, are the model's own."""
    check = require("check", lambda _on_progress: traced.trace.check(), title=_("Comparing the heads …"), cache=traced)
    _show_check(check)


def _show_check(check: Check) -> None:
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
    traced: TracedText,
    options: ViewOptions,
    *,
    key: str,
    is_second: bool = False,
    follow: Selected | None = None,
    with_marks: bool = False,
) -> ViewState:
    """All heads and the selected one; the selection is kept in the address. with_marks: explain the picture once."""
    scores = head_scores_of(traced, options.kind)
    grid = require(
        ("grid", options),
        lambda _on_progress: grid_view(traced, options),
        title=_("Comparing the heads …"),
        cache=traced,
    )
    start = read_view(ViewState(selected=striking_head(scores)), is_second=is_second)
    selected = follow or start.selected
    view = attention_view(grid, selected=selected, settings=start.settings, key=key, with_marks=with_marks)
    write_view(view, is_second=is_second)
    attention_head(grid.trace, head_view(traced, options, view.selected), view=key)
    return view


def show_attention_bar(bar: ContextBar, traced: TracedText, options: ViewOptions) -> None:
    """The selected head and the pinned token in the bar; both move the view."""
    trace = traced.trace
    sites = trace.layers(options.kind)
    striking = striking_head(head_scores_of(traced, options.kind))
    bar_head(bar, (striking.layer, striking.head), layers=len(sites), heads=sites[0].n_heads)
    bar_token(bar, [token.text for token in trace.query_tokens(options.kind)])


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
        query_tokens=_tokens(queries),
        key_tokens=_tokens(keys),
        query_count=len(trace.query_tokens(options.kind)),
        key_count=len(trace.key_tokens(options.kind)),
        causal=all(site.is_causal for site in sites),
        head_scores=_scores(traced, options.kind),
        first_excluded=options.exclude_first,
        special_hidden=options.hide_special,
        provenance=[f"{name}: {value}" for name, value in provenance(trace.model).items()],
    )


def _tokens(axis: Axis) -> list[AxisToken]:
    return [
        AxisToken(text=token.text, special=token.special, segment=token.segment, position=position)
        for token, position in zip(axis.tokens, axis.positions, strict=True)
    ]


def head_view(traced: TracedText, options: ViewOptions, selected: Selected) -> HeadView:
    """Exact weights of the selected head, or of the selected mean or maximum."""
    weights = head_map(traced.trace, options, layer=selected.layer, head=selected.head, combine=selected.combine)
    lower = all(site.is_causal for site in traced.trace.layers(options.kind))
    packed = weights[np.tril_indices(weights.shape[0])] if lower else weights
    return HeadView(
        selected=selected,
        map=packed,
        rows=weights.shape[0],
        columns=weights.shape[1],
        packing="lower" if lower else "full",
        max_error=_max_error(traced, options, selected),
        finding=_finding(traced, options.kind, selected),
    )


def _finding(traced: TracedText, kind: SiteKind, selected: Selected) -> str:
    """What kind of head it is, in a sentence; empty where nothing fits, or for a mean or maximum."""
    if selected.combine != "head":
        return ""
    trace = traced.trace
    queries, keys = trace.query_tokens(kind), trace.key_tokens(kind)
    shape = TextShape(
        queries=len(queries),
        keys=len(keys),
        is_causal=trace.site(selected.layer, kind).is_causal,
        repeats=count_repeats([token.id for token in queries]),
    )
    tables = _scores(traced, kind)
    scores = {name: float(table[selected.layer, selected.head]) for name, table in tables.items()}
    finding = describe_head(scores, shape)
    return "" if finding is None else str(finding)


def _scores(traced: TracedText, kind: SiteKind) -> dict[str, np.ndarray]:
    """Scores of every head [layer, head] by name, cached with the trace."""
    return traced.remember(("head scores", kind), lambda: traced.trace.head_scores(kind)).scores


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
