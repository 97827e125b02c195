"""A page with samples of each kind, and a button that brings a later evaluation."""

import streamlit as st

from tests.helpers import synthetic
from ui.components.samples_view import samples_view

st.set_page_config(layout="wide")
if "count" not in st.session_state:
    st.session_state.count = int(st.query_params.get("count", "4"))
if st.button("Next evaluation"):
    st.session_state.count += 1
samples_view(synthetic.samples(st.session_state.count), key="samples", run="one")
