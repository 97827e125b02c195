"""The steps after attention: feed-forward layer, stream and output of one token, and what is traced through them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import streamlit as st
import torch

from playground.charts.layout import mark_spaces
from playground.lens.attribute.findings import largest_contributions
from playground.lens.capture.tokens import encode, label
from playground.lens.finding import Finding
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neurons import NeuronName
from playground.lens.inspect.steps.step import InsideStep
from playground.lens.inspect.steps.stream_step import stream_part_label
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.walkthrough import token_walkthrough
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.lens.tolerances import tolerance
from playground.models import LoadedModel
from playground.text import N_, _, language
from ui.cache import TracedText
from ui.jobs import require
from ui.sections.inside.selection import SelectedHead
from ui.state.address import read_integers, read_number, write_values
from ui.state.parameters import NEURON, TRACED_TOKEN
from ui.state.revisions import fresh_key
from ui.text import inert
from ui.widgets.findings import show_findings

TRACES_NEURON = ("up", "activation", "down", "neurons")
TRACES_TOKEN = ("stream", "final_norm", "output_head", "logit", "probabilities")
SPELLED = 4096
"""How many spellings of a vocabulary's tokens are kept at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenWay:
    """The steps of a token after attention."""

    inputs: TokenInputs
    steps: tuple[InsideStep, ...]


def token_way(traced_text: TracedText, selected: SelectedHead, token: WholeToken, dimension: int) -> TokenWay:
    """Every step of the token after attention, kept for each choice and language."""
    trace = traced_text.trace
    tokens = trace.query_tokens(selected.kind)
    values, chosen = read_integers(NEURON), read_number(TRACED_TOKEN, -1)
    neuron = NeuronName(*values[:2]) if len(values) == 2 else None
    choice = ("token way", selected.kind, selected.layer, selected.query, dimension, neuron, chosen, language())

    def make() -> TokenWay:
        inputs = TokenInputs(
            token=token,
            layer=selected.layer,
            label=f"{selected.query} {mark_spaces(tokens[selected.query].text)}",
            spelling=speller(trace.model),
            dimension=min(dimension, token.final.shape[1] - 1),
            traced_neuron=neuron,
            traced_token=None if chosen < 0 else chosen,
        )
        with torch.inference_mode():
            return TokenWay(inputs=inputs, steps=token_walkthrough(inputs))

    return require(
        choice, lambda _on_progress: make(), title=_("Recomputing every step of the token …"), cache=traced_text
    )


def speller(model: LoadedModel) -> Callable[[int], str]:
    """How a token of the vocabulary is spelled, with its spaces marked."""

    @lru_cache(SPELLED)
    def spelling(token: int) -> str:
        return mark_spaces(label(model.tokenizer, [token])[0].text)

    return spelling


def show_token_badge(token: WholeToken) -> None:
    """How far the recomputed logits, or the last state, are from the model's own."""
    difference = token.difference
    if math.isnan(difference):
        st.badge(_("The model's numbers are not finite"), icon=":material/error:", color="red")
        return
    passed = difference <= tolerance("module", token.rows.dtype)
    verified = N_("Verified: logits to {difference:.0e} of the largest")
    off = N_("Logits off by {difference:.0e} of the largest")
    if token.ending.head is None:
        verified, off = N_("Verified: last state to {difference:.0e}"), N_("Last state off by {difference:.0e}")
    st.badge(
        _(verified if passed else off).format(difference=difference),
        icon=":material/verified:" if passed else ":material/warning:",
        color="green" if passed else "orange",
        help=_(
            "All layers recomputed from what entered the first block, the queries, keys and values of this pass, and "
            "the weights; the largest difference from the model's own numbers, over the largest of these."
        )
        + _without_mixers(token),
    )


def _without_mixers(token: WholeToken) -> str:
    """Which blocks' own numbers are taken over, in a mixed stack."""
    if not token.mixers:
        return ""
    sentence = _("What blocks {blocks} wrote, which do not attend, is taken from the pass.")
    return " " + sentence.format(blocks=", ".join(map(str, token.mixers)))


def say_token(way: TokenWay, name: str) -> None:
    """The sentence above the step's picture, where one can be said."""
    if name in ("up", "activation", "down", "neurons"):
        show_findings(_strongest_neuron(way.inputs))
    if name == "stream" and way.inputs.contributions is not None and way.inputs.traced is not None:
        names = [stream_part_label(part) for part in way.inputs.stream.names]
        token = way.inputs.spelling(way.inputs.traced)
        show_findings(largest_contributions(names, way.inputs.contributions.parts.tolist(), token=token))


