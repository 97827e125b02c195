"""Fits and their intervals: computed once for the server, with progress and a way to leave."""

import streamlit as st

from playground.scaling.bootstrap import Bootstrap, bootstrap
from playground.scaling.fits import Fit, fit
from playground.scaling.laws import LAWS
from ui import state
from ui.controls.scaling.study import Study
from ui.controls.work import ask
from ui.text import _

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
    return ask(state.scaling_answers(), question, words, lambda _on_run: fit(law, study.points, floor=floor))


def known_bootstrap(study: Study, fitted: Fit, drawings: int) -> Bootstrap | None:
    """The fit's intervals, if they are there without computing."""
    question = _drawings_of(study, fitted, drawings)
    return obtain_bootstrap(study, fitted, drawings) if state.scaling_answers().knows(question) else None


def obtain_bootstrap(study: Study, fitted: Fit, drawings: int) -> Bootstrap | None:
    """The fit's intervals; None where a person has cancelled them."""
    question = _drawings_of(study, fitted, drawings)
    words = _("Fitting drawings of the runs:")
    return ask(
        state.scaling_answers(), question, words, lambda on_run: bootstrap(fitted, count=drawings, on_sample=on_run)
    )


def _drawings_of(study: Study, fitted: Fit, drawings: int) -> tuple[str, str, str, float | None, int]:
    return ("bootstrap", study.mark, fitted.law, fitted.floor, drawings)
