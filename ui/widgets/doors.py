"""Doors: links from a result to the page that goes on from it, with the context taken along."""

from collections.abc import Mapping

import streamlit as st

from playground.text import _
from ui.state.context import context_parameters

ATTENTION, INSIDE, GENERATE, ABLATE = "attention", "inside", "generate", "ablate"
TRAIN, SCALING, EMERGENCE = "train", "scaling", "emergence"
ICONS = {
    ATTENTION: ":material/grid_view:",
    INSIDE: ":material/frame_inspect:",
    GENERATE: ":material/edit_note:",
    ABLATE: ":material/content_cut:",
    TRAIN: ":material/model_training:",
    SCALING: ":material/trending_down:",
    EMERGENCE: ":material/stairs:",
}


def door(label: str, page: str, parameters: Mapping[str, str] | None = None, *, help_text: str | None = None) -> None:
    """A link to another page, or to another section of this one: the context of this page, and these parameters."""
    st.page_link(
        f"pages/{page}.py",
        label=label,
        icon=ICONS[page],
        help=help_text,
        query_params={**context_parameters(), **(parameters or {})},
    )


def doors(links: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
    """Several doors in a row: page and parameters by label."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for label, (page, parameters) in links.items():
            door(label, page, parameters)


def model_doors(model: str) -> None:
    """A model, on every page that looks at one."""
    titles = {
        ATTENTION: _("Attention"),
        INSIDE: _("Inside a head"),
        GENERATE: _("Predict and generate"),
        ABLATE: _("Take it apart"),
    }
    doors({title: (page, {"model": model}) for page, title in titles.items()})
