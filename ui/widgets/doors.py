"""Doors: links from a result to the page that goes on from it, with the context taken along."""

from collections.abc import Mapping

import streamlit as st

from playground.settings import settings
from ui.shell import page_icons, page_of
from ui.state.context import context_parameters
from ui.state.parameters import COMPONENTS, SECTION

ATTENTION, INSIDE, GENERATE, ABLATE = "attention", "inside", "generate", "ablate"
TOKENS, TRAIN, SCALING, EMERGENCE = "tokens", "train", "scaling", "emergence"
EVALUATE, FINETUNE = "evaluate", "finetune"


def door(label: str, page: str, parameters: Mapping[str, str] | None = None, *, help_text: str | None = None) -> None:
    """A link to another page, or to another section of this one: the context of this page, and these parameters.

    A page that this server does not show has no door.
    """
    if page not in settings().shown_pages:
        return
    st.page_link(
        page_of(page),
        label=label,
        icon=page_icons()[page],
        help=help_text,
        query_params={**context_parameters(), **(parameters or {})},
    )


def without_head(kind: str, layer: int, head: int) -> dict[str, str]:
    """Where Take it apart ablates one head."""
    return {str(SECTION): "ablate", str(COMPONENTS): f"{kind}.{layer}.{head}"}


def doors(links: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
    """Several doors in a row: page and parameters by label."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for label, (page, parameters) in links.items():
            door(label, page, parameters)
