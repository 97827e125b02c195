"""The selected head: chosen in any picture, with doors to where it is looked at."""

from collections.abc import Mapping

import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.text import _
from ui.sections.ablate.options import Subject, components_of, write_components
from ui.state.address import unless, write_values
from ui.state.attention import read_head
from ui.state.parameters import HEAD, KIND, SECTION
from ui.state.session import run_again
from ui.widgets.doors import ATTENTION, INSIDE, door

ABLATE, WRITES, SEARCH = "ablate", "writes", "heads"


def chosen_head(subject: Subject, kind: SiteKind) -> tuple[int, int] | None:
    """The layer and head that the bar shows, if this kind of attention has it."""
    return read_head(None, subject.clean.layers_of(kind), subject.clean.heads_of(kind))


def adopt_head(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    """Select a head for the whole app."""
    write_values({HEAD: f"{layer}.{head}", KIND: unless(kind, subject.clean.kinds[0])})


def choose_head(subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    """Select a head that was clicked; the bar above shows it in the run that follows."""
    adopt_head(subject, kind, layer, head)
    run_again()


def offer_head_doors(subject: Subject, kind: SiteKind, head: tuple[int, int] | None = None, *, here: str = "") -> None:
    """From the selected head, or a given one, to its pictures, numbers, effect and contributions.

    here: the section that asks, to which no door leads.
    """
    head = chosen_head(subject, kind) if head is None else head
    if head is None:
        return
    layer, number = head
    name = f"{layer}.{number}"
    context = {str(HEAD): name, **({str(KIND): kind} if subject.clean.kinds[1:] else {})}
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"head_doors_{here}"):
        show_head_looks(name, context)
        if here != WRITES and subject.clean.predictions:
            _section_door(_("What it writes"), WRITES, subject, kind, head, ":material/edit:")
        if here != ABLATE and subject.clean.predictions:
            _section_door(_("Without it"), ABLATE, subject, kind, head, ":material/content_cut:")
        if here != SEARCH:
            _section_door(_("Find heads"), SEARCH, subject, kind, head, ":material/search:")


def show_head_looks(name: str, context: Mapping[str, str]) -> None:
    """A head's name, and the doors to its pictures and its numbers, in a row."""
    st.caption(_("Head {head}:").format(head=name), width="content")
    door(_("Its attention"), ATTENTION, context)
    door(_("Its numbers"), INSIDE, context)


def offer_token_doors() -> None:
    """From an attribution by tokens to where the chosen token looks."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="token_doors"):
        door(_("Attention of all heads"), ATTENTION)
        door(_("Numbers inside a head"), INSIDE)


def _section_door(label: str, section: str, subject: Subject, kind: SiteKind, head: tuple[int, int], icon: str) -> None:
    st.button(
        label,
        key=f"door_{section}",
        type="tertiary",
        icon=icon,
        on_click=_open_section,
        args=(section, subject, kind, *head),
    )


def _open_section(section: str, subject: Subject, kind: SiteKind, layer: int, head: int) -> None:
    """Another section with this head selected; to be ablated it is the whole joint set."""
    adopt_head(subject, kind, layer, head)
    if section == ABLATE:
        word = f"{kind}.{layer}.{head}"
        write_components([word] if word in components_of(subject.clean) else [])
    write_values({SECTION: unless(section, ABLATE)})
