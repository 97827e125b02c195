"""The law: choose and fit it, with its bootstrap, and say what can be trusted."""

from collections.abc import Hashable

import streamlit as st

from playground.progress import OnProgress
from playground.scaling.bootstrap import Bootstrap, bootstrap, why_not_resampled
from playground.scaling.fits import Fit, fit
from playground.scaling.laws import LAWS
from playground.scaling.overtraining import ratio_sentences
from playground.scaling.verdict import EXPONENT_SYMBOLS, ROUGH, fit_verdict, spread, symbol
from playground.text import _
from ui.cache import scaling_results
from ui.jobs import compute, precompute
from ui.sections.scaling.figure import show_metrics
from ui.sections.scaling.study import ScalingStudy
from ui.state.address import read_choice, read_switch, write_choice, write_switch
from ui.state.parameters import FIX_FLOOR, LAW, RESAMPLES
from ui.state.revisions import widget_key
from ui.text import error_sentence

RESAMPLE_COUNTS = (200, 1000, 4000)
"""Of the bootstrap; the first is the default."""


def choose_law() -> str:
    """A law by name, Chinchilla's by default."""
    names = list(LAWS)
    name: str = st.selectbox(
        _("Law"),
        names,
        index=names.index(read_choice(LAW, names)),
        format_func=lambda law: _(LAWS[law].title),
        key=widget_key(LAW, "choose_law"),
    )
    write_choice(LAW, name, names[0])
    return name


def choose_resamples() -> int:
    """The number of bootstrap resamples."""
    choices = [str(count) for count in RESAMPLE_COUNTS]
    chosen = st.selectbox(
        _("Bootstrap resamples"),
        choices,
        index=choices.index(read_choice(RESAMPLES, choices)),
        key=widget_key(RESAMPLES, "choose_resamples"),
        help=_(
            "Intervals come from refitting the law to runs resampled with replacement. "
            "More resamples, more precise intervals."
        ),
    )
    write_choice(RESAMPLES, chosen, choices[0])
    return int(chosen)


def choose_floor(study: ScalingStudy, law: str) -> None:
    """Whether E is fixed to the known entropy, where there is one and the law has an E."""
    if study.floor is None or not _has_offset(law):
        return
    fixes = st.toggle(
        _("Fix E to the known entropy ({floor:.4f} nats)").format(floor=study.floor),
        value=read_switch(FIX_FLOOR),
        key=widget_key(FIX_FLOOR, "fixes_floor"),
        help=_(
            "These runs learn synthetic stories whose entropy can be computed: no model can have a lower loss. "
            "Fit E instead to see how little the runs say about it."
        ),
    )
    write_switch(FIX_FLOOR, fixes)


def floor_of(study: ScalingStudy, law: str) -> float | None:
    """Where E is fixed; None where it is fitted."""
    return study.floor if _has_offset(law) and read_switch(FIX_FLOOR) else None


def _has_offset(law: str) -> bool:
    return LAWS[law].parameters[0] == "E"


def fetch_fit(study: ScalingStudy, law: str) -> Fit | None:
    """The law fitted to the points; None, with a sentence, where that cannot be."""
    floor = floor_of(study, law)
    key, title = _fit_key(study, law, floor), _("Fitting from many starts …")
    return compute(key, lambda _on_progress: fit(law, study.points, floor=floor), title=title, cache=scaling_results())


def fetch_bootstrap(
    study: ScalingStudy, fitted: Fit, n_resamples: int, *, only_known: bool = False
) -> Bootstrap | None:
    """The fit's bootstrap; None where the runs are too few, where it was cancelled or (only_known) is not there yet."""
    key = _bootstrap_key(study, fitted, n_resamples)
    if only_known and key not in scaling_results():
        return None

    refused = why_not_resampled(study.points)
    if refused is not None:
        st.info(error_sentence(refused), icon=":material/info:")
        return None

    def make(on_progress: OnProgress) -> Bootstrap:
        return bootstrap(fitted, n_resamples=n_resamples, on_progress=on_progress)

    return compute(key, make, title=_("Bootstrap resamples:"), cache=scaling_results())


