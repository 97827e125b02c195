"""Which layer, head and query token; every number of the head, and of the token in all layers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.text import _
from ui.cache import TracedText, layers
from ui.jobs import require
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
    numbers = trace.block_numbers(kind)
    place = striking.layer, striking.head
    chosen = bar_head(bar, place, layers=len(sites), heads=sites[0].n_heads, numbers=numbers)
    layer, head = chosen or (0, 0)
    query = bar_token(bar, [token.text for token in trace.query_tokens(kind)])
    return SelectedHead(kind=kind, layer=layer, head=head, query=query)


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
        ("whole token", kind, selected.query),
        lambda _on_progress: _or_reason(lambda: traced_text.trace.whole_token(selected.query, kind=kind)),
        title=_("Following the token through all layers …"),
        cache=traced_text,
    )


def _or_reason(make: Callable[[], Found]) -> Found | UserError:
    """What is made, or the error that says why it cannot be: the rest of the page does without it."""
    try:
        return make()
    except UserError as error:
        return error
