"""The sections of a fit: the law through the runs, its diagnostics, and the compute-optimal allocation."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from playground.scaling.laws import LAWS
from playground.text import _, _n
from ui.sections.scaling.allocation import show_frontier, show_loss_surface, show_training
from ui.sections.scaling.diagnostics import choose_residual_axis, show_fit_residuals, show_intervals
from ui.sections.scaling.exponents import show_allocation_verdict, show_exponents
from ui.sections.scaling.fit import (
    choose_floor,
    choose_law,
    choose_resamples,
    fetch_bootstrap,
    fetch_fit,
    show_fit_verdict,
    show_headline,
    show_warnings,
)
from ui.sections.scaling.isoflop import show_profiles
from ui.sections.scaling.loss_curves import show_curves
from ui.sections.scaling.overtraining import show_overtraining
from ui.sections.scaling.runs_table import show_study_runs
from ui.sections.scaling.study import ScalingStudy
from ui.state.parameters import FIGURE
from ui.widgets.choice import choose_option


def show_fit_section(study: ScalingStudy | None) -> None:
    """What the fit can and cannot say, the law through the runs, and its numbers."""
    if study is None:
        show_empty()
        return
    law, n_resamples = _choose_fit(study)
    fitted, resamples, progress = _fetch(study, law, n_resamples)
    if fitted is not None:
        show_curves(study, fitted, resamples)
        show_warnings(fitted, resamples)
        show_headline(fitted, resamples)
    _show_all_runs(study)
    _refine(study, fitted, resamples, n_resamples, progress)


def show_diagnostics_section(study: ScalingStudy | None) -> None:
    """How far the fit can be trusted: residuals and held-out runs, or intervals and restarts."""
    if study is None:
        show_empty()
        return
    law, n_resamples = _choose_fit(study)
    titles = {"residuals": _("Residuals"), "intervals": _("Intervals")}
    with st.container(horizontal=True, gap="medium"):
        figure = choose_option(FIGURE, _("Figure"), titles, key="choose_diagnostic", hidden=True)
        over = choose_residual_axis() if figure == "residuals" else ""
    fitted, resamples, progress = _fetch(study, law, n_resamples)
    if fitted is not None and figure == "residuals":
        show_fit_residuals(study, fitted, over)
    elif fitted is not None:
        show_intervals(study, fitted, resamples)
    if fitted is not None:
        show_warnings(fitted, resamples)
    _show_all_runs(study)
    _refine(study, fitted, resamples, n_resamples, progress)


def allocation_titles() -> dict[str, str]:
    """The figures of the allocation, by the names that stand in addresses."""
    return {
        "frontier": _("Compute-optimal frontier"),
        "valleys": _("IsoFLOP profiles"),
        "training": _("Training curves"),
        "map": _("Loss surface"),
        "ratios": _("Over-training"),
    }


def show_allocation_section(study: ScalingStudy | None) -> None:
    """N and D of a budget, a figure of choice, and the exponent by every method."""
    if study is None:
        show_empty()
        return
    law, n_resamples = _choose_fit(study)
    head = st.container()
    figure = choose_option(FIGURE, _("Figure"), allocation_titles(), key="choose_allocation", hidden=True)
    below = st.container()
    # These need no fit: they are there while it is computed.
    with below:
        if figure == "training":
            show_training(study)
        elif figure == "valleys":
            show_profiles(study)
    with head:
        fitted, resamples, progress = _fetch(study, law, n_resamples, says=False)
        if fitted is not None:
            show_allocation_verdict(study, fitted, resamples)
    if fitted is not None:
        with below:
            if figure == "map":
                show_loss_surface(study, fitted)
            elif figure == "frontier":
                show_frontier(study, fitted, resamples)
            elif figure == "ratios":
                show_overtraining(study, fitted, resamples)
        # The counts take fits of their own: after the intervals.
        show_exponents(study, fitted, resamples, counts=resamples is not None)
    _show_all_runs(study)
    _refine(study, fitted, resamples, n_resamples, progress)


def _choose_fit(study: ScalingStudy) -> tuple[str, int]:
    left, middle, right = st.columns([6, 18, 5], vertical_alignment="bottom")
    with left:
        law = choose_law()
    # Side by side where they fit: the formulas differ in length by the factor of four.
    with middle.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.latex(LAWS[law].formula, help=_(LAWS[law].source), width="content")
        choose_floor(study, law)
    with right:
        n_resamples = choose_resamples()
    return law, n_resamples


def _fetch(
    study: ScalingStudy, law: str, n_resamples: int, *, says: bool = True
) -> tuple[Fit | None, Bootstrap | None, DeltaGenerator]:
    """The fit, its bootstrap where that is known, and where its progress is shown; says: with the fit's verdict."""
    fitted, resamples = fetch_fit(study, law), None
    if fitted is not None:
        resamples = fetch_bootstrap(study, fitted, n_resamples, only_known=True)
        if says:
            show_fit_verdict(fitted, resamples)
    return fitted, resamples, st.container()


def _refine(
    study: ScalingStudy, fitted: Fit | None, resamples: Bootstrap | None, n_resamples: int, progress: DeltaGenerator
) -> None:
    """Compute the intervals where they are not known; the figure is there meanwhile, and the page draws them in."""
    if fitted is None or resamples is not None:
        return
    with progress:
        resamples = fetch_bootstrap(study, fitted, n_resamples)
    if resamples is not None:
        st.rerun()


def _show_all_runs(study: ScalingStudy) -> None:
    with st.expander(_n("{n} run", "All {n} runs", len(study.points)), icon=":material/table_rows:"):
        show_study_runs(study)


def show_empty() -> None:
    """What to do where there is no data."""
    st.info(
        _("There are no points yet. Bring a table of your own under Upload data, or start a small sweep."),
        icon=":material/info:",
    )
