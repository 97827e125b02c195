"""Surprisal section: each token's probability, surprisal and entropy; perplexity and bits per byte."""

import math

import numpy as np
import streamlit as st

from playground.charts.generate import surprisal_figure
from playground.errors import UserError
from playground.lens.generate.surprisal import TextSurprisal, text_surprisal
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import refuse, require
from ui.state.parameters import COLOUR_BY
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.text import Texts

MOST_BARS = 400
"""A longer text has no bar chart."""


def show_surprisal(model: LoadedModel, texts: Texts) -> None:
    """The text (encoder-decoder: the target) coloured by surprisal, probability or entropy, and its scores."""
    if model.kind == "encoder-decoder" and texts.target is None:
        refuse(UserError(_("Enter a target text to score.")))
    titles = {"surprisal": _("Surprisal"), "probability": _("Probability"), "entropy": _("Entropy")}
    measure = choose_option(COLOUR_BY, _("Colour by"), titles, key=COLOUR_BY)
    scores = _score(model, texts)
    _show_totals(model, scores)
    items = surprisal_items(scores, measure)
    token_view(
        items,
        layout="text",
        label=_("The text, coloured by {measure}").format(measure=titles[measure]),
        key="judged",
        provenance=origin(model, details={**text_details(texts), "coloured by": measure}),
    )
    st.caption(_("Point at a token for its numbers. Uncoloured tokens are not predicted."))
    _show_numbers(model, scores, texts)
    call = f"scores = text_surprisal(model, {texts.text!r}, target={texts.target!r})"
    print_line = "print(scores.surprisal, scores.perplexity, scores.bits_per_byte)"
    offer_snippet(model, ["playground.lens.generate.surprisal import text_surprisal"], [call, print_line])


def _score(model: LoadedModel, texts: Texts) -> TextSurprisal:
    def compute(on_progress: OnProgress) -> TextSurprisal:
        return text_surprisal(model, texts.text, target=texts.target, on_progress=on_progress)

    return require(
        ("surprisal", texts.text, texts.target), compute, title=_("Scoring the text, token:"), cache=results_of(model)
    )


def _show_totals(model: LoadedModel, scores: TextSurprisal) -> None:
    values = {
        _("Tokens predicted"): f"{int(scores.predicted.sum()):,}",
        _("Mean surprisal (nats per token)"): _number(scores.mean),
        _("Pseudo-perplexity") if model.kind == "encoder" else _("Perplexity"): _number(scores.perplexity),
        _("Bits per byte"): _number(scores.bits_per_byte),
    }
    for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
        column.metric(label, value)


def _number(value: float) -> str:
    return f"{value:,.3f}" if math.isfinite(value) else "–"


def surprisal_items(scores: TextSurprisal, measure: str) -> list[TokenItem]:
    """The tokens with their colour: full strength at the largest value, for probabilities at 1."""
    values: np.ndarray = getattr(scores, measure)
    finite = values[np.isfinite(values)]
    most = 1.0 if measure == "probability" or not finite.size else max(float(finite.max()), 1e-9)
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=min(1.0, float(values[position]) / most) if scores.predicted[position] else None,
            lines=_token_lines(scores, position),
        )
        for position, token in enumerate(scores.tokens)
    ]


def _token_lines(scores: TextSurprisal, position: int) -> tuple[str, ...]:
    if not scores.predicted[position]:
        return (_("not predicted"),)
    surprisal, entropy = float(scores.surprisal[position]), float(scores.entropy[position])
    both = _("{name} {nats:.4f} nats, {bits:.4f} bits")
    return (
        _("probability {value:.6g}").format(value=float(scores.probability[position])),
        both.format(name=_("surprisal"), nats=surprisal, bits=surprisal / math.log(2)),
        both.format(name=_("entropy"), nats=entropy, bits=entropy / math.log(2)),
        _("rank {rank:,}").format(rank=int(scores.rank[position]) + 1),
    )


def _show_numbers(model: LoadedModel, scores: TextSurprisal, texts: Texts) -> None:
    """Bar chart and table of the scores."""
    tokens = [token.text for token in scores.tokens]
    if len(tokens) <= MOST_BARS:
        name = _("Surprisal and entropy of each token")
        figure = surprisal_figure(tokens, scores.surprisal, scores.entropy)
        revision, details = str(hash(tuple(tokens))), text_details(texts)
        draw(model, figure, key="surprise_chart", height=300, revision=revision, label=name, details=details)
    with st.expander(_("Table"), icon=":material/table:"):
        columns = {name: getattr(scores, name) for name in ("probability", "surprisal", "entropy", "rank")}
        st.dataframe({"token": tokens, **columns}, height=300)
