"""The logit lens: what the model would say if it stopped after each layer."""

import streamlit as st

from playground.charts.prediction import lens_figure
from playground.lens.logit_lens import LogitLens
from playground.lens.tokens import Token, label
from playground.models import LoadedModel
from ui.components.live_chart import live_chart
from ui.components.token_view import TokenItem, token_view
from ui.controls.generate.asking import work
from ui.controls.reading import read
from ui.controls.texts import Texts
from ui.readings import Reading
from ui.text import _

SHOWN = 16
"""How many positions stand beside each other, so that the words in the cells can be read."""


def show_logit_lens(model: LoadedModel, texts: Texts) -> None:
    """Layers by positions, and from which layer on the final answer is the first one."""
    reading = read(model, texts, key="lens")
    tokens = reading.trace.target or reading.trace.source
    if not tokens:
        st.info(_("The text has no tokens; type a few words."), icon=":material/info:")
        return
    words = _("Reading every layer out …")
    lens = work(model, ("lens", reading.name), words, lambda _on_run: reading.trace.logit_lens(k=1))
    first = _choose_first(len(tokens))
    _draw(model, reading, lens, tokens, first)
    st.caption(_("The frame: from this layer on the model's final answer is the most probable token and stays so."))
    _list_settled(model, lens, tokens)


def _choose_first(count: int) -> int:
    """Which positions are drawn: the last ones, or those from a chosen one on."""
    last = count - SHOWN
    if last <= 0:
        return 0
    words = _("First position shown, of {count:,}")
    return int(st.slider(words.format(count=count), min_value=0, max_value=last, value=last, key=f"lens_first_{count}"))


def _draw(model: LoadedModel, reading: Reading, lens: LogitLens, tokens: tuple[Token, ...], first: int) -> None:
    shown = slice(first, first + SHOWN)
    rows = [_("embedding"), *(str(layer) for layer in range(1, len(lens.top)))]
    top = [[_text(model, int(id)) for id in row[shown, 0]] for row in lens.top]
    figure = lens_figure(
        [token.text for token in tokens[shown]], rows, top, lens.top_probability[:, shown, 0], lens.settled[shown]
    )
    name = _("The most probable token after each layer at each position")
    height = 110 + 26 * len(rows)
    live_chart(figure, key="lens_chart", height=height, revision=f"{reading.name}{first}", label=name)


def _text(model: LoadedModel, id: int) -> str:
    return label(model.tokenizer, [id])[0].text


def _list_settled(model: LoadedModel, lens: LogitLens, tokens: tuple[Token, ...]) -> None:
    """Every token, coloured by how late its prediction settles, with the numbers on pointing at it."""
    last = len(lens.top) - 1
    items = [
        TokenItem(
            text=token.text,
            special=token.special,
            value=float(settled) / last,
            lines=(
                _("then: {answer}").format(answer=_text(model, int(lens.answers[place]))),
                _("first from layer {layer} of {last}").format(layer=int(settled), last=last),
                _("probability at the end {value:.6g}").format(value=float(lens.probability[-1, place])),
            ),
        )
        for place, (token, settled) in enumerate(zip(tokens, lens.settled.tolist(), strict=True))
    ]
    st.caption(_("The later the answer settles, the stronger the colour."))
    token_view(items, layout="text", label=_("How late each prediction settles"), key="settled")
