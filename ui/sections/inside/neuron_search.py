"""A search over a feed-forward layer's neurons by the tokens that they promote or suppress."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
import torch

from playground.charts.layout import mark_spaces
from playground.lens.capture.tokens import label
from playground.lens.inspect.steps.feed_forward import FeedForward
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neurons import (
    FoundNeuron,
    NeuronName,
    PromotedTokens,
    all_names,
    all_rows,
    names_of_expert,
    promoted_tokens,
    search_neurons,
)
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.cache import TracedText
from ui.jobs import compute
from ui.state.address import read_text, write_text
from ui.state.parameters import NEURON_SEARCH
from ui.state.revisions import widget_key

MOST_PROMOTED = 10
"""Of each neuron, the tokens that are searched."""
MOST_FOUND = 100
FOUND_PIXELS, FOUND_ROW_PIXELS = 180, 36
MOST_SEARCHED = 40_000
"""Neurons that one search goes through."""


class SearchedNeurons(NamedTuple):
    """The neurons that are listed, and which row is picked."""

    names: list[NeuronName]
    picked: object


def show_search(traced_text: TracedText, inputs: TokenInputs, feed_forward: FeedForward) -> SearchedNeurons:
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
        return SearchedNeurons([], None)
    names = _searched_names(inputs, feed_forward)
    tokens = _all_promoted(traced_text, inputs, feed_forward, names)
    if tokens is None:
        return SearchedNeurons([], None)
    spellings = _spellings(traced_text.trace.model, tokens)
    found = search_neurons(names, tokens, spellings.__getitem__, text)
    st.caption(_found_sentence(len(found), len(names), len(all_names(feed_forward.body))))
    if not found:
        return SearchedNeurons([], None)
    listed = found[:MOST_FOUND]
    return SearchedNeurons([one.name for one in listed], _show_found(inputs, listed, spellings))


def _found_sentence(count: int, searched: int, total: int) -> str:
    """How many were found among how many, and how many there are besides."""
    template = _("{count} of {total:,} neurons have this text among their {most} most promoted or suppressed tokens.")
    sentence = template.format(count=count, total=searched, most=MOST_PROMOTED)
    if searched < total:
        template = _("The layer has {total:,}: only the token's own experts, and as many more as fit, are searched.")
        sentence = f"{sentence} {template.format(total=total)}"
    return sentence


def _searched_names(inputs: TokenInputs, feed_forward: FeedForward) -> list[NeuronName]:
    """All neurons of a dense layer; of a mixture those of as many experts as one search goes through."""
    body, names = feed_forward.body, list[NeuronName]()
    order = [branch.expert for branch in inputs.branches]
    for expert in [*order, *(number for number in range(body.experts) if number not in order)]:
        more = names_of_expert(body, expert)
        if names and len(names) + len(more) > MOST_SEARCHED:
            break
        names += more
    return names


def _all_promoted(
    traced_text: TracedText, inputs: TokenInputs, feed_forward: FeedForward, names: Sequence[NeuronName]
) -> PromotedTokens | None:
    slopes = inputs.slopes
    assert slopes is not None
    experts = dict.fromkeys(name.expert for name in names)

    def make(on_progress: OnProgress) -> PromotedTokens:
        rows = torch.cat([all_rows(feed_forward.body.expert(expert)) for expert in experts])
        return promoted_tokens(slopes, rows, MOST_PROMOTED, on_progress)

    return compute(
        ("all promoted", inputs.token.kind, inputs.layer, inputs.token.rows.positions),
        make,
        title=_("Neurons times output matrix:"),
        cache=traced_text,
    )


def _spellings(model: LoadedModel, tokens: PromotedTokens) -> dict[int, str]:
    ids = np.unique(np.concatenate([tokens.promoted.ravel(), tokens.suppressed.ravel()])).tolist()
    return {id: mark_spaces(token.text) for id, token in zip(ids, label(model.tokenizer, ids), strict=True)}


def _show_found(inputs: TokenInputs, found: Sequence[FoundNeuron], spellings: dict[int, str]) -> object:
    """The neurons found; returns which is picked."""
    is_mixture, ranked = inputs.is_mixture, inputs.ranked
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
    return st.dataframe(
        table,
        hide_index=True,
        height=min(FOUND_PIXELS, FOUND_ROW_PIXELS * (len(found) + 1)),
        column_config=formats,
        on_select="rerun",
        selection_mode="single-row",
        key=f"found_{inputs.layer}_{read_text(NEURON_SEARCH)}",
    )
