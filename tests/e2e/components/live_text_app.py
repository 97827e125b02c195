"""A page with the live text, Streamlit's own text area beside it, and a slow script."""

import time

import streamlit as st

from ui.components.live_text import live_text

EXAMPLES = {"cat": "The cat sat on the mat.", "numbers": "one two three " * 3}
if "example" not in st.session_state:
    st.session_state.example = "cat"
st.session_state.runs = st.session_state.get("runs", 0) + 1
if st.button("Numbers"):
    st.session_state.example = "numbers"
text = live_text(
    EXAMPLES[st.session_state.example],
    label="Text",
    placeholder="Type here",
    max_chars=120,
    key="text",
    revision=st.session_state.example,
)
st.text_area("Native", "The cat sat on the mat.", placeholder="Type here")
time.sleep(float(st.query_params.get("slow", "0")))
st.text(f"returned: {text!r}")
st.text(f"runs: {st.session_state.runs}")
