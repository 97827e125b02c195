"""Scores with their intervals, and files of results."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import streamlit as st

from playground.csv_table import csv_table
from playground.evaluation.resampling import RESAMPLES, Spread
from playground.snippets import origin
from playground.text import _
from ui.state.link import link_lines


def show_spreads(spreads: Mapping[str, Spread], *, digits: int = 3) -> "st.delta_generator.DeltaGenerator":
    """Each score large, its interval and the number of lines below it; the row, for one that is counted later."""
    row = st.container(horizontal=True, gap="large")
    with row:
        for title, spread in spreads.items():
            with st.container(width="content"):
                show_spread(title, spread, digits=digits)
    return row


def show_spread(title: str, spread: Spread, *, digits: int = 3, about: str | None = None) -> None:
    """One score."""
    st.metric(title, f"{spread.value:.{digits}f}", help=about, width="content")
    st.caption(interval_text(spread, digits=digits), width="content")


def interval_text(spread: Spread, *, digits: int = 3) -> str:
    """The interval in words, with n."""
    if spread.interval is None:
        return _("n = {n}: no interval").format(n=spread.n)
    return _("95% [{low:.{digits}f}, {high:.{digits}f}], n = {n:,}").format(
        low=spread.low, high=spread.high, digits=digits, n=spread.n
    )


def say_intervals(shares: str = "") -> None:
    """What the intervals are. shares: the measures that are shares of independent rows, in words."""
    sentence = _(
        "Intervals: {count:,} bootstrap resamples of the lines (percentiles). They say how far another sample of "
        "lines would move the score, not whether the measure is right."
    )
    if shares:
        sentence = _(
            "Intervals of {shares}: Wilson's (1927), of a share of independent lines, which leaves room where all are "
            "right; of the others: {count:,} bootstrap resamples of the lines (percentiles). They say how far another "
            "sample of lines would move the score, not whether the measure is right."
        )
    st.caption(sentence.format(shares=shares, count=RESAMPLES))


def offer_results(
    header: Sequence[str], rows: Callable[[], Iterable[Sequence[object]]], *, name: str, details: Mapping[str, object]
) -> None:
    """The results of every item as a file, made when it is asked for; formulas in texts are inert there."""
    shown = {key: value for key, value in details.items() if len(repr(value)) <= 2_000}
    link = link_lines()
    st.download_button(
        _("Download CSV: each item's results"),
        lambda: csv_table([header, *rows()], [*origin(None, details=shown), *link]),
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"results_{name}",
    )
