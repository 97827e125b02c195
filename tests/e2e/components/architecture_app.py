"""A page with two drawings: one whose boxes can be chosen, and one that is only looked at."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import streamlit as st

from playground.architecture import planned_architecture
from playground.transformer_config import TransformerConfig
from ui.components.architecture_view import architecture_view

plan = planned_architecture(TransformerConfig(vocabulary=40, kind="encoder-decoder", width=24), "a <plan>")
picked = architecture_view(
    plan, key="chosen", label="Two stacks", provenance=["model: <none>"], hint="Click: its numbers"
)
if picked is not None:
    st.session_state["said"] = f"{picked.stack} {picked.box.path}"
st.text(st.session_state.get("said", "nothing"))
architecture_view(plan, key="shown", label="Only shown")
