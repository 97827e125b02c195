"""The section of curves: a law, its headline, and a figure of choice."""

import streamlit as st

from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from playground.scaling.laws import LAWS
from playground.text import _
from ui.sections.scaling.allocation import show_frontier, show_loss_surface, show_training
from ui.sections.scaling.data import show_study_runs
from ui.sections.scaling.diagnostics import show_intervals, show_residuals
from ui.sections.scaling.fit import (
    choose_floor,
    choose_law,
    choose_resamples,
    fetch_bootstrap,
    fetch_fit,
    show_headline,
)
from ui.sections.scaling.isoflop import show_profiles
from ui.sections.scaling.loss_curves import show_curves
from ui.sections.scaling.study import ScalingStudy
from ui.state.parameters import FIGURE
from ui.widgets.choice import choose_option


def figure_titles() -> dict[str, str]:
    """The figures to choose from, by the names that stand in addresses."""
    return {
        "loss": _("Loss"),
        "training": _("Training curves"),
        "valleys": _("IsoFLOP profiles"),
        "map": _("Loss surface"),
        "frontier": _("Compute-optimal frontier"),
        "residuals": _("Residuals"),
        "intervals": _("Intervals"),
    }


def show_curves_section(study: ScalingStudy | None) -> None:
    """The law's headline and the chosen figure; without points, what to do about it."""
    if study is None:
        show_empty()
        return
    law, n_resamples = _choose_fit(study)
    headline = st.container()
    figure = choose_option(FIGURE, _("Figure"), figure_titles(), hidden=True)
    below = st.container()
    # These need no fit: they are there while it is computed.
    with below:
        if figure == "training":
            show_training(study)
        elif figure == "valleys":
            show_profiles(study)
    with headline:
        fitted = fetch_fit(study, law)
        resamples = None
        if fitted is not None:
            resamples = fetch_bootstrap(study, fitted, n_resamples, only_known=True)
            show_headline(fitted, resamples)
            progress = st.container()
    if fitted is not None:
        with below:
            _show_fitted(figure, study, fitted, resamples)
    _show_all_runs(study)
    if fitted is not None and resamples is None:
        # The figure is there meanwhile; once the intervals are, the page draws them in.
        with progress:
            resamples = fetch_bootstrap(study, fitted, n_resamples)
        if resamples is not None:
            st.rerun()


def _choose_fit(study: ScalingStudy) -> tuple[str, int]:
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="center")
    with left:
        law = choose_law()
    with middle:
        st.latex(LAWS[law].formula, help=_(LAWS[law].source))
    with right:
        n_resamples = choose_resamples()
    choose_floor(study, law)
    return law, n_resamples


def _show_fitted(figure: str, study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> None:
    if figure == "loss":
        show_curves(study, fitted, resamples)
    elif figure == "map":
        show_loss_surface(study, fitted)
    elif figure == "frontier":
        show_frontier(study, fitted, resamples)
    elif figure == "residuals":
        show_residuals(study, fitted)
    elif figure == "intervals":
        show_intervals(study, fitted, resamples)


def _show_all_runs(study: ScalingStudy) -> None:
    with st.expander(_("All {count} runs").format(count=len(study.points)), icon=":material/table_rows:"):
        show_study_runs(study)


def show_empty() -> None:
    """What to do where there is no data."""
    st.info(
        _("There are no points yet. Bring a table of your own under Upload data, or start a small sweep."),
        icon=":material/info:",
    )
