"""The attention view of one trace: options, all heads, the selected map."""

from dataclasses import replace

import streamlit as st

from playground.attention_export import trace_origin
from playground.lens.capture.site import SiteKind
from playground.lens.capture.visibility import visibilities
from playground.lens.inspect.attention_view import ViewOptions
from playground.text import N_, _
from playground.viewer.attention_view.picture import head_shown_first, picture_grid, picture_head
from ui.cache import TracedText, head_views
from ui.components.attention_view import (
    GridView,
    HeadView,
    Selected,
    ViewState,
    attention_head,
    attention_view,
)
from ui.jobs import require
from ui.state.attention import read_view, view_revision, write_view
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


def has_text(traced: TracedText) -> bool:
    """Whether there is anything to see: a token that is not a special one."""
    return bool(traced.trace.sites) and any(not token.special for token in traced.trace.source)


def show_heads(
    traced: TracedText,
    options: ViewOptions,
    *,
    key: str,
    is_second: bool = False,
    follow: ViewState | None = None,
    with_marks: bool = False,
) -> ViewState:
    """All heads and the selected one; the selection is kept in the address. with_marks: explain the picture once.

    follow: the view whose head and toolbar this one shares; its tokens and its filter are its own.
    The scores of the heads follow: `show_scores`.
    """
    grid, striking = require(
        ("picture", options),
        lambda _on_progress: (grid_view(traced, options), head_to_show(traced, options.kind)),
        title=_("Comparing the heads …"),
        cache=traced,
    )
    say_other_blocks(traced)
    _say_visibility(traced, options.kind)
    start = read_view(ViewState(selected=striking), is_second=is_second)
    wanted = start if follow is None else _following(follow, start)
    view = attention_view(
        grid,
        selected=wanted.selected,
        settings=wanted.settings,
        key=key,
        with_marks=with_marks,
        follows=follow is not None,
        asked=view_revision(is_second=is_second),
    )
    write_view(view, is_second=is_second)
    attention_head(grid.trace, view_of_head(traced, options, view.selected), view=key)
    return view


def _following(first: ViewState, own: ViewState) -> ViewState:
    """The second view drawn as the first one; what is chosen among its own tokens and heads stays."""
    return replace(first, settings=replace(first.settings, pin=own.settings.pin, filter=own.settings.filter))


def say_other_blocks(traced: TracedText) -> None:
    """Which blocks attend and what the others do instead, in a mixed stack."""
    trace = traced.trace
    if not trace.other_blocks:
        return
    numbers = [number for kind in trace.kinds for number in trace.block_numbers(kind)]
    others = ", ".join(f"{block.number} ({block.mixer})" for block in trace.other_blocks)
    st.caption(
        _(
            "Blocks {numbers} attend; layers are called by these numbers. "
            "The other blocks mix tokens otherwise: {others}."
        ).format(numbers=", ".join(map(str, numbers)), others=others)
    )


VISIBILITIES = {
    "causal": N_("all earlier tokens"),
    "both ways": N_("all tokens"),
    "window": N_("the last {size} tokens, itself included"),
    "window both ways": N_("{size} tokens to either side"),
    "chunks": N_("earlier tokens of its chunk of {size}"),
    "prefix": N_("the first {size} tokens and all earlier ones"),
    "other": N_("the tokens that its mask leaves"),
}


def _say_visibility(traced: TracedText, kind: SiteKind) -> None:
    """What a token sees in which layers, where it is not simply all earlier tokens or all tokens."""
    told = traced.remember(("visibility", kind), lambda: visibilities(traced.trace.layers(kind)))
    if all(visibility.kind in ("causal", "both ways") for visibility in told) and len(told) < 2:
        return
    said = [
        _("{what} (layers {layers})").format(
            what=_(VISIBILITIES[visibility.kind]).format(size=visibility.size), layers=", ".join(map(str, numbers))
        )
        for visibility, numbers in told.items()
    ]
    st.caption(_("On this text a token sees: {what}.").format(what="; ".join(said)))


def head_to_show(traced: TracedText, kind: SiteKind) -> Selected:
    """The head to show first, cached with the trace."""
    return traced.remember(("striking head", kind), lambda: head_shown_first(traced.trace, kind))


def show_attention_bar(bar: ContextBar, traced: TracedText, options: ViewOptions) -> None:
    """The selected head and the pinned token in the bar; both move the view."""
    trace = traced.trace
    sites = trace.layers(options.kind)
    striking = head_to_show(traced, options.kind)
    layers = [site.layer for site in sites]
    bar_head(bar, (striking.layer, striking.head), layers=layers, heads=sites[0].n_heads)
    bar_token(bar, [token.text for token in trace.query_tokens(options.kind)])


def picture_name(traced: TracedText, options: ViewOptions) -> str:
    """What a picture is of: what is sent for it names it."""
    return f"{traced.name}.{options.kind}.{options.hide_special:d}{options.exclude_first:d}"


def grid_view(traced: TracedText, options: ViewOptions) -> GridView:
    """All heads at overview resolution, at most a megabyte."""
    model = traced.trace.model
    name = picture_name(traced, options)
    return picture_grid(traced.trace, options, name=name, title=model.name, provenance=trace_origin(traced.trace))


def view_of_head(traced: TracedText, options: ViewOptions, selected: Selected) -> HeadView:
    """Exact weights of the selected head, or of the selected mean or maximum."""
    key = (traced.name, options, selected)
    return head_views().remember(key, lambda: picture_head(traced.trace, options, selected))
