"""An encoder-decoder's answer: greedy, one token after the other, and by beam search with every beam drawn."""

import math

import streamlit as st

from playground.charts.generate import Twig, tree_figure
from playground.lens.generate.beams import BeamConfig, Beams, beam_search
from playground.lens.generate.generation import GenerationConfig, generate
from playground.lens.generate.predictions import GREEDY
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _
from ui import state
from ui.components.token_view import TokenItem, token_view
from ui.jobs import spell, work
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet
from ui.widgets.text import Texts

LONGEST = 96


def show_translating(model: LoadedModel, texts: Texts) -> None:
    """Both answers, and the drawing of the beams."""
    left, right = st.columns(2)
    with left:
        beams = st.number_input(_("Beams"), min_value=2, max_value=16, value=4, key=state.BEAMS, bind="query-params")
    with right:
        penalty = st.number_input(
            _("Length penalty"),
            min_value=-5.0,
            max_value=5.0,
            value=1.0,
            step=0.1,
            key=state.LENGTH_PENALTY,
            bind="query-params",
            help=_(
                "An answer's score is its log probability over its length to this power; more favours long answers."
            ),
        )
    _show_greedy(model, texts.text)
    config = BeamConfig(beams=int(beams), tokens=LONGEST, length_penalty=float(penalty))

    def search(on_progress: OnProgress) -> Beams:
        return _search(model, texts.text, config, on_progress)

    found = work(model, ("beams", texts.text, config), _("Beam search, token:"), search)
    _show_beams(model, found, texts.text, config)
    search_line = f"*_, found = beam_search(model, {texts.text!r}, {config!r})"
    line = "print([(answer.score, found.ids(answer.beam)) for answer in found.hypotheses])"
    offer_snippet(model, ["playground.lens.generate.beams import BeamConfig, beam_search"], [search_line, line])


def _show_greedy(model: LoadedModel, text: str) -> None:
    config = GenerationConfig(tokens=LONGEST, sampling=GREEDY)

    def write(on_progress: OnProgress) -> list[TokenItem]:
        items = []
        for generated in generate(model, text, config):
            on_progress(generated.number + 1, LONGEST)
            lines = (
                _("probability {value:.6g}").format(value=generated.probability),
                _("entropy before it {value:.4f} nats").format(value=generated.entropy),
            )
            token = generated.token
            items.append(TokenItem(text=token.text, special=token.special, value=generated.probability, lines=lines))
        return items

    items = work(model, ("greedy", text), _("Greedy, token:"), write)
    st.caption(_("Greedy: always the most probable token. The surer the model, the stronger the colour."))
    notes = origin(model, facts={"text": text})
    token_view(items, layout="text", label=_("The greedy answer"), key="greedy", provenance=notes)


def _search(model: LoadedModel, text: str, config: BeamConfig, on_progress: OnProgress) -> Beams:
    found = Beams()
    for step, latest in enumerate(beam_search(model, text, config), 1):
        found = latest
        on_progress(step, LONGEST)
    return found


def _show_beams(model: LoadedModel, found: Beams, text: str, config: BeamConfig) -> None:
    """The answers from best to worst, and every beam."""
    st.caption(
        _("Beam search: the answers from best to worst with their scores. Point at one for its log probability.")
    )
    items = [
        TokenItem(
            text=spell(model, found.ids(answer.beam)),
            value=math.exp(answer.score) if answer.score < 0 else 1.0,
            number=f"{answer.score:.4f}",
            lines=(
                _("log probability {value:.4f}").format(value=found.beams[answer.beam].log_probability),
                _("{count} tokens").format(count=len(found.path(answer.beam))),
            ),
            chosen=place == 0,
        )
        for place, answer in enumerate(found.hypotheses)
    ]
    notes = origin(model, facts={"text": text, **vars(config)})
    label = _("The answers that beam search found")
    token_view(items, layout="sentences", label=label, key="answers", provenance=notes)
    best = found.path(found.hypotheses[0].beam) if found.hypotheses else []
    twigs = [
        Twig(
            parent=beam.parent,
            step=beam.step,
            text=beam.token.text,
            note=_("log probability {value:.4f}").format(value=beam.log_probability),
            state=beam.state,
        )
        for beam in found.beams
    ]
    states = {"followed": _("followed"), "ended": _("ended"), "dropped": _("dropped")}
    height = min(900, 160 + 14 * len(twigs))
    figure, label = tree_figure(twigs, best, states), _("All beams, step by step")
    draw(model, figure, key="beams_chart", height=height, label=label, facts={"text": text, **vars(config)})
