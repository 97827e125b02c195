"""The neurons of a feed-forward layer: which tokens they promote, where in the text they are active, a search."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
import torch

from playground.charts.bars import token_bars_figure
from playground.charts.layout import mark_spaces
from playground.charts.palette import DECODER
from playground.lens.capture.tokens import label
from playground.lens.inspect.steps.feed_forward import FeedForward
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neurons import (
    FoundNeuron,
    NeuronName,
    PromotedTokens,
    activations_at,
    output_row,
    promoted_tokens,
    search_neurons,
)
from playground.lens.inspect.steps.token_inputs import MOST_NEURONS, TokenInputs
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.cache import TracedText
from ui.jobs import compute
from ui.sections.inside.selection import SelectedHead
from ui.sections.inside.token_way import write_neuron
from ui.state.address import read_text, write_text
from ui.state.parameters import NEURON_SEARCH
from ui.state.revisions import widget_key
from ui.widgets.chart import draw
from ui.widgets.download import text_details
from ui.widgets.text import Texts

PROMOTED = 10
NAMED = 6
"""How many promoted tokens a row of the table names."""
MOST_FOUND = 100
MOST_SEARCHED = 40_000
"""Neurons that one search goes through."""


def show_neurons(traced_text: TracedText, texts: Texts, selected: SelectedHead, inputs: TokenInputs) -> None:
    """The table, the traced neuron along the text, and the search."""
    feed_forward = inputs.feed_forward
    if feed_forward is None or inputs.ranked is None or inputs.neuron is None:
        return
    names = inputs.ranked.names[:MOST_NEURONS]
    names = names if inputs.neuron in names else (*names, inputs.neuron)
    tokens = _promoted(traced_text, inputs, feed_forward, names)
    if inputs.head is None:
        st.caption(_("This model has no output matrix, so that no neuron promotes a token."))
    _show_table(inputs, names, tokens)
    _show_along_text(traced_text, texts, selected, inputs, feed_forward)
    if tokens is not None:
        _show_tokens(inputs, tokens, names.index(inputs.neuron))
        _show_search(traced_text, inputs, feed_forward)


def _promoted(
    traced_text: TracedText, inputs: TokenInputs, feed_forward: FeedForward, names: Sequence[NeuronName]
) -> PromotedTokens | None:
    """The tokens that these neurons' rows promote and suppress; None without an output matrix."""
    head = inputs.head
    if head is None:
        return None
    return compute(
        ("promoted", inputs.token.kind, inputs.layer, inputs.token.rows.positions, tuple(names)),
        lambda on_progress: promoted_tokens(
            head, torch.stack([output_row(feed_forward.body, name) for name in names]), PROMOTED, on_progress
        ),
        title=_("Multiplying neurons with the output matrix …"),
        cache=traced_text,
    )


def _show_table(inputs: TokenInputs, names: Sequence[NeuronName], tokens: PromotedTokens | None) -> None:
    """A row for each neuron; a click on one traces it."""
    ranked, is_mixture = inputs.ranked, _is_mixture(inputs)
    assert ranked is not None
    places = [ranked.names.index(name) for name in names]
    columns: dict[str, object] = {
        _("neuron"): [neuron_label(name, is_mixture=is_mixture) for name in names],
        _("adds"): ranked.added[places],
        _("activation"): ranked.activations[places],
        _("length"): ranked.lengths[places],
    }
    if is_mixture:
        columns[_("share")] = ranked.shares[places]
    if tokens is not None:
        columns[_("promotes")] = [_spelled(inputs, row[:NAMED]) for row in tokens.promoted]
        columns[_("suppresses")] = [_spelled(inputs, row[:NAMED]) for row in tokens.suppressed]
    table = pd.DataFrame(columns)
    numbers = (_("adds"), _("activation"), _("length"))
    formats = {name: st.column_config.NumberColumn(format="%.4g") for name in numbers}
    picked = st.dataframe(
        table,
        hide_index=True,
        height=280,
        column_config=formats,
        on_select="rerun",
        selection_mode="single-row",
        key=f"neurons_{inputs.token.kind}_{inputs.layer}_{inputs.token.rows.positions}",
    )
    _adopt_row(picked, names, inputs.neuron)


def _adopt_row(picked: object, names: Sequence[NeuronName], current: NeuronName | None) -> None:
    """Trace the neuron of the row that was selected just now."""
    rows = picked.selection.rows if hasattr(picked, "selection") else []
    if rows and rows[0] < len(names) and names[rows[0]] != current and _is_new(names[rows[0]]):
        write_neuron(names[rows[0]])
        st.rerun()


def _is_new(name: NeuronName) -> bool:
    """Whether the selection changed: a row stays selected when the neuron is chosen elsewhere afterwards."""
    key = "neuron_row"
    if st.session_state.get(key) == name:
        return False
    st.session_state[key] = name
    return True


def _is_mixture(inputs: TokenInputs) -> bool:
    return inputs.feed_forward is not None and inputs.feed_forward.body.experts > 1


def _spelled(inputs: TokenInputs, ids: Sequence[int]) -> str:
    return " · ".join(inputs.spelling(int(id)) for id in ids)


