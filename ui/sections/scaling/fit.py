"""Fits and their intervals: computed once for the server, with progress and a way to leave."""

import streamlit as st

from playground.scaling.bootstrap import Bootstrap, bootstrap
from playground.scaling.fits import Fit, fit
from playground.scaling.laws import LAWS
from playground.text import _
from ui import state
from ui.jobs import ask
from ui.sections.scaling.figure import show_metrics
from ui.sections.scaling.study import Study

DRAWINGS = (200, 1000, 4000)
"""Of the bootstrap; the first is what the page begins with."""
HOLD = "hold"


def choose_law() -> str:
    """A law by name; Chinchilla's is the usual one."""
    words = list(LAWS)
    word: str = st.selectbox(
        _("Law"),
        words,
        index=words.index(state.read_word(state.LAW, words)),
        format_func=lambda name: LAWS[name].title,
        key="choose_law",
    )
    state.write_word(state.LAW, word, words[0])
    return word


def choose_drawings() -> int:
    """How many drawings the intervals rest on."""
    words = [str(count) for count in DRAWINGS]
    word = st.selectbox(
        _("Bootstrap drawings"),
        words,
        index=words.index(state.read_word("drawings", words)),
        key="choose_drawings",
        help=_("Intervals come from fitting the law again to runs drawn with replacement. More drawings, finer ends."),
    )
    state.write_word("drawings", word, words[0])
    return int(word)


def choose_floor(study: Study, law: str) -> None:
    """Whether E is held at the lowest possible loss, where that is known and the law has an E."""
    if study.floor is None or not _has_offset(law):
        return
    holds = st.toggle(
        _("Hold E at the lowest possible loss, which is known here: {floor:.4f}").format(floor=study.floor),
        value=state.read_flag(HOLD, True),
        key="holds_floor",
        help=_(
            "These runs learn made-up stories whose entropy can be counted. Let E go to see how little runs tell it."
        ),
    )
    state.write_flag(HOLD, holds, True)


def floor_of(study: Study, law: str) -> float | None:
    """Where E is held; None where it is fitted."""
    return study.floor if _has_offset(law) and state.read_flag(HOLD, True) else None


def _has_offset(law: str) -> bool:
    return LAWS[law].parameters[0] == "E"


def obtain_fit(study: Study, law: str) -> Fit | None:
    """The law fitted to the points; None, with a sentence, where that cannot be."""
    words, floor = _("Fitting from many starts …"), floor_of(study, law)
    question = ("fit", study.mark, law, floor)
    return ask(state.scaling_answers(), question, words, lambda _on_progress: fit(law, study.points, floor=floor))


def known_bootstrap(study: Study, fitted: Fit, drawings: int) -> Bootstrap | None:
    """The fit's intervals, if they are there without computing."""
    question = _drawings_of(study, fitted, drawings)
    return obtain_bootstrap(study, fitted, drawings) if state.scaling_answers().knows(question) else None


def obtain_bootstrap(study: Study, fitted: Fit, drawings: int) -> Bootstrap | None:
    """The fit's intervals; None where a person has cancelled them."""
    question = _drawings_of(study, fitted, drawings)
    words = _("Fitting drawings of the runs:")
    return ask(
        state.scaling_answers(),
        question,
        words,
        lambda on_progress: bootstrap(fitted, count=drawings, on_sample=on_progress),
    )


def _drawings_of(study: Study, fitted: Fit, drawings: int) -> tuple[str, str, str, float | None, int]:
    return ("bootstrap", study.mark, fitted.law, fitted.floor, drawings)


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