def prepare_fit(study: ScalingStudy) -> None:
    """Compute what the page shows at first, before anybody asks. Raises UserError where the law cannot be fitted."""
    law, n_resamples, known = next(iter(LAWS)), RESAMPLE_COUNTS[0], scaling_results()

    def resample(on_progress: OnProgress) -> Bootstrap:
        return bootstrap(fitted, n_resamples=n_resamples, on_progress=on_progress)

    fitted = precompute(_fit_key(study, law, None), lambda _on_progress: fit(law, study.points), cache=known)
    precompute(_bootstrap_key(study, fitted, n_resamples), resample, cache=known)


def _fit_key(study: ScalingStudy, law: str, floor: float | None) -> tuple[Hashable, ...]:
    return "fit", study.fingerprint, law, floor


def _bootstrap_key(study: ScalingStudy, fitted: Fit, n_resamples: int) -> tuple[Hashable, ...]:
    return "bootstrap", study.fingerprint, fitted.law, fitted.floor, n_resamples


def show_fit_verdict(fitted: Fit, resamples: Bootstrap | None) -> None:
    """What the fit can and cannot say; the picture comes next, the warnings below it."""
    st.markdown(" ".join(fit_verdict(fitted, resamples.intervals() if resamples else {})))


def show_headline(fitted: Fit, resamples: Bootstrap | None) -> None:
    """The held-out error, the exponents, and E where the points identify them.

    Exponents have no unit and compare with other people's; coefficients stand among the intervals. An exponent that
    the runs do not determine is shown by its interval.
    """
    unsure = unidentified(fitted, resamples)
    headlined = [name for name in fitted.parameters if name not in unsure and (name in EXPONENT_SYMBOLS or name == "E")]
    headlined.sort(key=lambda name: name == "E")
    intervals = resamples.intervals() if resamples else {}
    show_metrics(
        [_heldout_cell(fitted), *((symbol(name), *_value_and_note(fitted, intervals, name)) for name in headlined)]
    )
    st.caption(" ".join(ratio_sentences(fitted)))


def _heldout_cell(fitted: Fit) -> tuple[str, str, str]:
    held_out = fitted.heldout
    if held_out is None:
        return _("Held-out error"), "–", ""
    note = _("{count} largest runs, measured − predicted {bias:+.2%}").format(
        count=len(held_out.indices), bias=held_out.bias
    )
    return _("Held-out error"), f"{held_out.error:.2%}", note


def _value_and_note(fitted: Fit, intervals: dict[str, tuple[float, float]], name: str) -> tuple[str, str]:
    value = f"{fitted.parameters[name]:.4g}"
    if name == "E" and fitted.floor is not None:
        return value, _("known, not fitted")
    if name not in intervals:
        return value, ""
    low, high = intervals[name]
    interval = _("{low:.3g} to {high:.3g}").format(low=low, high=high)
    if name in EXPONENT_SYMBOLS and spread(low, high) >= ROUGH:
        return interval, _("best {value}, hardly determined").format(value=value)
    return value, interval


def unidentified(fitted: Fit, resamples: Bootstrap | None) -> set[str]:
    """The parameters that are not headlined, because the points do not identify them; E never without its interval."""
    if resamples is None:
        return {*fitted.unidentified, *(("E",) if fitted.floor is None else ())}
    return {*fitted.unidentified, *(diagnostic.parameter for diagnostic in resamples.diagnose(fitted))}


def show_warnings(fitted: Fit, resamples: Bootstrap | None) -> None:
    """The fit's warnings, each once."""
    warnings = list(fitted.warnings)
    if resamples and "E" not in fitted.unidentified:
        warnings += [diagnostic.message for diagnostic in resamples.diagnose(fitted)]
    for warning in warnings:
        st.warning(warning, icon=":material/help:")
