"""The attention view of a reading: its options, its badge, and the exact map of the chosen head."""

import math

import numpy as np
import streamlit as st

from playground.lens.capture import tokens as lens_tokens
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.attention_view import ViewOptions, axes, coded_maps, head_map
from playground.lens.inspect.head_scores import HeadFacts
from playground.lens.trace import Check
from playground.provenance import provenance
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.components.attention_view import (
    GridView,
    HeadView,
    Selected,
    Token,
    ViewState,
    attention_head,
    attention_view,
)
from ui.jobs import answer


def choose_options(reading: Reading) -> ViewOptions:
    """Which attention, and what is left out of the picture."""
    trace = reading.trace
    kind = trace.kinds[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if len(trace.kinds) > 1:
            kind = _choose_kind(trace.kinds)
        hide = False
        if any(token.special for token in (*trace.source, *trace.target)):
            hide = st.toggle(
                _("Hide special tokens"),
                key=state.HIDE_SPECIAL,
                bind="query-params",
                help=_("Leaves out the rows and columns of tokens such as [CLS]. No number changes."),
            )
        aside = st.toggle(
            _("Set the first token aside"),
            key=state.SET_ASIDE,
            bind="query-params",
            help=_("Many heads rest on the first token. Without it each row is rescaled to sum to 1."),
        )
        _show_badge(answer(reading, "check", trace.check))
    return ViewOptions(kind=kind, hide_special=hide, set_aside_first=aside)


def _choose_kind(kinds: tuple[SiteKind, ...]) -> SiteKind:
    chosen = st.segmented_control(
        _("Attention"),
        kinds,
        default=kinds[-1],
        key=state.KIND,
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen if chosen in kinds else kinds[-1]


def _show_badge(check: Check) -> None:
    """How far the maps are from what the model did, with the number."""
    if check.difference is None:
        st.badge(_("As the model reports it"), icon=":material/info:", color="gray")
        st.caption(_("This family gives no queries and keys, so nothing could be recomputed."))
        return
    if math.isnan(check.difference):
        st.badge(_("The model's numbers are not finite"), icon=":material/error:", color="red")
        return
    rows = _("all rows") if check.rows == check.queries else f"{check.rows} / {check.queries} " + _("rows")
    meaning = _(
        "Pattern times values, recomputed from what is shown, against the model's own output: "
        "the largest difference over all heads, {rows}."
    ).format(rows=rows)
    if check.passed:
        label = _("Exact to {difference:.0e}").format(difference=check.difference)
        st.badge(label, icon=":material/verified:", color="green", help=meaning)
    else:
        label = _("Differs by {difference:.0e}").format(difference=check.difference)
        st.badge(label, icon=":material/warning:", color="orange", help=meaning)


def show_heads(
    reading: Reading, options: ViewOptions, *, key: str, prefix: str = "", follow: Selected | None = None
) -> ViewState:
    """Draw all heads and the chosen one; what is chosen goes into the address and comes back."""
    facts = head_facts(reading, options.kind)
    grid = answer(reading, ("grid", options), lambda: grid_view(reading, options))
    start = state.read_view(prefix, ViewState(selected=striking_head(facts)))
    view = attention_view(grid, selected=follow or start.selected, settings=start.settings, key=key)
    state.write_view(prefix, view)
    attention_head(grid.trace, head_view(reading, options, view.selected), view=key)
    return view


def grid_view(reading: Reading, options: ViewOptions) -> GridView:
    """All heads at overview resolution, in at most a megabyte."""
    trace = reading.trace
    queries, keys = axes(trace, options)
    coded = coded_maps(trace, options)
    sites = trace.layers(options.kind)
    return GridView(
        trace=f"{reading.name}.{options.kind}.{options.hide_special:d}{options.set_aside_first:d}",
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
        facts=reading.remember(("facts", options.kind), lambda: trace.head_scores(options.kind)).scores,
        sink_set_aside=options.set_aside_first,
        special_hidden=options.hide_special,
        provenance=[f"{name}: {value}" for name, value in provenance(trace.model).items()],
    )


def _tokens(tokens: tuple[lens_tokens.Token, ...]) -> list[Token]:
    return [Token(text=token.text, special=token.special, segment=token.segment) for token in tokens]


def head_view(reading: Reading, options: ViewOptions, selected: Selected) -> HeadView:
    """The exact map of the chosen head, or of the chosen average."""
    weights = head_map(reading.trace, options, layer=selected.layer, head=selected.head, combine=selected.combine)
    lower = reading.trace.site(selected.layer, options.kind).is_causal
    packed = weights[np.tril_indices(weights.shape[0])] if lower else weights
    return HeadView(
        selected=selected,
        map=packed,
        rows=weights.shape[0],
        columns=weights.shape[1],
        packing="lower" if lower else "full",
        facts={"exactness": _exactness(reading, options, selected)},
    )


def _exactness(reading: Reading, options: ViewOptions, selected: Selected) -> float | None:
    """The one head's own check over all its rows."""
    if selected.combine != "head":
        return None
    site = reading.trace.site(selected.layer, options.kind)
    return site.recomputed_difference(slice(selected.head, selected.head + 1))


def head_facts(reading: Reading, kind: SiteKind) -> HeadFacts:
    """Every head's scores, computed once per reading."""
    return answer(reading, ("facts", kind), lambda: reading.trace.head_scores(kind))


def striking_head(facts: HeadFacts) -> Selected:
    """Where a picture starts that nobody has chosen a head for: the strongest induction or previous-token head."""
    for name in ("induction", "previous", "entropy"):
        table = np.nan_to_num(facts[name], nan=-1.0)
        if table.max() > 0:
            layer, head = divmod(int(table.argmax()), table.shape[1])
            return Selected(layer=layer, head=head)
    return Selected()
