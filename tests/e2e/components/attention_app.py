"""A page with an attention view over synthetic maps; the case is chosen in the URL."""

import json

import numpy as np
import streamlit as st

from playground.viewer.attention_view.view_state import read_view_state
from tests.helpers import synthetic
from ui.components.attention_view import (
    AlignedWords,
    AxisToken,
    AxisWord,
    ScoresView,
    Selected,
    ViewSettings,
    ViewState,
    attention_head,
    attention_scores,
    attention_tables,
    attention_view,
    difference_view,
)

CASES = ("small", "hidden", "long", "pair", "cross", "hostile", "wide", "compare", "empty")


@st.cache_resource
def maps_of(case: str) -> np.ndarray:
    """Return the maps of a case: [layer, head, query, key]."""
    shapes = {
        "small": (12, 12, 64, 64, True),
        "hidden": (12, 12, 64, 64, True),
        "long": (30, 9, 1000, 1000, True),
        "pair": (6, 12, 22, 22, False),
        "cross": (4, 8, 7, 11, False),
        "hostile": (3, 4, 10, 10, True),
        "wide": (32, 32, 48, 48, True),
        "compare": (4, 4, 20, 20, True),
        "empty": (4, 4, 0, 0, True),
    }
    layers, heads, rows, columns, causal = shapes[case]
    if case == "long":
        layer = synthetic.attention(1, heads, rows, columns, causal, seed=7)[0]
        return np.broadcast_to(layer, (layers, *layer.shape))
    if case == "empty":
        return np.zeros((layers, heads, 0, 0), dtype=np.float32)
    return synthetic.attention(layers, heads, rows, columns, causal)


def names_of(case: str, count: int) -> list[AxisToken]:
    """Return a case's tokens."""
    if case == "hidden":
        named = enumerate(synthetic.tokens(2 * count))
        return [AxisToken(text=token.text, position=index) for index, token in named if index % 2]
    if case == "hostile":
        return [AxisToken(text=text) for text in synthetic.HOSTILE]
    return synthetic.tokens(count, pair=case == "pair")


def show(case: str, maps: np.ndarray, key: str, wanted: ViewState, **more: object) -> ViewState:
    """Show a view with its exact head."""
    causal = case not in ("pair", "cross")
    keys = synthetic.tokens(maps.shape[-1]) if case == "cross" else None
    grid = synthetic.grid(
        f"{case}-{key}-{st.session_state.get('version', 0)}",
        maps,
        names_of(case, maps.shape[-2]),
        keys=keys,
        causal=causal,
        cells=48 if case == "long" else None,
        **more,
    )
    marks = st.query_params.get("marks") == "1"
    state = attention_view(grid, selected=wanted.selected, settings=wanted.settings, key=key, with_marks=marks)
    if st.query_params.get("exact", "yes") == "yes" and maps.shape[-1]:
        head = synthetic.head_view(maps, state.selected, causal)
        attention_head(grid.trace, head, view=key)
    waits = st.query_params.get("scores") == "later" and not st.button("Send the scores")
    if maps.shape[-1] and not waits:
        finding = f"Head {state.selected.layer}.{state.selected.head}, in a sentence."
        scores = ScoresView(tables=synthetic.head_scores(maps), selected=state.selected, finding=finding)
        attention_scores(grid.trace, scores, view=key)
    if st.query_params.get("tables"):
        st.text("Between picture and tables")
        attention_tables(key)
    return state


st.set_page_config(layout="wide")
case = st.query_params.get("case", "small")
maps = maps_of(case)
start = json.loads(st.query_params.get("state", "{}"))
wanted = read_view_state(
    start,
    layers=range(maps.shape[0]),
    heads=maps.shape[1],
    default=ViewState(selected=Selected(), settings=ViewSettings()),
)
if case == "hidden":  # every second token, as if the others were special
    maps = np.ascontiguousarray(maps[..., 1::2, 1::2])
more = {"first_excluded": True, "special_hidden": True} if case == "pair" else {}
if case == "hidden":
    more = {"query_count": 64, "key_count": 64}
if st.query_params.get("words"):
    words = [AxisWord(text=f"w{i}", positions=range(i, min(i + 3, 64))) for i in range(0, 64, 3)]
    more = {"query_words": words, "key_words": words} if case == "small" else more
if case == "compare":
    left, right = st.columns(2)
    with left:
        show(case, maps, "left", wanted)
    with right:
        shorter = maps[..., :12, :12] if st.query_params.get("uneven") else maps[::-1]
        state = show(case, shorter, "right", wanted)
    words = None
    if st.query_params.get("words"):
        left, right = [(0,), (1, 2)], [(0,), (2,)]
        notes = ["Left out on the right: very"]
        words = AlignedWords(queries="ab", keys="ab", left=(left, left), right=(right, right), notes=notes)
    difference_view("left", "right", key="difference", words=words)
else:
    if st.button("Other text"):
        st.session_state.version = 1
        maps = np.ascontiguousarray(maps[:, ::-1])
    if st.button("Choose layer 1, head 2"):
        wanted = ViewState(selected=Selected(layer=1, head=2), settings=wanted.settings)
    state = show(case, maps, "view", wanted, **more)
with st.container(key="report"):
    st.text(json.dumps(state.as_dict()))
