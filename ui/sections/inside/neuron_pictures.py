"""One neuron: its activation at every token of the text, what it changes in the logits, and its column."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
import torch
from torch import Tensor

from playground.charts.bars import token_bars_figure
from playground.charts.layout import mark_spaces
from playground.charts.palette import DECODER
from playground.lens.inspect.steps.derivation import Number
from playground.lens.inspect.steps.feed_forward import Body
from playground.lens.inspect.steps.neuron_logits import neuron_logits_step
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neuron_text import activations_at, neuron_derivations, shares_at
from playground.lens.inspect.steps.neurons import NeuronName
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.text import _
from ui.cache import TracedText
from ui.jobs import compute
from ui.sections.inside.selection import SelectedHead
from ui.sections.inside.step_layout import (
    StepSetting,
    choose_number,
    chosen_number,
    numbers_chosen,
    show_derivation,
    show_pictures,
)
from ui.sections.inside.steps import DrawnStep, draw_step
from ui.state.parameters import NEURON_VIEW
from ui.state.session import run_again
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.findings import show_caption

ALONG_TEXT = "neuron_text"
"""What the address calls the numbers along the text."""
LOGITS = "neuron_logits"
"""What the address calls the numbers of the logits that it changes, and of the way there."""
CHANGES = ("l", "k")
"""How the symbols of these logits begin, before and behind a soft cap."""
BAR_PIXELS = 240
LOGIT_ROWS = {1: 4, 2: 6}
"""The heights, in rows, of one row of logits and of two: they share the screen with the table."""


def choose_view(column: DrawnStep, *, has_logits: bool) -> str:
    """What is drawn of the neuron: its activations, the logits that it changes, the way there, or its column.

    Without a choice what has the number that the address names. column: the picture of the neuron's column.
    """
    titles = {"text": _("At every token")}
    if has_logits:
        titles |= {"logits": _("Logits it changes"), "way": _("Way to the logits")}
    titles["column"] = _("Column")
    symbols = [number.symbol for number in numbers_chosen(LOGITS)] if has_logits else []
    start = "column" if chosen_number(column) is not None else "text"
    if symbols:
        start = "logits" if symbols[0].startswith(CHANGES) else "way"
    return choose_option(NEURON_VIEW, _("Neuron"), titles, hidden=True, default=start)


def show_along_text(
    traced_text: TracedText, selected: SelectedHead, inputs: TokenInputs, neuron: NeuronName, setting: StepSetting
) -> None:
    """The neuron's activation at every token of the text; a click on one lists its terms."""
    trace, feed_forward = traced_text.trace, inputs.feed_forward
    assert feed_forward is not None
    received = compute(
        ("layer inputs", inputs.token.kind, inputs.layer),
        lambda on_progress: trace.feed_forward_inputs(inputs.token, inputs.layer, on_progress),
        title=_("Reading the layer's input at every token: attention layer"),
        cache=traced_text,
    )
    if received is None:
        return
    labels = [f"{index} {mark_spaces(token.text)}" for index, token in enumerate(trace.query_tokens(selected.kind))]
    title = _("Activation of neuron {neuron} at every token, layer {layer}")
    if inputs.is_mixture:
        title = _("Activation of neuron {neuron} times its expert's share at every token, layer {layer}")
    title = title.format(neuron=neuron_label(neuron, is_mixture=inputs.is_mixture), layer=inputs.layer)
    st.caption(title)
    st.fragment(_show_bars)(feed_forward.body, received, neuron, labels, title, setting)


def _show_bars(
    body: Body, received: Tensor, neuron: NeuronName, labels: Sequence[str], title: str, setting: StepSetting
) -> None:
    """The bars, and below them the derivation of the one that is clicked; runs alone after a click."""
    values = activations_at(body, received, neuron) * shares_at(body, received, neuron.expert)
    position = next((number.index for number in numbers_chosen(ALONG_TEXT) if number.index < len(values)), None)
    bar = draw(
        setting.model,
        token_bars_figure(values, labels, DECODER, x=_("token"), y=_("activation")),
        key=ALONG_TEXT,
        height=BAR_PIXELS,
        label=title,
        details={**setting.details, "neuron": ".".join(map(str, neuron))},
        revision=f"{setting.revision}.{neuron}",
        picks=True,
        picked=None if position is None else (0, position, 0),
    )
    if bar is not None and bar[1] < len(values) and bar[1] != position:
        choose_number(ALONG_TEXT, Number(symbol="a", index=bar[1]))
        run_again()
    if position is not None:
        for place, derivation in enumerate(neuron_derivations(body, received, neuron, position)):
            show_derivation(ALONG_TEXT, derivation, place)


def show_neuron_logits(
    inputs: TokenInputs,
    neuron: NeuronName,
    promoted: Sequence[int],
    suppressed: Sequence[int],
    setting: StepSetting,
    view: str,
) -> None:
    """The logits that the neuron raises and lowers most, or how its column reaches them."""
    with torch.inference_mode():
        step = neuron_logits_step(inputs, neuron, promoted, suppressed)
    if step is None:
        return
    show_caption(step.explanation)
    setting = replace(setting, revision=f"{setting.revision}.{view}")
    if view == "way":
        way = draw_step(replace(step, tables=step.tables[-1:]), (), inputs.token.kind)
        st.fragment(show_pictures)(setting, way)
    else:
        st.fragment(_show_changes)(setting, draw_step(replace(step, tables=step.tables[:-1]), (), inputs.token.kind))


def _show_changes(setting: StepSetting, drawn: DrawnStep) -> None:
    """The logits that rise and those that fall, side by side; runs alone after a click."""
    for column, picture in zip(st.columns(2, gap="small"), drawn.pictures, strict=True):
        lower = replace(picture, height=LOGIT_ROWS[len(picture.table.rows)])
        with column:
            show_pictures(setting, replace(drawn, pictures=(lower,)))
