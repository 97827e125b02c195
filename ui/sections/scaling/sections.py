"""The section of curves: a law, its headline, and a picture by name."""

import streamlit as st

from playground.scaling.laws import LAWS
from playground.text import _
from ui import state
from ui.sections.scaling.allocation import show_frontier, show_map, show_training
from ui.sections.scaling.data import show_runs
from ui.sections.scaling.diagnostics import show_intervals, show_residuals
from ui.sections.scaling.fit import (
    choose_drawings,
    choose_floor,
    choose_law,
    known_bootstrap,
    obtain_bootstrap,
    obtain_fit,
    show_headline,
)
from ui.sections.scaling.isoflop import show_valleys
from ui.sections.scaling.loss_curves import show_curves
from ui.sections.scaling.study import Study
from ui.widgets.choice import choose_word


def show_pictures(study: Study | None) -> None:
    """The law's headline and the chosen picture; where there are no points, what to do about it."""
    if study is None:
        say_empty()
        return
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="center")
    with left:
        law = choose_law()
    with middle:
        st.latex(LAWS[law].formula, help=LAWS[law].source)
    with right:
        drawings = choose_drawings()
    choose_floor(study, law)
    headline = st.container()
    titles = {
        "loss": _("Loss"),
        "training": _("Training curves"),
        "valleys": _("IsoFLOP valleys"),
        "map": _("Map"),
        "frontier": _("Frontier"),
        "residuals": _("Residuals"),
        "intervals": _("Intervals"),
    }
    picture = choose_word(state.PICTURE, _("Picture"), titles, hidden=True)
    place = st.container()
    if picture in ("training", "valleys"):
        with place:
            (show_training if picture == "training" else show_valleys)(study)
    with headline:
        fitted = obtain_fit(study, law)
        if fitted is not None:
            intervals = known_bootstrap(study, fitted, drawings)
            show_headline(fitted, intervals)
            waiting = st.container()
    if fitted is None:
        _show_all_runs(study)
        return
    with place:
        if picture == "loss":
            show_curves(study, fitted, intervals)
        elif picture == "map":
            show_map(study, fitted)
        elif picture == "frontier":
            show_frontier(study, fitted, intervals)
        elif picture == "residuals":
            show_residuals(study, fitted)
        elif picture == "intervals":
            show_intervals(study, fitted, intervals)
    _show_all_runs(study)
    if intervals is None:
        # The picture is there meanwhile; once the intervals are, the page draws them in.
        with waiting:
            drawn = obtain_bootstrap(study, fitted, drawings)
        if drawn is not None:
            st.rerun()


def _show_all_runs(study: Study) -> None:
    with st.expander(_("All {count} runs").format(count=len(study.points)), icon=":material/table_rows:"):
        show_runs(study)


def say_empty() -> None:
    """What to do where there is nothing to draw."""
    st.info(
        _("There are no points yet. Bring a table of your own under Data, or run a small sweep under Live."),
        icon=":material/info:",
    )
