"""Where one goes on from a step: to the head's map, the model without the head or the MLP, and what they write."""

import streamlit as st

from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.models import LoadedModel
from playground.text import _
from ui.sections.generate.token_doors import answer_for
from ui.sections.inside.selection import SelectedHead
from ui.state.parameters import COMPONENTS, GENERATE, HEAD, KIND, QUERY, SECTION
from ui.widgets.doors import ABLATE, ATTENTION, door, without_head
from ui.widgets.doors import GENERATE as GENERATE_PAGE

WRITES, LENS = {str(SECTION): "writes"}, {str(GENERATE): "lens"}


def show_head_step_doors(selected: SelectedHead) -> None:
    """From a head's numbers back to its map, on to the model without it, and to what it adds to the logit."""
    place = {str(HEAD): f"{selected.layer}.{selected.head}", str(QUERY): str(selected.query), str(KIND): selected.kind}
    door(_("Its attention map"), ATTENTION, place)
    door(_("Without this head"), ABLATE, {**without_head(selected.kind, selected.layer, selected.head), **place})
    door(_("What it writes"), ABLATE, {**WRITES, **place})


def show_feed_forward_doors(model: LoadedModel, selected: SelectedHead, inputs: TokenInputs) -> None:
    """From the numbers of the MLP to the model without it, and to what it adds to the traced token's logit."""
    part = f"{inputs.token.kind}.{inputs.layer}.feed_forward"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        door(_("Without this MLP"), ABLATE, {str(SECTION): "ablate", str(COMPONENTS): part})
        _show_logit_doors(_("What it writes"), model, selected, inputs)


def show_stream_doors(model: LoadedModel, selected: SelectedHead, inputs: TokenInputs) -> None:
    """From the stream and the logits to what wrote them, and to the predictions of each layer."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _show_logit_doors(_("What wrote this logit"), model, selected, inputs)


def _show_logit_doors(label: str, model: LoadedModel, selected: SelectedHead, inputs: TokenInputs) -> None:
    """Nothing without an output head, or where no text spells the traced token."""
    if inputs.traced is None:
        return
    answer = answer_for(model, inputs.traced, is_first=inputs.traced == inputs.top[0])
    if answer is not None:
        place = {str(QUERY): str(selected.query), **answer}
        door(label, ABLATE, {**WRITES, **place})
        door(_("In the logit lens"), GENERATE_PAGE, {**LENS, **place})
