"""Python that makes the same numbers, and where they come from."""

from collections.abc import Sequence

import streamlit as st

from playground.models import LoadedModel
from playground.snippets import program, tracing
from playground.text import _
from ui.state.attention import wants_cut
from ui.widgets.text import Texts


def offer_snippet(
    model: LoadedModel | None, imports: Sequence[str], lines: Sequence[str], *, seed: int | None = None
) -> None:
    """The program, folded away. imports: "module import names" each."""
    with st.expander(_("The same in Python"), icon=":material/code:"):
        st.code(program(model, imports, lines, seed=seed), language="python")


def text_details(texts: Texts) -> dict[str, object]:
    """What was read, for the files of a picture."""
    details: dict[str, object] = {"text": texts.text}
    details |= {} if texts.pair is None else {"pair": texts.pair}
    return details | ({} if texts.target is None else {"target": texts.target})


def encoding_line(texts: Texts) -> str:
    """The line that encodes the texts for many passes, as Take it apart does."""
    truncate = ", truncate=True" if wants_cut(texts) else ""
    return f"encoded = encode_text(model, {texts.text!r}, {texts.target!r}, {texts.pair!r}{truncate})"


def traced(texts: Texts) -> str:
    """The line that reads the texts as this page has read them."""
    return tracing(texts.text, pair=texts.pair, target=texts.target, truncate=wants_cut(texts))
