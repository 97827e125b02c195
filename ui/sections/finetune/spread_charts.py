"""A measure before and after with their intervals, and every resample of their difference, side by side."""

import streamlit as st

from playground.charts.evaluate import difference_figure, spreads_figure
from playground.evaluation.resampling import PairedSpread
from playground.text import _
from ui.sections.finetune.subject import FinetuneSubject
from ui.widgets.chart import draw

SIDES_HEIGHT, RESAMPLES_HEIGHT = 190, 240


def draw_spreads(
    subject: FinetuneSubject, paired: PairedSpread, *, key: str, meanings: tuple[str, str], labels: tuple[str, str]
) -> None:
    """Both charts: what their axes mean, and what they are for who hears them."""
    left, right = st.columns(2, gap="large")
    with left:
        figure = spreads_figure([_("before"), _("after")], [paired.first, paired.second], meaning=meanings[0])
        draw(subject.pair.after, figure, key=key, label=labels[0], details=subject.details, height=SIDES_HEIGHT)
    with right:
        figure = difference_figure(paired, meaning=meanings[1])
        key = f"{key}_gain"
        draw(subject.pair.after, figure, key=key, label=labels[1], details=subject.details, height=RESAMPLES_HEIGHT)
