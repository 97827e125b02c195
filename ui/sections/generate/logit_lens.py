"""The logit lens: what the model would say if it stopped after each layer."""

import streamlit as st

from playground.charts.generate import lens_figure
from playground.lens.attribute.logit_lens import LogitLens
from playground.lens.capture.tokens import Token, label
from playground.lens.intervene.patching import first_id
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.components.token_view import TokenItem, token_view
from ui.jobs import read, work
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_facts, traced
from ui.widgets.text import Texts

FIRST = "lens_first"
SHOWN = 16
"""How many positions stand beside each other, so that the words in the cells can be read."""


def show_logit_lens(model: LoadedModel, texts: Texts) -> None:
    """Layers by positions, and from which layer on the final answer is the first one."""
    reading = read(model, texts, key="lens")
    tokens = reading.trace.target or reading.trace.source
    if not tokens:
        st.info(_("The text has no tokens; type a few words."), icon=":material/info:")
        return
    answers = _choose_answer(model)
    words = _("Reading every layer out …")
    question = ("lens", reading.name, *(answers or ()))
    lens = work(model, question, words, lambda _on_run: reading.trace.logit_lens(k=1, answers=answers))
    first = _choose_first(len(tokens))
    followed = "" if answers is None else _text(model, answers[0])
    facts = text_facts(texts) | ({} if answers is None else {"token followed": followed})
    _draw(model, reading, lens, first, followed, facts)
    st.caption(
        _("The frame: from this layer on the model's final answer is the most probable token and stays so.")
        if answers is None
        else _("The colour is the chosen token's probability; the frame: from this layer on it is the most probable.")
    )
    _list_settled(model, texts, lens, tokens)
    call = f"lens = traced.logit_lens(k=1, answers={answers!r})"
    offer_snippet(model, [], [traced(texts), call, "print(lens.top[..., 0], lens.probability, lens.settled)"])


def _choose_answer(model: LoadedModel) -> list[int] | None:
    """A token to follow through the layers; None: at each position what the model says in the end."""
    answer = st.text_input(
        _("Token to follow"),
        key=state.ANSWER,
        bind="query-params",
        max_chars=60,
        placeholder=_("each position's own answer"),
        help=_("Its first token counts. Most models' words begin with a space."),
    )
    return [first_id(model, answer)] if answer else None


def _choose_first(count: int) -> int:
    """Which positions are drawn: the last ones, or those from a chosen one on."""
    last = count - SHOWN
    if last <= 0:
        return 0
    label = _("First position shown, of {count:,}").format(count=count)
    start = state.read_number(FIRST, last, last)
    first = int(st.slider(label, min_value=0, max_value=last, value=start, key=f"lens_first_{count}"))
    state.write_number(FIRST, first, last)
    return first


def _draw(
    model: LoadedModel, reading: Reading, lens: LogitLens, first: int, followed: str, facts: dict[str, object]
) -> None:
    tokens = reading.trace.target or reading.trace.source
    shown = slice(first, first + SHOWN)
    rows = [_("embedding"), *(str(layer) for layer in range(1, len(lens.top)))]
    top = [[_text(model, int(id)) for id in row[shown, 0]] for row in lens.top]
    labels = [token.text for token in tokens[shown]]
    shades = lens.probability[:, shown] if followed else lens.top_probability[:, shown, 0]
    figure = lens_figure(labels, rows, top, shades, lens.settled[shown], followed)
    name = _("The most probable token after each layer at each position")
    height = 110 + 26 * len(rows)
    revision = f"{reading.name}{first}{followed}"
    draw(model, figure, key="lens_chart", height=height, revision=revision, label=name, facts=facts)


def _text(model: LoadedModel, id: int) -> str:
    return label(model.tokenizer, [id])[0].text


def _list_settled(model: LoadedModel, texts: Texts, lens: LogitLens, tokens: tuple[Token, ...]) -> None:
    """Every token, coloured by how late its prediction settles, with the numbers on pointing at it."""
    last = len(lens.top) - 1
    items = [
        TokenItem(
            text=token.text,
            special=token.special,
            value=float(settled) / last if settled >= 0 else None,
            lines=(
                _("then: {answer}").format(answer=_text(model, int(lens.answers[place]))),
                _("first from layer {layer} of {last}").format(layer=int(settled), last=last)
                if settled >= 0
                else _("never the first"),
                _("probability at the end {value:.6g}").format(value=float(lens.probability[-1, place])),
            ),
        )
        for place, (token, settled) in enumerate(zip(tokens, lens.settled.tolist(), strict=True))
    ]
    st.caption(_("The later the answer settles, the stronger the colour."))
    label = _("How late each prediction settles")
    token_view(items, layout="text", label=label, key="settled", provenance=origin(model, facts=text_facts(texts)))
