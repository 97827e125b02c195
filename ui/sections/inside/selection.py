"""Which layer, head and query token; every number of the head, and of the token in all layers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.progress import OnProgress
from playground.text import _
from ui.cache import TracedText, layers
from ui.jobs import keep_place, require
from ui.sections.attention.heatmaps import choose_kind, head_to_show
from ui.widgets.context_bar import ContextBar, bar_head, bar_token

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class SelectedHead:
    """One head of one layer, and one query token."""

    kind: SiteKind
    layer: int
    head: int
    query: int


def select_head(traced_text: TracedText, bar: ContextBar) -> SelectedHead:
    """The head and the query token of the bar; without a choice the most striking head, and the last token."""
    trace = traced_text.trace
    kind = choose_kind(trace.kinds) if len(trace.kinds) > 1 else trace.kinds[0]
    sites = trace.layers(kind)
    striking = head_to_show(traced_text, kind)
    place = striking.layer, striking.head
    layer, head = bar_head(bar, place, layers=[site.layer for site in sites], heads=sites[0].n_heads) or place
    query = bar_token(bar, [token.text for token in trace.query_tokens(kind)])
    return SelectedHead(kind=kind, layer=layer, head=head, query=query)


def read_selected(traced_text: TracedText, selected: SelectedHead) -> None:
    """Read layer and token from one pass where neither is known yet; `head_inside` and `whole_token` find them."""
    layer_key = traced_text.name, selected.kind, selected.layer
    token_key = _token_key(selected)
    if layer_key in layers() or token_key in traced_text:
        keep_place()
        return

    def make(on_progress: OnProgress) -> bool:
        trace = traced_text.trace
        layer, token = trace.layer_and_token(selected.layer, selected.query, selected.kind, on_progress=on_progress)
        if not isinstance(layer, UserError):
            layers().remember(layer_key, lambda: layer)
        traced_text.remember(token_key, lambda: token)
        return True

    require(("layer and token", selected), make, title=_("Following the token: attention layer"), cache=traced_text)


def _token_key(selected: SelectedHead) -> tuple[str, SiteKind, int]:
    return "whole token", "decoder" if selected.kind == "cross" else selected.kind, selected.query


def head_inside(traced_text: TracedText, selected: SelectedHead) -> HeadInside | UserError:
    """Every number of the head, from one more pass; or why this family's cannot be told."""

    def make() -> HeadInside:
        layer = layers().remember(
            (traced_text.name, selected.kind, selected.layer),
            lambda: traced_text.trace.inside(selected.layer, selected.kind),
        )
        return layer.head(selected.head, selected.query)

    return require(
        ("head", selected),
        lambda _on_progress: _or_reason(make),
        title=_("Capturing layer {layer} …").format(layer=selected.layer),
        cache=traced_text,
    )


def whole_token(traced_text: TracedText, selected: SelectedHead) -> WholeToken | UserError:
    """The token followed through all layers, from one more pass; or why this family's cannot be told."""
    kind: SiteKind = "decoder" if selected.kind == "cross" else selected.kind
    return require(
        _token_key(selected),
        lambda on_progress: _or_reason(
            lambda: traced_text.trace.whole_token(selected.query, kind=kind, on_progress=on_progress)
        ),
        title=_("Following the token: attention layer"),
        cache=traced_text,
    )


def _or_reason(make: Callable[[], Found]) -> Found | UserError:
    """What is made, or the error that says why it cannot be: the rest of the page does without it."""
    try:
        return make()
    except UserError as error:
        return error
