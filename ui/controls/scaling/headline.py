"""What a fit says, the most trustworthy first: how well it foretells, then its numbers with their intervals."""

import streamlit as st

from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from ui.controls.scaling.shown import show_metrics
from ui.text import _

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "alpha_N": "α_N",
    "alpha_D": "α_D",
    "c0": "c₀",
    "c1": "c₁",
}


def symbol(name: str) -> str:
    """A parameter as it is written."""
    return GREEK.get(name, name)


def show_headline(fitted: Fit, intervals: Bootstrap | None) -> None:
    """The held-out error, the exponents and E where the points tell them, and the doubts.

    Exponents have no unit and mean something beside other people's; coefficients stand among the intervals.
    """
    unsure = untold(fitted, intervals)
    told = [name for name in fitted.parameters if name not in unsure and (name in GREEK or name == "E")]
    told.sort(key=lambda name: name == "E")
    known = intervals.intervals() if intervals else {}
    cells = [_heldout_cell(fitted), *((symbol(name), *_value_words(fitted, known, name)) for name in told)]
    show_metrics(cells)
    show_doubts(fitted, intervals)


def _heldout_cell(fitted: Fit) -> tuple[str, str, str]:
    found = fitted.heldout
    if found is None:
        return _("Held-out error"), "–", ""
    words = _("{count} largest runs, bias {bias:+.2%}").format(count=len(found.rows), bias=found.bias)
    return _("Held-out error"), f"{found.error:.2%}", words


def _value_words(fitted: Fit, known: dict[str, tuple[float, float]], name: str) -> tuple[str, str]:
    value = f"{fitted.parameters[name]:.4g}"
    if name == "E" and fitted.floor is not None:
        return value, _("known, not fitted")
    if name not in known:
        return value, ""
    return value, _("{low:.3g} to {high:.3g}").format(low=known[name][0], high=known[name][1])


def untold(fitted: Fit, intervals: Bootstrap | None) -> set[str]:
    """The numbers that are not headlined, because the points do not tell them; E never without its interval."""
    if intervals is None:
        return {*fitted.unidentified, *(("E",) if fitted.floor is None else ())}
    loose = intervals.doubts(fitted)
    return {*fitted.unidentified, *(doubt.parameter for doubt in loose)}


def show_doubts(fitted: Fit, intervals: Bootstrap | None) -> None:
    """Sentences of doubt, each once."""
    sentences = list(fitted.warnings)
    if intervals and "E" not in fitted.unidentified:
        sentences += [doubt.sentence for doubt in intervals.doubts(fitted)]
    for sentence in sentences:
        st.warning(sentence, icon=":material/help:")
