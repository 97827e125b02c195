"""A page with live charts that get new data twice a second, and one that has no library to draw with."""

import math
from pathlib import Path

import streamlit as st

from playground.charts import training
from ui.components.live_chart import live_chart
from ui.static_files import publish_plotly

st.set_page_config(layout="wide")
# Streamlit serves the folder beside the script that it runs.
if st.query_params.get("library", "yes") == "yes":
    publish_plotly(Path(__file__).parent / "static")
count = st.session_state.setdefault("count", 40)
if st.button("More"):
    st.session_state.count = count = count + 10
if st.button("Other run"):
    st.session_state.revision = "other"


@st.fragment(run_every=0.5 if st.query_params.get("live") else None)
def charts() -> None:
    """Loss, and one of each other kind below it."""
    if st.query_params.get("live"):
        st.session_state.count += 1
    steps = list(range(1, st.session_state.count + 1))
    smoothed = [1.5 + 3 * math.exp(-step / 25) for step in steps]
    train = [value + 0.25 * math.sin(step * 7.3) for step, value in zip(steps, smoothed, strict=True)]
    figure = training.loss_figure(steps, train, smoothed, steps[9::10], [v + 0.1 for v in smoothed[9::10]], 1.35)
    live_chart(figure, key="loss", revision=st.session_state.get("revision", ""), label="Loss of <b>run</b> one")
    if not st.query_params.get("all"):
        return
    from tests.e2e.components.synthetic import score_tables

    left, right = st.columns(2)
    with left:
        rate = [1e-3 * min(1, step / 10) for step in steps]
        live_chart(training.rate_and_norm_figure(steps, rate, [2 * v for v in train], 2.0), key="rate", label="Rate")
        share = [1 - math.exp(-step / 30) for step in steps]
        measures = [training.Series(name=name, steps=steps, values=share) for name in ("accuracy", "exact match")]
        live_chart(training.measures_figure(measures), key="measures", label="Measures")
        live_chart(training.spectrum_figure([0.01, 0.02, 0.5, 0.03, 0.4, 0.04]), key="spectrum", label="Spectrum")
    with right:
        live_chart(training.scores_figure(steps, score_tables(len(steps), 2, 4)), key="scores", label="Scores")
        runs = [
            training.Series(name=f"run {index}", steps=steps, values=[v + index / 9 for v in smoothed])
            for index in range(9)
        ]
        live_chart(training.overlay_figure(runs, log_steps=True, log_values=True), key="overlay", label="Overlay")
        rates = [10 ** (-5 + index / 12) for index in range(48)]
        losses = [4 - 2 * math.exp(-((index - 30) ** 2) / 60) + (max(0, index - 38) ** 2) / 20 for index in range(48)]
        live_chart(training.finder_figure(rates, losses, 3e-3), key="finder", label="Finder")


charts()
