"""Tokens as a view of a page without a server."""

from collections.abc import Sequence

from playground.viewer.shared.bundle import joined_modules
from playground.viewer.shared.page import PlacedView
from playground.viewer.token_view.items import CSS, HERE, Layout, TokenItem, encode_items

TOKENS_HEIGHT = 320


def placed_tokens(
    items: Sequence[TokenItem], *, layout: Layout, label: str, provenance: Sequence[str], title: str
) -> PlacedView:
    """The tokens, which can be pointed at and saved as a picture."""
    shared = "decode connection dom mount files tokens token_picture placed"
    return PlacedView(
        module=joined_modules(HERE, "rows token_view", shared=shared),
        function="tokenView",
        css=CSS,
        data=encode_items(items, layout=layout, label=label, provenance=provenance),
        title=title,
    )
