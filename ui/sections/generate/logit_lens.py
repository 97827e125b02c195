"""Logit lens section: the prediction that each layer's residual stream would give."""

import streamlit as st

from playground.charts.generate import lens_figure
from playground.charts.layout import mark_spaces
from playground.lens.attribute.logit_lens import LogitLens
from playground.lens.capture.tokens import EmptyTextError, Token, label
from playground.lens.generate.findings import describe_depth
from playground.lens.intervene.patching import first_token_id
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _
from ui.cache import TracedText, results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import refuse, require, trace_of
from ui.sections.generate.next_token import first_position
from ui.sections.generate.text_doors import show_typed_text_doors
from ui.sections.generate.token_doors import show_answer_doors
from ui.state.address import read_number, read_text, write_number
from ui.state.attention import read_token
from ui.state.parameters import ANSWER, LENS_FIRST
from ui.state.revisions import widget_key
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored
from ui.widgets.text import Texts

SHOWN = 16
"""Number of positions side by side whose cells stay readable."""


def show_logit_lens(model: LoadedModel, texts: Texts) -> None:
    """Layers by positions, and the layer from which each final prediction stays top-1."""
    traced_text = trace_of(model, texts, key="lens")
    tokens = traced_text.trace.target or traced_text.trace.source
    if not tokens:
        refuse(EmptyTextError())
    position = read_token(len(tokens), first_position(model, texts))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        answers = _choose_answer(model)
        first = _choose_first(len(tokens), position)
    title = _("Decoding every layer …")
    key = ("lens", traced_text.name, *(answers or ()))
    lens = require(
        key, lambda _on_run: traced_text.trace.logit_lens(k=1, answers=answers), title=title, cache=results_of(model)
    )
    show_findings(
        describe_depth(
            f"{position} {mark_spaces(tokens[position].text)}",
            mark_spaces(_token_text(model, int(lens.answers[position]))),
            lens.rank[:, position],
        )
    )
    target = "" if answers is None else _token_text(model, answers[0])
    details = text_details(texts) | ({} if answers is None else {"target token": target})
    _draw(model, traced_text, lens, first, target, details)
    st.caption(
        _("Outlined: first layer from which the final prediction stays top-1.")
        if answers is None
        else _("Colour: probability of the target token. Outlined: first layer from which it stays top-1.")
    )
    show_answer_doors(position, read_text(ANSWER))
    _list_settled(model, texts, lens, tokens)
    show_typed_text_doors(model, texts)
    call = f"lens = traced.logit_lens(k=1, answers={answers!r})"
    offer_snippet(model, [], [traced(texts), call, "print(lens.top[..., 0], lens.probability, lens.settled)"])


def _choose_answer(model: LoadedModel) -> list[int] | None:
    """The target token whose probability is shown; None: each position's final prediction."""
    answer = st.text_input(
        _("Target token"),
        read_text(ANSWER),
        **mirrored(ANSWER, read_text(ANSWER)),
        max_chars=ANSWER.limit,
        placeholder=_("each position's final prediction"),
        help=_("Its first token counts. In most vocabularies words begin with a space."),
        width=300,
    )
    return [first_token_id(model, answer)] if answer else None


def _choose_first(count: int, position: int) -> int:
    """The first of the SHOWN positions in the chart; by default those up to the position that is looked at."""
    last = count - SHOWN
    if last <= 0:
        return 0
    default = min(last, max(0, position - SHOWN + 1))
    label = _("First position shown, of {count:,}").format(count=count)
    start = read_number(LENS_FIRST, default, last)
    key = widget_key(LENS_FIRST, f"lens_first_{count}_{default}")
    first = int(st.slider(label, min_value=0, max_value=last, value=start, key=key))
    write_number(LENS_FIRST, first, default)
    return first


def _draw(
    model: LoadedModel, traced_text: TracedText, lens: LogitLens, first: int, target: str, details: dict[str, object]
) -> None:
    tokens = traced_text.trace.target or traced_text.trace.source
    shown = slice(first, first + SHOWN)
    layers = [_("embedding"), *(str(layer) for layer in range(1, len(lens.top)))]
    labels = [f"{first + index} {mark_spaces(token.text)}" for index, token in enumerate(tokens[shown])]
    top = [[_token_text(model, int(id)) for id in layer[shown, 0]] for layer in lens.top]
    shades = lens.probability[:, shown] if target else lens.top_probability[:, shown, 0]
    figure = lens_figure(labels, layers, top, shades, lens.settled[shown], target)
    name = _("Top-1 token after each layer at each position")
    height = 110 + 26 * len(layers)
    revision = f"{traced_text.name}{first}{target}"
    draw(model, figure, key="lens_chart", height=height, revision=revision, label=name, details=details)


def _token_text(model: LoadedModel, id: int) -> str:
    return label(model.tokenizer, [id])[0].text


def _list_settled(model: LoadedModel, texts: Texts, lens: LogitLens, tokens: tuple[Token, ...]) -> None:
    """Every token, coloured by the depth at which its prediction settles."""
    last = len(lens.top) - 1
    items = [
        TokenItem(
            text=token.text,
            special=token.special,
            value=float(settled) / last if settled >= 0 else None,
            lines=(
                _("final prediction: {answer}").format(answer=_token_text(model, int(lens.answers[position]))),
                _("top-1 from layer {layer} of {last}").format(layer=int(settled), last=last)
                if settled >= 0
                else _("never top-1"),
                _("final probability {value:.6g}").format(value=float(lens.probability[-1, position])),
            ),
        )
        for position, (token, settled) in enumerate(zip(tokens, lens.settled.tolist(), strict=True))
    ]
    st.caption(_("Colour: depth at which the prediction settles."))
    label = _("Depth at which each prediction settles")
    token_view(items, layout="text", label=label, key="settled", provenance=origin(model, details=text_details(texts)))
