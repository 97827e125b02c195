"""Published runs: those of Hoffmann et al. 2022, fitted in the ways in which two papers differ."""

from dataclasses import replace

import streamlit as st

from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.csv_table import Row
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import fit
from playground.scaling.frontier import closed_form
from playground.scaling.published import BESIROGLU, HOFFMANN, Published
from playground.scaling.refits import OUTLIERS, Recipe, Refit, refit, without_highest
from playground.text import _
from ui.cache import scaling_results
from ui.jobs import compute
from ui.sections.scaling.figure import show_scaling_figure
from ui.sections.scaling.fit import RESAMPLE_COUNTS, fetch_bootstrap
from ui.sections.scaling.study import HOFFMANN_RUNS, ScalingStudy, study_of_hoffmann
from ui.state.parameters import BEGINNING, HUBER_DELTA, REFIT_INTERVALS, WEIGHING, WITHOUT_HIGHEST
from ui.state.scaling import adopt_source
from ui.widgets.choice import choose_option, choose_switch

SYMBOLS = {"alpha": "α", "beta": "β"}
NAMES = ("E", "A", "B", "alpha", "beta")
NORMAL = 1.96
"""Standard errors to either side of a 95% interval."""
NEAR = 0.01
"""Objectives that differ by less than this share count as the same."""


def show_published_runs(_study: ScalingStudy | None) -> None:
    """Choose how to fit; see the law beside the printed one and the replication's."""
    st.caption(
        _(
            "Hoffmann et al. 2022 printed a law; Besiroglu et al. 2024 read 245 of its runs off a figure and could not "
            "find it again. Fit them yourself: leave out runs, average the loss, begin elsewhere."
        )
    )
    study = study_of_hoffmann(_("Hoffmann's runs, as read off"))
    recipe = _choose_recipe()
    found = _fetch_refit(study, recipe)
    if found is None:
        return
    resamples = _fetch_intervals(study, recipe) if choose_switch(REFIT_INTERVALS, _("95% intervals")) else None
    st.markdown(refit_sentence(found))
    _show_exponents(recipe, found, resamples)
    _show_numbers(found, resamples)
    if st.button(_("Take these runs as the page's data"), icon=":material/database:"):
        adopt_source(HOFFMANN_RUNS)
        st.rerun()


def _choose_recipe() -> Recipe:
    label = _("Leave out the {count} highest losses").format(count=OUTLIERS)
    is_short = choose_switch(WITHOUT_HIGHEST, label)
    weighing = choose_option(
        WEIGHING,
        _("What is minimised"),
        {"scaled": _("Sum, scaled up"), "sum": _("Sum"), "mean": _("Mean")},
        help_text=_(
            "The same minimum in theory. The optimiser stops once a step gains less than about 2e-9, so the smaller "
            "the number, the sooner it stops."
        ),
    )
    beginning = choose_option(
        BEGINNING,
        _("Where the optimiser begins"),
        {"grid": _("16 starts"), "middle": _("One start"), "printed": _("The printed law")},
    )
    delta = choose_option(
        HUBER_DELTA,
        _("Huber delta"),
        {each: each for each in ("0.001", "0.0001", "0.01", "0.1")},
        help_text=_("Larger residuals of log loss count linearly: outliers pull less the smaller it is."),
    )
    return Recipe(
        left_out=OUTLIERS if is_short else 0,
        weighing=weighing,  # type: ignore[arg-type]  # one of the options
        beginning=beginning,  # type: ignore[arg-type]
        delta=float(delta),
    )


def _fetch_refit(study: ScalingStudy, recipe: Recipe) -> Refit | None:
    title = _("Fitting from many starts …")
    return compute(
        ("refit", recipe), lambda _on_progress: refit(study.points, recipe), title=title, cache=scaling_results()
    )


def _fetch_intervals(study: ScalingStudy, recipe: Recipe) -> Bootstrap | None:
    """Of the fit that goes to its minimum, whatever else is chosen: the others have none to scatter about."""
    kept = replace(study, points=without_highest(study.points, recipe.left_out), run_ids=())
    key, title = ("fit", kept.fingerprint, "chinchilla", None), _("Fitting from many starts …")
    fitted = compute(key, lambda _on_progress: fit("chinchilla", kept.points), title=title, cache=scaling_results())
    return None if fitted is None else fetch_bootstrap(kept, fitted, RESAMPLE_COUNTS[0])


