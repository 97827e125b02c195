"""Tokens coloured in a running text, or listed with bars; a click reports a token's index."""

from collections.abc import Sequence

from playground.viewer.token_view.items import CSS, HUES, Layout, TokenItem, encode_items, token_module
from ui.components.shared.registration import keep_report, register, report_of

__all__ = ["HUES", "TokenItem", "encode_items", "token_module", "token_view"]

_component = register("tokens", token_module(), css=CSS)


def token_view(
    items: Sequence[TokenItem],
    *,
    layout: Layout,
    label: str,
    key: str,
    provenance: Sequence[str] = (),
    series: Sequence[str] = (),
) -> int | None:
    """Draw the tokens; return the index of the token clicked just now, else None.

    `label` describes them to screen readers. With `provenance` they can be saved as a picture that has its lines below.
    `series` names the two bars of each row.
    """
    data = encode_items(items, layout=layout, label=label, provenance=provenance, series=series)
    picked = report_of(_component(key=key, data=data, on_picked_change=keep_report), "picked")
    if isinstance(picked, bool) or not isinstance(picked, int) or not 0 <= picked < len(items):
        return None
    return picked if items[picked].clickable else None
