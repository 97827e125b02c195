"""An encoder-decoder's answer: greedy, and beam search with every beam in a tree."""

import math
from functools import partial

import streamlit as st

from playground.charts.generate import TreeNode, tree_figure, tree_height
from playground.lens.generate.beams import BeamConfig, BeamSearch, beam_search
from playground.lens.generate.findings import compare_greedy, describe_answers
from playground.lens.generate.generation import GenerationConfig, generate
from playground.lens.generate.predictions import GREEDY
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _, _n, fill
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require, spell
from ui.sections.generate.measure_doors import answer_measure_door
from ui.sections.generate.text_doors import answer_parameters, show_text_doors
from ui.state.parameters import BEAMS, LENGTH_PENALTY
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

MAX_NEW_TOKENS = 96


def show_translation(model: LoadedModel, texts: Texts) -> None:
    """Both answers, and the tree of beams."""
    left, right = st.columns(2)
    with left:
        beams = st.number_input(_("Beams"), min_value=2, max_value=16, value=4, key=BEAMS, bind="query-params")
    with right:
        penalty = st.number_input(
            _("Length penalty"),
            min_value=-5.0,
            max_value=5.0,
            value=1.0,
            step=0.1,
            key=LENGTH_PENALTY,
            bind="query-params",
            help=_("Score = log probability / length ** penalty; higher values favour longer answers."),
        )
    greedy = _show_greedy(model, texts.text)
    config = BeamConfig(beams=int(beams), max_new_tokens=MAX_NEW_TOKENS, length_penalty=float(penalty))

    def compute(on_progress: OnProgress) -> BeamSearch:
        return _search(model, texts.text, config, on_progress)

    search = require(("beams", texts.text, config), compute, title=_("Beam search, token:"), cache=results_of(model))
    _show_findings(search, greedy)
    _show_beams(model, search, texts.text, config)
    search_line = f"*_, search = beam_search(model, {texts.text!r}, {config!r})"
    line = "print([(answer.score, search.ids(answer.beam)) for answer in search.hypotheses])"
    offer_snippet(model, ["playground.lens.generate.beams import BeamConfig, beam_search"], [search_line, line])


def _show_findings(search: BeamSearch, greedy: float) -> None:
    """The best answer, its margin, and how greedy decoding compares."""
    answers = search.hypotheses
    log_probabilities = [search.beams[answer.beam].log_probability for answer in answers]
    lengths = [len(search.path(answer.beam)) for answer in answers]
    show_findings(
        describe_answers([answer.score for answer in answers], log_probabilities, lengths),
        compare_greedy(greedy, log_probabilities[0]) if answers else None,
    )


def _show_greedy(model: LoadedModel, text: str) -> float:
    """Greedy decoding's answer; returns its log probability."""
    config = GenerationConfig(max_new_tokens=MAX_NEW_TOKENS, sampling=GREEDY)

    def decode(on_progress: OnProgress) -> tuple[list[TokenItem], float]:
        items, surprisal = list[TokenItem](), 0.0
        for generated in generate(model, text, config):
            on_progress(generated.number + 1, MAX_NEW_TOKENS)
            lines = (
                _("probability {value:.6g}").format(value=generated.probability),
                _("entropy before it {value:.4f} nats").format(value=generated.entropy),
            )
            token, surprisal = generated.token, surprisal + generated.surprisal
            items.append(TokenItem(text=token.text, special=token.special, value=generated.probability, lines=lines))
        return items, -surprisal

    items, log_probability = require(("greedy", text), decode, title=_("Greedy, token:"), cache=results_of(model))
    st.caption(_("Greedy: always the most probable token. Colour: probability."))
    notes = origin(model, details={"text": text})
    token_view(items, layout="text", label=_("Greedy answer"), key="greedy", provenance=notes)
    return log_probability


def _search(model: LoadedModel, text: str, config: BeamConfig, on_progress: OnProgress) -> BeamSearch:
    search = BeamSearch()
    for step, latest in enumerate(beam_search(model, text, config), 1):
        search = latest
        on_progress(step, MAX_NEW_TOKENS)
    return search


def _show_beams(model: LoadedModel, search: BeamSearch, text: str, config: BeamConfig) -> None:
    """The answers from best to worst, and the tree of beams."""
    st.caption(_("Beam search: answers from best to worst with their scores. Point at one for its log probability."))
    items = [
        TokenItem(
            text=spell(model, search.ids(answer.beam)),
            value=math.exp(answer.score) if answer.score < 0 else 1.0,
            number=f"{answer.score:.4f}",
            lines=(
                fill(_("log probability {value:.4f}"), value=search.beams[answer.beam].log_probability),
                _n("{n} token", "{n} tokens", len(search.path(answer.beam))),
            ),
            chosen=rank == 0,
        )
        for rank, answer in enumerate(search.hypotheses)
    ]
    notes = origin(model, details={"text": text, **vars(config)})
    label = _("Answers of beam search")
    token_view(items, layout="sentences", label=label, key="answers", provenance=notes)
    if items:
        best_answer = items[0].text
        show_text_doors(answer_parameters(best_answer), measure=partial(answer_measure_door, best_answer))
    best = search.path(search.hypotheses[0].beam) if search.hypotheses else []
    nodes = [
        TreeNode(
            parent=beam.parent,
            step=beam.step,
            text=beam.token.text,
            note=fill(_("log probability {value:.4f}"), value=beam.log_probability),
            state=beam.state,
        )
        for beam in search.beams
    ]
    states = {"kept": _("kept"), "finished": _("finished"), "pruned": _("pruned")}
    figure, label = tree_figure(nodes, best, states), _("All beams by step")
    draw(
        model, figure, key="beams_chart", height=tree_height(nodes), label=label, details={"text": text, **vars(config)}
    )
