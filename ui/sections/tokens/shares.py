"""What each word adds to the similarity of a line and the query: the shares sum to the cosine."""

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _, fill
from playground.tokens.sentences import WordShare, embed_sentence, word_shares
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require
from ui.sections.tokens.subject import offer_csv
from ui.state.address import read_number
from ui.state.parameters import COMPARED_LINE
from ui.widgets.mirror import mirrored


def show_shares(model: LoadedModel, query: str, lines: list[str], order: list[int]) -> None:
    """Choose a line, at first the best; both texts coloured by what their words add."""
    st.subheader(_("What each word adds"), anchor=False)
    shown = read_number(COMPARED_LINE, order[0], len(lines) - 1)
    chosen = st.selectbox(
        _("Line"),
        order,
        order.index(shown),
        **mirrored(COMPARED_LINE, shown, str(order[0])),
        format_func=lambda index: f"{index + 1} {lines[index][:80]}",
    )
    line = lines[int(chosen)]
    both = require(
        ("shares", query, line),
        lambda _on_progress: _shares_of(model, query, line),
        title=_("Reading lines:"),
        cache=results_of(model),
    )
    sides = dict(zip((_("Line"), _("Search text")), both, strict=True))
    total = sum(share.share for share in sides[_("Line")])
    sentence = _(
        "The words of each text add up to the cosine, {total:.4f}. The stronger the colour, the more a word adds."
    )
    st.text(fill(sentence, total=total))
    for number, (title, shares) in enumerate(sides.items()):
        st.caption(title)
        token_view(
            share_items(shares),
            layout="text",
            label=_("Words by what they add to the cosine"),
            key=f"shares_{number}",
            provenance=origin(model, details={"query": query, "line": line}),
        )
    st.caption(_("Point at a word for its number. Special tokens count in the mean, too."))
    rows: list[tuple[object, ...]] = [("text", "word", "share")]
    for name, shares in zip(("line", "query"), sides.values(), strict=True):
        rows += [(name, share.text, share.share) for share in shares]
    offer_csv(model, rows, name="word-shares", details={"query": query, "line": line})


def _shares_of(model: LoadedModel, query: str, line: str) -> tuple[list[WordShare], list[WordShare]]:
    """The shares of the line's words, and of the search text's."""
    first, second = embed_sentence(model, line), embed_sentence(model, query)
    return word_shares(first, second), word_shares(second, first)


def share_items(shares: list[WordShare]) -> list[TokenItem]:
    """Words as chips: full strength at the largest share; what is negative has no colour."""
    most = max((share.share for share in shares), default=0.0)
    return [
        TokenItem(
            text=f"{mark_spaces(share.text)} ",
            plain=True,
            special=share.is_special,
            value=max(0.0, share.share / most) if most > 0 else 0.0,
            lines=(fill(_("{word} adds {share:+.4f}"), word=mark_spaces(share.text), share=share.share),),
        )
        for share in shares
    ]
