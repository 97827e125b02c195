"""Published laws laid over the points at hand."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from playground.progress import OnProgress
from playground.scaling.alignment import aligned
from playground.scaling.forms.form import Parameters
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN, Published
from playground.text import _
from ui import state
from ui.jobs import ask
from ui.sections.scaling.study import Study

LAID: dict[str, Published] = {one.key: one for one in (KAPLAN, HOFFMANN, BESIROGLU)}
OVERLAY_POSITIONS = {key: place for place, key in enumerate(LAID, start=1)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlay:
    """A published law whose exponents are as printed and whose other numbers were fitted to the points."""

    name: str
    law: str
    parameters: Parameters
    place: int


def choose_overlays() -> list[str]:
    """Which published laws are laid over; all of them until somebody chooses."""
    known = list(LAID)
    chosen: list[str] = st.pills(
        _("Published exponents laid over"),
        known,
        selection_mode="multi",
        default=state.read_word_list(state.PUBLISHED, known, known),
        format_func=lambda key: LAID[key].title,
        key="choose_published",
    )
    state.write_word_list(state.PUBLISHED, chosen, known, known)
    return chosen


def obtain_overlays(study: Study, keys: list[str]) -> list[Overlay]:
    """The chosen laws, aligned with the points; those that cannot be are left out with a sentence."""
    found = []
    for key in keys:
        published = LAID[key]
        words = _("Laying {name} over the runs …").format(name=published.title)
        compute = partial(_align, published, study)
        parameters = ask(state.scaling_answers(), ("aligned", study.mark, key), words, compute)
        if parameters is not None:
            found.append(
                Overlay(name=published.title, law=published.law, parameters=parameters, place=OVERLAY_POSITIONS[key])
            )
    return found


def _align(published: Published, study: Study, _on_progress: OnProgress) -> Parameters:
    return aligned(published.law, published.parameters, study.points)
