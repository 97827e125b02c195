"""Pages with live charts that get new data twice a second, or by a button."""

import math
from pathlib import Path

import numpy as np
import streamlit as st

from playground.charts import train as train_charts
from playground.charts.bars import named_bars_figure
from playground.charts.heatmap import heatmap_figure
from playground.charts.inside import rows_figure
from playground.charts.palette import KEY, QUERY
from playground.charts.series import Series
from ui.components.live_chart import live_chart
from ui.static_files import publish_plotly


def curves(count: int) -> tuple[list[int], list[float], list[float]]:
    """Return steps, a train loss that swings, and the same without the swinging."""
    steps = list(range(1, count + 1))
    smoothed = [1.5 + 3 * math.exp(-step / 25) for step in steps]
    return steps, [value + 0.25 * math.sin(step * 7.3) for step, value in zip(steps, smoothed, strict=True)], smoothed


@st.fragment(run_every=0.5 if st.query_params.get("live") else None)
def show() -> None:
    """The loss, and with `all` in the address each other kind of chart below it."""
    if st.query_params.get("live"):
        st.session_state.count += 1
    steps, train, smoothed = curves(st.session_state.count)
    held_out = [value + 0.1 for value in smoothed[9::10]]
    figure = train_charts.training_loss_figure(steps, train, smoothed, steps[9::10], held_out, 1.35)
    live_chart(figure, key="loss", revision=st.session_state.get("revision", ""), label="Loss of <b>run</b> one")
    if st.query_params.get("maps"):
        show_maps()
    if st.query_params.get("all"):
        left, right = st.columns(2)
        with left:
            show_measures(steps, train)
        with right:
            show_comparisons(steps, smoothed)


def show_maps() -> None:
    """A map of two rows whose names are shortened, and bars that lie; a click on the map is told to the page."""
    names = ["0 <b>, a word that is far too long", "=1"]
    values = np.array([[1.0, np.nan], [-0.5, 0.25]])
    figure = heatmap_figure(values, rows=names, columns=["x", "y"], y="query", x="key", meaning="weight")
    picked = live_chart(figure, key="map", label="A map", provenance=["text: 'a\\nb'"], picks=True)
    st.write(f"Picked {picked}.")
    words = rows_figure([np.full(30, 0.123456), np.arange(30)], "ab", ["", ""], [QUERY, KEY], x="x", shows_numbers=True)
    live_chart(words, key="words", label="Words")
    live_chart(named_bars_figure(names, [2.0, -1.0], x="share"), key="bars", label="Bars")


def show_measures(steps: list[int], train: list[float]) -> None:
    """Learning rate and norm, measures, and a spectrum."""
    rate = [1e-3 * min(1, step / 10) for step in steps]
    live_chart(train_charts.rate_and_norm_figure(steps, rate, [2 * v for v in train], 2.0), key="rate", label="Rate")
    share = [1 - math.exp(-step / 30) for step in steps]
    measures = [Series(name="accuracy", steps=steps, values=share), Series(name="exact", steps=steps, values=share)]
    live_chart(train_charts.measures_figure(measures), key="measures", label="Measures")
    live_chart(train_charts.spectrum_figure([0.01, 0.02, 0.5, 0.03, 0.4, 0.04]), key="spectrum", label="Spectrum")


def show_comparisons(steps: list[int], smoothed: list[float]) -> None:
    """Nine runs over each other, and a learning-rate finder."""
    runs = [
        Series(name=f"run {i}", steps=steps, values=[value + i / 9 for value in smoothed], click=f"train?run=r{i}")
        for i in range(9)
    ]
    live_chart(train_charts.overlay_figure(runs, log_steps=True, log_values=True), key="overlay", label="Overlay")
    rates = [10 ** (-5 + index / 12) for index in range(48)]
    losses = [4 - 2 * math.exp(-((index - 30) ** 2) / 60) + (max(0, index - 38) ** 2) / 20 for index in range(48)]
    live_chart(train_charts.finder_figure(rates, losses, 3e-3), key="finder", label="Finder")


def page() -> None:
    """The buttons, and the charts."""
    if st.button("More"):
        st.session_state.count += 10
    if st.button("Other run"):
        st.session_state.revision = "other"
    show()


st.set_page_config(layout="wide")
# Streamlit serves the folder beside the script that it runs.
publish_plotly(Path(__file__).parent / "static")
st.session_state.setdefault("count", 40)
first = st.Page(page, title="Charts", default=True)
st.navigation([first, st.Page(lambda: page(), title="Deep", url_path="deep")], position="hidden").run()