def refit_sentence(found: Refit) -> str:
    """The objective beside the printed law's, and what that means."""
    ratio = found.printed_objective / found.objective
    if ratio > 1 + NEAR:
        template = _("On these {count} runs the printed law's objective is {ratio:.2f} times this fit's: {law}.")
    elif ratio < 1 - NEAR:
        template = _("On these {count} runs this fit is worse than the printed law, {ratio:.2f} times its own: {law}.")
    else:
        template = _("On these {count} runs this fit is as good as the printed law: {law}.")
    numbers = ", ".join(f"{SYMBOLS.get(name, name)} {found.parameters[name]:.4g}" for name in NAMES)
    return template.format(count=found.n_runs, ratio=ratio, law=numbers)


def _show_exponents(recipe: Recipe, found: Refit, resamples: Bootstrap | None) -> None:
    own = [Interval(name=SYMBOLS[name], value=v, low=v, high=v) for name in SYMBOLS for v in [found.parameters[name]]]
    a = closed_form(found.parameters).exponent if min(found.parameters["alpha"], found.parameters["beta"]) > 0 else None
    own += [] if a is None else [Interval(name="a", value=a, low=a, high=a)]
    groups = [(_("your fit"), own), (_(HOFFMANN.title), _printed(HOFFMANN)), (_(BESIROGLU.title), _printed(BESIROGLU))]
    if resamples is not None:
        groups.append((_("the minimum, resampled"), _resampled(resamples)))
    table: list[Row] = [("law", "exponent", "value", "low", "high")]
    table += [(group, each.name, each.value, each.low, each.high) for group, members in groups for each in members]
    show_scaling_figure(
        intervals_figure(groups, x=_("exponent; N ∝ Cᵃ")),
        name="hoffmann-refits",
        label=_("Exponents of Hoffmann's runs by way of fitting"),
        source=_("Hoffmann et al. 2022, figure 4, as read off by Besiroglu et al. 2024; Chinchilla's law"),
        table=table,
        code=refit_code(recipe),
        height=330,
        revision=f"{recipe}{resamples is not None}",
    )


def _printed(law: Published) -> list[Interval]:
    errors = law.errors or {}
    intervals = [
        Interval(name=symbol, value=value, low=value - reach, high=value + reach)
        for name, symbol in SYMBOLS.items()
        for value, reach in [(law.parameters[name], NORMAL * errors.get(name, 0.0))]
    ]
    a = closed_form(law.parameters).exponent
    return [*intervals, Interval(name="a", value=a, low=a, high=a)]


def _resampled(resamples: Bootstrap) -> list[Interval]:
    middle = {name: sum(each[name] for each in resamples.parameters()) / resamples.n_resamples for name in SYMBOLS}
    intervals = resamples.intervals()
    return [
        Interval(name=symbol, value=middle[name], low=intervals[name][0], high=intervals[name][1])
        for name, symbol in SYMBOLS.items()
    ]


def _show_numbers(found: Refit, resamples: Bootstrap | None) -> None:
    intervals = resamples.intervals() if resamples is not None else {}
    rows = [
        {
            _("Parameter"): SYMBOLS.get(name, name),
            _("Your fit"): f"{found.parameters[name]:.5g}",
            **({_("95% interval"): "{:.4g} – {:.4g}".format(*intervals[name])} if intervals else {}),
            _("Hoffmann, printed"): f"{HOFFMANN.parameters[name]:.5g}",
            _("Besiroglu, replication"): f"{BESIROGLU.parameters[name]:.5g} ± {(BESIROGLU.errors or {})[name]:g}",
        }
        for name in NAMES
    ]
    st.dataframe(rows, hide_index=True, key="refit_rows")
    st.caption(
        _(
            "±: one standard error. The losses were read off a picture's colours, which adds an error of its own. "
            "The intervals are those of the fit that goes to its minimum at a Huber delta of 0.001."
        )
    )


def refit_code(recipe: Recipe) -> str:
    """Python that fits the same runs in the same way."""
    return f"""from playground.scaling.refits import Recipe, hoffmann_points, refit

print(refit(hoffmann_points(), {recipe!r}))
"""
