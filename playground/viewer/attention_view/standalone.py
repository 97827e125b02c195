"""The attention view as one HTML file that needs no server and no network."""

from collections.abc import Sequence

from playground.viewer.attention_view.assets import CSS, placed_view_module
from playground.viewer.shared.page import PlacedView, html_page

TAKERS = """{
head: (header, arrays) => putHead(header.view, header, arrays.map),
scores: (header, arrays) => putScores(header.view, header, arrays.scores),
}"""


def placed_heads(grid_bytes: bytes, also: Sequence[bytes] = (), *, title: str = "") -> PlacedView:
    """The payloads of `grid_payload`, and of `encode_head` and `encode_scores`, as a view of a page."""
    return PlacedView(
        module=placed_view_module(),
        function="attentionView",
        css=CSS,
        data=grid_bytes,
        also=also,
        takers=TAKERS,
        title=title,
    )


def standalone_html(
    grid_bytes: bytes, head_bytes: bytes, title: str, provenance: Sequence[str] = (), scores_bytes: bytes = b""
) -> str:
    """An HTML page that shows the payloads of `grid_payload`, `encode_head` and `encode_scores`; the last two may be
    empty.

    provenance: lines at the foot of the page.
    """
    also = [payload for payload in (head_bytes, scores_bytes) if payload]
    return html_page([placed_heads(grid_bytes, also)], title=title, provenance=provenance)
