"""Step by step: one head and one query token of a loaded model, from the embedding to the residual stream."""

import math
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.lens.inspect.steps.derivation import Derivation, Number
from playground.lens.inspect.steps.finding import describe_strongest_key
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.norm import stream_vector
from playground.lens.inspect.steps.step import HeadStep, StepInputs
from playground.lens.inspect.steps.walkthrough import derive
from playground.lens.tolerances import tolerance
from playground.text import _, language
from ui.cache import TracedText, results
from ui.jobs import compute, require
from ui.sections.inside.selection import SelectedHead, layer_inside, select_head
from ui.sections.inside.step_layout import StepSetting, show_step
from ui.sections.inside.steps import DrawnStep, draw_steps
from ui.state.address import read_number, write_number
from ui.state.parameters import COMPONENTS, DIMENSION, HEAD, KIND, QUERY, SECTION
from ui.text import error_sentence
from ui.widgets.context_bar import ContextBar
from ui.widgets.doors import ABLATE, ATTENTION, door
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

MOST_KEYS = 20
FIRST_WITH_KEYS = "projection"
"""The first step that lists keys."""


def show_walkthrough(traced_text: TracedText, texts: Texts, bar: ContextBar, row: DeltaGenerator) -> None:
    """Choose a head and go through every step of it."""
    selected = select_head(traced_text, bar)
    layer = layer_inside(traced_text, selected)
    try:
        head = layer.head(selected.head, selected.query)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.stop()
    trace = traced_text.trace
    queries = [token.text for token in trace.query_tokens(selected.kind)]
    keys = [token.text for token in trace.key_tokens(selected.kind)]
    inputs = StepInputs(
        head=head,
        keys=most_attended(head),
        key_labels=[f"{index} {mark_spaces(key)}" for index, key in enumerate(keys)],
        query_label=f"{selected.query} {mark_spaces(queries[selected.query])}",
        dimension=_choose_dimension(len(head.attention.query), row),
    )
    with row:
        _show_error_badge(head, trace.model.dtype)
    revision = f"{traced_text.name}.{selected}.{inputs.dimension}.{language()}"
    setting = StepSetting(
        model=trace.model,
        revision=revision,
        details={**text_details(texts), **vars(selected)},
        derive=_deriver(traced_text, head),
    )
    steps = _drawn_steps(inputs, revision)
    names = [drawn.step.name for drawn in steps]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="inside_finding"):
        show_findings(describe_strongest_key(head.attention, inputs.query_label, inputs.key_labels, names))
        _show_doors(selected)
    for number, drawn in enumerate(steps, start=1):
        if drawn.step.name == FIRST_WITH_KEYS:
            _describe_selection(inputs)
        show_step(setting, number, drawn)
    look = f"head = traced.inside({selected.layer}, {selected.kind!r}).head({selected.head}, {selected.query})"
    offer_snippet(
        trace.model, [], [traced(texts), look, "print(head.attention.weights, head.attention.z, head.differences)"]
    )


def _choose_dimension(width: int, row: DeltaGenerator) -> int:
    """A dimension whose row of each matrix is shown."""
    start = read_number(DIMENSION, 0, width - 1)
    label = _("Dimension to trace")
    with row:
        st.caption(label, width="content")
        key = f"inside_dimension_{width}"
        chosen = int(st.number_input(label, 0, width - 1, start, key=key, label_visibility="collapsed", width=120))
    write_number(DIMENSION, chosen, 0)
    return chosen


def _show_doors(selected: SelectedHead) -> None:
    """From the numbers back to the map, and on to the model without this head."""
    place = {str(HEAD): f"{selected.layer}.{selected.head}", str(QUERY): str(selected.query), str(KIND): selected.kind}
    component = f"{selected.kind}.{selected.layer}.{selected.head}"
    door(_("Its attention map"), ATTENTION, place)
    door(_("Without this head"), ABLATE, {str(SECTION): "ablate", str(COMPONENTS): component, **place})


def _drawn_steps(inputs: StepInputs, revision: str) -> list[DrawnStep]:
    """Every step with its pictures, kept for each language."""
    return require(
        ("steps", revision, language()),
        lambda _on_progress: draw_steps(inputs),
        title=_("Drawing every number …"),
        cache=results(),
    )


def _deriver(traced_text: TracedText, head: HeadInside) -> Callable[[Number, HeadStep], Derivation | None]:
    """The derivation of any number; what was written into the residual stream takes one more pass."""

    def derivation(number: Number, step: HeadStep) -> Derivation | None:
        derived = derive([step], number)
        if number.symbol != "r" or derived.is_known:
            return derived
        query = (head.layer, head.query_position, head.kind)
        message = _("Splitting the residual stream …")
        parts = compute(
            ("stream", *query),
            lambda _on_progress: (traced_text.trace.stream_parts(*query),),
            title=message,
            cache=traced_text,
        )
        return None if parts is None else stream_vector(head, parts[0]).derive(number.column)

    return derivation


def most_attended(head: HeadInside) -> tuple[int, ...]:
    """The keys to list: all of a short text, else those of the largest weights, in their order."""
    weights = head.attention.weights
    if len(weights) <= MOST_KEYS:
        return tuple(range(len(weights)))
    return tuple(sorted(np.argsort(-weights, kind="stable")[:MOST_KEYS].tolist()))


def _describe_selection(inputs: StepInputs) -> None:
    """Which of the keys are listed, and where they come from."""
    shown, keys = len(inputs.keys), len(inputs.key_labels)
    if shown < keys:
        share = float(inputs.head.attention.weights[list(inputs.keys)].sum())
        template = _("The {shown} largest of {keys:,} attention weights are shown: {share:.1%} of the attention.")
        st.caption(template.format(shown=shown, keys=keys, share=share))
    if inputs.head.kind == "cross":
        st.caption(_("Cross-attention: the query comes from the decoder, keys and values come from the encoder."))


def _show_error_badge(head: HeadInside, dtype: str) -> None:
    """The largest difference between these numbers and the model's own, and by which step."""
    difference = head.difference
    if math.isnan(difference):
        st.badge(_("The model's numbers are not finite"), icon=":material/error:", color="red")
        return
    largest = max(1.0, float(np.abs(head.after).max()), float(np.abs(head.attention_output).max()))
    passed = difference <= tolerance("pattern", getattr(torch, dtype)) * largest
    label = _("Verified: max. error {difference:.0e}") if passed else _("Max. error {difference:.0e}")
    help_text = _("Largest difference between this recomputation and the model's own numbers, by step: {steps}.")
    steps = ", ".join(f"{name} {value:.0e}" for name, value in head.differences.items())
    st.badge(
        label.format(difference=difference),
        icon=":material/verified:" if passed else ":material/warning:",
        color="green" if passed else "orange",
        help=help_text.format(steps=steps),
    )
