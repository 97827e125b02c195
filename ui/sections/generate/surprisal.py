"""How the model takes the text: each token's probability, surprise and entropy, perplexity and bits per byte."""

import math

import numpy as np
import streamlit as st

from playground.charts.generate import surprise_figure
from playground.errors import UserError
from playground.lens.generate.surprisal import TextSurprise, text_surprise
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _
from ui import state
from ui.components.token_view import TokenItem, token_view
from ui.jobs import refuse, work
from ui.widgets.chart import draw
from ui.widgets.choice import choose_word
from ui.widgets.download import offer_snippet, text_facts
from ui.widgets.text import Texts

DRAWN = 400
"""More tokens than this are coloured, but not drawn as bars."""


def show_surprise(model: LoadedModel, texts: Texts) -> None:
    """The text coloured by one of the measures, and its numbers; of an encoder-decoder its target."""
    if model.kind == "encoder-decoder" and texts.target is None:
        refuse(UserError(_("Type the target that is to be judged into the second field.")))
    titles = {"surprise": _("Surprise"), "probability": _("Probability"), "entropy": _("Entropy")}
    measure = choose_word(state.COLOUR_BY, _("Coloured by"), titles, key=state.COLOUR_BY)
    found = _judge(model, texts)
    _show_totals(found)
    items = surprise_items(found, measure)
    token_view(
        items,
        layout="text",
        label=_("The text, coloured by each token's {measure}").format(measure=measure),
        key="judged",
        provenance=origin(model, facts={**text_facts(texts), "coloured by": measure}),
    )
    st.caption(_("Point at a token for its numbers. Nothing is predicted where no colour can be."))
    _show_numbers(model, found, texts)
    call = f"found = text_surprise(model, {texts.text!r}, target={texts.target!r})"
    print_line = "print(found.surprise, found.perplexity, found.bits_per_byte)"
    offer_snippet(model, ["playground.lens.generate.surprisal import text_surprise"], [call, print_line])


def _judge(model: LoadedModel, texts: Texts) -> TextSurprise:
    def judge(on_progress: OnProgress) -> TextSurprise:
        return text_surprise(model, texts.text, target=texts.target, on_progress=on_progress)

    return work(model, ("surprise", texts.text, texts.target), _("Reading the text, token:"), judge)


def _show_totals(found: TextSurprise) -> None:
    values = {
        _("Tokens predicted"): f"{int(found.predicted.sum()):,}",
        _("Mean surprise (nats)"): _number(found.mean),
        _("Perplexity"): _number(found.perplexity),
        _("Bits per byte"): _number(found.bits_per_byte),
    }
    for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
        column.metric(label, value)


def _number(value: float) -> str:
    return f"{value:,.3f}" if math.isfinite(value) else "–"


def surprise_items(found: TextSurprise, measure: str) -> list[TokenItem]:
    """The tokens with their colour: the strongest is the largest value, of probabilities 1."""
    values: np.ndarray = getattr(found, measure)
    finite = values[np.isfinite(values)]
    most = 1.0 if measure == "probability" or not finite.size else max(float(finite.max()), 1e-9)
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=min(1.0, float(values[place]) / most) if found.predicted[place] else None,
            lines=_lines(found, place),
        )
        for place, token in enumerate(found.tokens)
    ]


def _lines(found: TextSurprise, place: int) -> tuple[str, ...]:
    if not found.predicted[place]:
        return (_("not predicted"),)
    surprise, entropy = float(found.surprise[place]), float(found.entropy[place])
    both = _("{name} {nats:.4f} nats, {bits:.4f} bits")
    return (
        _("probability {value:.6g}").format(value=float(found.probability[place])),
        both.format(name=_("surprise"), nats=surprise, bits=surprise / math.log(2)),
        both.format(name=_("entropy"), nats=entropy, bits=entropy / math.log(2)),
        _("rank {rank:,}").format(rank=int(found.rank[place]) + 1),
    )


def _show_numbers(model: LoadedModel, found: TextSurprise, texts: Texts) -> None:
    """The numbers as bars, and as a table that can be saved."""
    tokens = [token.text for token in found.tokens]
    if len(tokens) <= DRAWN:
        name = _("Surprise and entropy of each token")
        figure = surprise_figure(tokens, found.surprise, found.entropy)
        revision, facts = str(hash(tuple(tokens))), text_facts(texts)
        draw(model, figure, key="surprise_chart", height=300, revision=revision, label=name, facts=facts)
    with st.expander(_("All numbers as a table"), icon=":material/table:"):
        columns = {name: getattr(found, name) for name in ("probability", "surprise", "entropy", "rank")}
        st.dataframe({"token": tokens, **columns}, height=300)
