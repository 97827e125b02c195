"""Where one goes on from the selected head: its numbers, the model without it, what it writes, the heads like it."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.lens.capture.site import SiteKind
from playground.lens.inspect.head_kind import similar_heads
from playground.text import _
from ui.cache import TracedText
from ui.components.attention_view import Selected
from ui.sections.attention.scores import head_scores_of
from ui.state.address import write_values
from ui.state.parameters import COMBINE, HEAD, KIND, MODE, SECTION, STEP
from ui.widgets.doors import ABLATE, ATTENTION, INSIDE, TOKENS, door, doors, without_head


def show_head_doors(kind: SiteKind, selected: Selected) -> DeltaGenerator | None:
    """Links for one head, and the place of the heads like it; a mean or maximum of heads has none."""
    if selected.combine != "head":
        return None
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="head_doors"):
        door(
            _("Its numbers"),
            INSIDE,
            {STEP: "softmax"},
            help_text=_("Every number of this head, from the embedding to its output."),
        )
        door(
            _("Without it"),
            ABLATE,
            without_head(kind, selected.layer, selected.head),
            help_text=_("What the model predicts with this head ablated."),
        )
        door(
            _("What it writes"),
            ABLATE,
            {SECTION: "writes"},
            help_text=_("What each head adds to the logit of the predicted token."),
        )
        door(_("The tokens"), TOKENS, help_text=_("How the text is cut into tokens, and where they lie."))
        return st.popover(_("Heads like it"), icon=":material/grid_view:", type="tertiary")


def show_side_doors(kind: SiteKind, selected: Selected, side: Mapping[str, str], *, key: str) -> None:
    """Links for the head of one side of a comparison. side: its model or text, where these are not the page's."""
    if selected.combine != "head":
        return
    place = {**side, str(KIND): kind, str(HEAD): f"{selected.layer}.{selected.head}"}
    with st.container(key=key):
        doors(
            {
                _("This one alone"): (ATTENTION, {**place, str(MODE): "one"}),
                _("Its numbers"): (INSIDE, {**place, str(STEP): "softmax"}),
                _("Without it"): (ABLATE, {**place, **without_head(kind, selected.layer, selected.head)}),
            }
        )


def list_similar(place: DeltaGenerator | None, traced: TracedText, kind: SiteKind, selected: Selected) -> None:
    """The heads whose scores are nearest, in their place, once the scores are there."""
    if place is not None:
        with place:
            _list_similar(traced, kind, selected)


def _list_similar(traced: TracedText, kind: SiteKind, selected: Selected) -> None:
    layers = traced.trace.block_numbers(kind)
    similar = similar_heads(head_scores_of(traced, kind).scores, layers.index(selected.layer), selected.head)
    if not similar:
        st.caption(_("The scores that heads are compared by are not defined on this text."))
        return
    st.caption(
        _(
            "The heads with the nearest scores on this text: "
            "root mean square difference of previous token, first token, duplicate, induction and local."
        )
    )
    for found in similar:
        layer = layers[found.row]
        title = _("Head {layer}.{head}").format(layer=layer, head=found.head)
        st.button(
            f"{title} · {found.distance:.3f}",
            key=f"like_{layer}.{found.head}",
            type="tertiary",
            on_click=_open_head,
            args=(layer, found.head),
        )


def _open_head(layer: int, head: int) -> None:
    write_values({HEAD: f"{layer}.{head}", COMBINE: None})
