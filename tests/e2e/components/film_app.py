"""A page with a film of synthetic heads; the case is chosen in the URL, and a button makes more frames."""

import json
from dataclasses import asdict

import streamlit as st

from tests.helpers import synthetic
from ui.components.film_view import FilmState, film_view

st.set_page_config(layout="wide")
case = st.query_params.get("case", "decoder")
if "frames" not in st.session_state:
    st.session_state.frames = int(st.query_params.get("frames", "12"))


@st.fragment(run_every=0.4 if st.query_params.get("live") else None)
def show() -> None:
    """The film, what it returned, and how many bytes went to the browser."""
    if st.query_params.get("live"):
        st.session_state.frames = min(30, st.session_state.frames + 1)
    if st.button("More frames"):
        st.session_state.frames += 3
    shown = not st.toggle("Hide")
    if not shown:
        return
    start = FilmState(kind="decoder", layer=1, head=2, score="previous", step=40) if case == "start" else None
    film = synthetic.film(case, st.session_state.frames, run=f"run-{st.query_params.get('run', 'one')}")
    state = film_view(film, key="film", start=start) or start or FilmState()
    with st.container(key="report"):
        st.text(json.dumps(asdict(state)))


show()