def _show_along_text(
    traced_text: TracedText, texts: Texts, selected: SelectedHead, inputs: TokenInputs, feed_forward: FeedForward
) -> None:
    """The traced neuron's activation at every token of the text."""
    trace, neuron = traced_text.trace, inputs.neuron
    assert neuron is not None
    received = compute(
        ("layer inputs", inputs.token.kind, inputs.layer),
        lambda _on_progress: trace.feed_forward_inputs(inputs.token, inputs.layer),
        title=_("Reading the layer's input at every token …"),
        cache=traced_text,
    )
    if received is None:
        return
    values = activations_at(feed_forward.body, received, neuron)
    labels = [f"{index} {mark_spaces(token.text)}" for index, token in enumerate(trace.query_tokens(selected.kind))]
    name = neuron_label(neuron, is_mixture=_is_mixture(inputs))
    title = _("Activation of neuron {neuron} at every token, layer {layer}")
    if _is_mixture(inputs):
        title = _("Activation of neuron {neuron} times its expert's share at every token, layer {layer}")
    title = title.format(neuron=name, layer=inputs.layer)
    st.caption(title)
    figure = token_bars_figure(values, labels, DECODER, x=_("token"), y=_("activation"))
    details = {**text_details(texts), "layer": inputs.layer, "neuron": name}
    draw(trace.model, figure, key="neuron_text", height=260, label=title, details=details, revision=f"{labels}")


def _show_tokens(inputs: TokenInputs, tokens: PromotedTokens, row: int) -> None:
    """What the traced neuron's row does to the logits."""
    assert inputs.neuron is not None
    name = neuron_label(inputs.neuron, is_mixture=_is_mixture(inputs))
    st.caption(
        _(
            "What neuron {neuron} changes in the logits for an activation of 1: its column of the last matrix, times "
            "the final norm's weights over this token's root, times the output matrix. Later layers are passed over."
        ).format(neuron=name)
    )
    sides = {
        _("promoted"): (tokens.promoted[row], tokens.raised[row]),
        _("suppressed"): (tokens.suppressed[row], tokens.lowered[row]),
    }
    for column, (title, (ids, effects)) in zip(st.columns(2), sides.items(), strict=True):
        table = pd.DataFrame({title: [inputs.spelling(int(id)) for id in ids], _("logit"): effects})
        formats = {_("logit"): st.column_config.NumberColumn(format="%.4g")}
        column.dataframe(table, hide_index=True, column_config=formats, key=f"neuron_tokens_{title}", height=250)


def _show_search(traced_text: TracedText, inputs: TokenInputs, feed_forward: FeedForward) -> None:
    """Neurons of the layer by the tokens that they promote or suppress."""
    text = st.text_input(
        _("Search this layer's neurons by their tokens"),
        read_text(NEURON_SEARCH),
        key=widget_key(NEURON_SEARCH, "neuron_search_field"),
        max_chars=NEURON_SEARCH.limit,
        placeholder=_("for example: dog"),
    )
    write_text(NEURON_SEARCH, text or None)
    if not text.strip():
        return
    names = _searched_names(inputs, feed_forward)
    tokens = _all_promoted(traced_text, inputs, feed_forward, names)
    if tokens is None:
        return
    spellings = _spellings(traced_text.trace.model, tokens)
    found = search_neurons(names, tokens, spellings.__getitem__, text)
    template = _("{count} of {total:,} neurons have this text among their {most} most promoted or suppressed tokens.")
    st.caption(template.format(count=len(found), total=len(names), most=PROMOTED))
    if found:
        _show_found(inputs, found[:MOST_FOUND], spellings)


def _searched_names(inputs: TokenInputs, feed_forward: FeedForward) -> list[NeuronName]:
    """All neurons of a dense layer; of a mixture those of as many experts as one search goes through."""
    body, names = feed_forward.body, list[NeuronName]()
    order = [branch.expert for branch in inputs.branches]
    for expert in [*order, *(number for number in range(body.experts) if number not in order)]:
        more = [NeuronName(expert, number) for number in range(body.expert(expert).count)]
        if names and len(names) + len(more) > MOST_SEARCHED:
            break
        names += more
    return names


def _all_promoted(
    traced_text: TracedText, inputs: TokenInputs, feed_forward: FeedForward, names: Sequence[NeuronName]
) -> PromotedTokens | None:
    head = inputs.head
    assert head is not None
    experts = dict.fromkeys(name.expert for name in names)

    def make(on_progress: OnProgress) -> PromotedTokens:
        rows = torch.cat([feed_forward.body.expert(expert).down.matrix.T for expert in experts])
        return promoted_tokens(head, rows, PROMOTED, on_progress)

    return compute(
        ("all promoted", inputs.token.kind, inputs.layer, inputs.token.rows.positions),
        make,
        title=_("Neurons times output matrix:"),
        cache=traced_text,
    )


def _spellings(model: LoadedModel, tokens: PromotedTokens) -> dict[int, str]:
    ids = np.unique(np.concatenate([tokens.promoted.ravel(), tokens.suppressed.ravel()])).tolist()
    return {id: mark_spaces(token.text) for id, token in zip(ids, label(model.tokenizer, ids), strict=True)}


def _show_found(inputs: TokenInputs, found: Sequence[FoundNeuron], spellings: dict[int, str]) -> None:
    """The neurons found; a click on one traces it, where the token goes through it."""
    is_mixture = _is_mixture(inputs)
    ranked = inputs.ranked
    assert ranked is not None
    activations = {name: float(value) for name, value in zip(ranked.names, ranked.activations, strict=True)}
    table = pd.DataFrame(
        {
            _("neuron"): [neuron_label(one.name, is_mixture=is_mixture) for one in found],
            _("token"): [spellings[one.token] for one in found],
            _("logit"): [one.effect for one in found],
            _("activation here"): [activations.get(one.name) for one in found],
        }
    )
    formats = {name: st.column_config.NumberColumn(format="%.4g") for name in (_("logit"), _("activation here"))}
    picked = st.dataframe(
        table,
        hide_index=True,
        height=min(240, 36 * (len(found) + 1)),
        column_config=formats,
        on_select="rerun",
        selection_mode="single-row",
        key=f"found_{inputs.layer}_{read_text(NEURON_SEARCH)}",
    )
    names = [one.name for one in found]
    _adopt_row(picked, names, inputs.neuron)
