"""A map of the steps on a token's way: groups of boxes, one of which is where the page stands."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from playground.text import _
from ui.components.shared.registration import module, register, report_of, style

__all__ = ["StepBox", "StepGroup", "step_map"]


@dataclass(frozen=True, kw_only=True)
class StepBox:
    """One step."""

    name: str
    """As it stands in the address."""
    title: str
    number: int
    """Its place on the way; 0 for a box that stands for all of them."""


@dataclass(frozen=True, kw_only=True)
class StepGroup:
    """Steps that belong together: a layer's, or the output's."""

    title: str
    boxes: tuple[StepBox, ...]


_component = register(
    "step_map",
    module("step_map", "step_map", shared="connection dom mount"),
    html='<nav class="root"></nav>',
    css=style("step_map"),
)


def step_map(groups: Sequence[StepGroup], current: str, *, key: str, on_pick: Callable[[str], None]) -> None:
    """Draw the map. on_pick: takes the step that was chosen, by a click or the left and right keys."""
    names = {box.name for group in groups for box in group.boxes}

    def adopt() -> None:
        picked = report_of(st.session_state.get(key), "picked")
        if isinstance(picked, str) and picked in names:
            on_pick(picked)

    labels = {"title": _("Steps"), "previous": _("Previous step"), "next": _("Next step")}
    data = {"groups": [asdict(group) for group in groups], "current": current, "labels": labels}
    _component(key=key, data=data, on_picked_change=adopt)
