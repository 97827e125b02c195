"""The steps of attention: one head at one query token, from the embedding to the residual stream."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.lens.capture.shared_blocks import find_looked_at, is_shared
from playground.lens.inspect.steps.derivation import Derivation, Number
from playground.lens.inspect.steps.findings import describe_strongest_key
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.norm import stream_vector
from playground.lens.inspect.steps.step import InsideStep, StepInputs
from playground.lens.inspect.steps.stream import stream_before
from playground.lens.inspect.steps.walkthrough import derive, walkthrough
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.lens.tolerances import tolerance
from playground.text import _, language
from ui.cache import TracedText
from ui.jobs import compute, require
from ui.sections.inside.selection import SelectedHead
from ui.sections.inside.step_doors import show_head_step_doors
from ui.widgets.findings import show_findings

MOST_KEYS = 20
FIRST_WITH_KEYS = "projection"
"""The first step that lists keys."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadWay:
    """The steps of a head."""

    inputs: StepInputs
    steps: tuple[InsideStep, ...]


def head_way(traced_text: TracedText, selected: SelectedHead, head: HeadInside, dimension: int) -> HeadWay:
    """Every step of a head, kept for each choice and language."""
    return require(
        ("head way", selected, dimension, language()),
        lambda _on_progress: _make_way(traced_text, selected, head, dimension),
        title=_("Recomputing every step of the head …"),
        cache=traced_text,
    )


def _make_way(traced_text: TracedText, selected: SelectedHead, head: HeadInside, dimension: int) -> HeadWay:
    trace = traced_text.trace
    queries = [token.text for token in trace.query_tokens(selected.kind)]
    keys = [token.text for token in trace.key_tokens(selected.kind)]
    inputs = StepInputs(
        head=head,
        keys=most_attended(head),
        key_labels=[f"{index} {mark_spaces(key)}" for index, key in enumerate(keys)],
        query_label=f"{selected.query} {mark_spaces(queries[selected.query])}",
        dimension=min(dimension, len(head.attention.query) - 1),
    )
    return HeadWay(inputs=inputs, steps=walkthrough(inputs))


def most_attended(head: HeadInside) -> tuple[int, ...]:
    """The keys to list: all of a short text, else those of the largest weights, in their order."""
    weights = head.attention.weights
    if len(weights) <= MOST_KEYS:
        return tuple(range(len(weights)))
    return tuple(sorted(np.argsort(-weights, kind="stable")[:MOST_KEYS].tolist()))


def head_deriver(
    traced_text: TracedText, head: HeadInside, token: WholeToken | UserError
) -> Callable[[Number, InsideStep], Derivation | None]:
    """The derivation of any number; what was written into the residual stream takes one more pass.

    Where one block runs several times (ALBERT), the token that was followed through all runs tells it.
    """

    def derivation(number: Number, step: InsideStep) -> Derivation | None:
        derived = derive([step], number)
        if number.symbol != "r" or derived.is_known:
            return derived
        if isinstance(token, WholeToken) and is_shared(find_looked_at(traced_text.trace.model)):
            return stream_before(token, head.layer, None, "r").derive(number.column)
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


def say_head(way: HeadWay, selected: SelectedHead) -> None:
    """Which key the query attends to most, and the ways to other pages."""
    inputs, names = way.inputs, [step.name for step in way.steps]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="inside_finding"):
        show_findings(describe_strongest_key(inputs.head.attention, inputs.query_label, inputs.key_labels, names))
        show_head_step_doors(selected)


def describe_selection(inputs: StepInputs) -> None:
    """Which of the keys are listed, and where they come from."""
    shown, keys = len(inputs.keys), len(inputs.key_labels)
    if shown < keys:
        share = float(inputs.head.attention.weights[list(inputs.keys)].sum())
        template = _("The {shown} largest of {keys:,} attention weights are shown: {share:.1%} of the attention.")
        st.caption(template.format(shown=shown, keys=keys, share=share))
    if inputs.head.kind == "cross":
        st.caption(_("Cross-attention: the query comes from the decoder, keys and values come from the encoder."))


def show_head_badge(head: HeadInside, dtype: str) -> None:
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
