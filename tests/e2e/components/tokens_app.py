"""A page with tokens as a text and as bars; only the text may be saved."""

import streamlit as st

from ui.components.token_view import TokenItem, token_view

st.set_page_config(layout="wide")
WORDS = ("The", "␣<b>cat</b>", "␣sat", "␣on", "␣猫", "␣&", "␣mat")
items = [
    TokenItem(text=word, value=index / 6 if index else None, chosen=index == 2, lines=("a line",))
    for index, word in enumerate(WORDS * 30)
]
token_view(items, layout="text", label="A long text", key="text", provenance=["model: <none>", "text: 'The cat'"])
bars = [TokenItem(text="␣yes", value=0.75, number="75%"), TokenItem(text="␣no", value=0.25, number="25%")]
token_view(bars, layout="bars", label="Two answers", key="bars")
pairs = [
    TokenItem(text=" yes", value=0.75, number="75%", second=1.0, second_number="100%", clickable=True),
    TokenItem(text=" no", value=0.25, number="25%", second=0.0, second_number="0%", removed=True, clickable=True),
]
token_view(pairs, layout="bars", label="Before and after", key="pairs", series=("model", "after filters"))

named = [
    TokenItem(text="Anna", value=0.9, hue=0, tag="<i>PER</i>"),
    TokenItem(text=" a", value=0.9, hue=1),
    TokenItem(text="no name at all", value=0.9, plain=True, clickable=True),
]
token_view(named, layout="text", label="Names", key="named")