def _strongest_neuron(inputs: TokenInputs) -> Finding | None:
    """Which neuron adds most, and how many make half of what all add."""
    ranked, body = inputs.ranked, inputs.feed_forward
    if ranked is None or body is None or not ranked.added.sum() > 0:
        return None
    half = int((ranked.added.cumsum() < ranked.added.sum() / 2).sum()) + 1
    template = N_(
        "At {token}, neuron {neuron} of layer {layer} adds most: activation {activation:.3g}, length {length:.3g}. "
        "{half} of {total} neurons make half of the sum."
    )
    values = {
        "token": inputs.label,
        "neuron": neuron_label(ranked.names[0], is_mixture=body.body.experts > 1),
        "layer": inputs.layer,
        "activation": float(ranked.activations[0]),
        "length": float(ranked.lengths[0]),
        "half": half,
        "total": len(ranked.names),
    }
    return Finding(template=template, values=values)


def choose_neuron(inputs: TokenInputs) -> None:
    """The traced neuron among those that the token goes through; the one that adds most stays out of the address."""
    if inputs.ranked is None or inputs.neuron is None or inputs.feed_forward is None:
        return
    numbers = sorted({name.number for name in inputs.ranked.names if name.expert == inputs.neuron.expert})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width="content"):
        body = inputs.feed_forward.body
        if body.experts > 1:
            experts = [branch.expert for branch in inputs.branches]
            key = fresh_key("inside_expert", inputs.neuron.expert)
            st.selectbox(
                _("Expert"),
                experts,
                index=experts.index(inputs.neuron.expert),
                format_func=partial(_expert_label, getattr(body, "shared_number", None)),
                key=key,
                on_change=_adopt_neuron,
                args=(key, None, 0, inputs.neuron.number),
                width=120,
            )
        key = fresh_key("inside_neuron", inputs.neuron.number)
        st.number_input(
            _("Neuron to trace"),
            0,
            numbers[-1],
            inputs.neuron.number,
            key=key,
            on_change=_adopt_neuron,
            args=(None, key, inputs.neuron.expert, 0),
            width=120,
        )


def say_untraced(inputs: TokenInputs) -> None:
    """Why the neuron that was chosen is not the one that is traced."""
    traced, chosen, experts = inputs.neuron, inputs.traced_neuron, [branch.expert for branch in inputs.branches]
    if chosen is None or traced is None or chosen == traced or inputs.feed_forward is None:
        return
    is_mixture = inputs.feed_forward.body.experts > 1
    template = _("This layer has no neuron {chosen}. Traced is {traced}, which adds most.")
    if is_mixture and chosen.expert not in experts:
        template = _(
            "Neuron {chosen} is not on the way of {token}, which goes through these experts: {experts}. Traced is "
            "{traced}, which adds most."
        )
    sentence = template.format(
        chosen=neuron_label(chosen, is_mixture=is_mixture),
        traced=neuron_label(traced, is_mixture=is_mixture),
        token=inert(inputs.label),
        experts=", ".join(map(str, sorted(experts))),
    )
    st.info(sentence, icon=":material/info:")


def _expert_label(shared: int | None, number: int) -> str:
    return _("{number}, shared").format(number=number) if number == shared else str(number)


def _adopt_neuron(expert_key: str | None, number_key: str | None, expert: int, number: int) -> None:
    expert = expert if expert_key is None else int(st.session_state[expert_key])
    number = number if number_key is None else int(st.session_state[number_key])
    write_neuron(NeuronName(expert, number))


def write_neuron(name: NeuronName) -> None:
    """Put the traced neuron into the address."""
    write_values({NEURON: f"{name.expert}.{name.number}"})


def choose_token(inputs: TokenInputs, model: LoadedModel) -> None:
    """The token whose logit is followed: one of the most probable, or any that is typed."""
    if inputs.traced is None:
        return
    key = fresh_key("inside_traced", inputs.traced)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Token whose logit is followed"),
            inputs.top,
            index=inputs.top.index(inputs.traced),
            format_func=inputs.spelling,
            key=key,
            on_change=lambda: write_values({TRACED_TOKEN: str(st.session_state[key])}),
            width=220,
        )
        st.text_input(
            _("Any other token"),
            key="inside_typed",
            max_chars=60,
            on_change=_adopt_typed,
            args=(model, len(inputs.logits) if inputs.logits is not None else 0),
            width=160,
        )


def _adopt_typed(model: LoadedModel, vocabulary: int) -> None:
    """The first token of what was typed."""
    typed = str(st.session_state["inside_typed"])
    tokens = [token for token in encode(model.tokenizer, typed) if not token.special] if typed else []
    if tokens and tokens[0].id < vocabulary:
        write_values({TRACED_TOKEN: str(tokens[0].id)})
