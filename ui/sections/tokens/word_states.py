"""Meaning in context: one word in several texts, and how alike its states are after each layer."""

import numpy as np
import streamlit as st

from playground.charts.tokens import word_levels_figure
from playground.lens.several_texts import split_texts
from playground.models import LoadedModel
from playground.text import _
from playground.tokens.findings import describe_word
from playground.tokens.word_states import MOST_SENSES, WordStates, word_states
from ui.cache import results_of
from ui.jobs import compute
from ui.sections.tokens.subject import offer_csv, offer_text_doors, show_chart
from ui.state.address import read_text
from ui.state.parameters import SENSES, WORD
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored
from ui.widgets.text import address_text

BANK = "bank"
BANK_TEXTS = "\n".join(
    [
        "She sat on the bank of the river.",
        "He swam to the bank of the river.",
        "She went to the bank to take out a loan.",
    ]
)
"""The same sense twice, then another. Model input is not translated."""
MOST_CURVES = 6


def show_word_states(model: LoadedModel) -> None:
    """A word, some texts, and the cosines of its states over the layers."""
    form, picture = st.columns([2, 5], gap="medium")
    with form:
        word, texts = _choose_word()
    states = compute(
        ("word states", word, tuple(texts)),
        lambda on_progress: word_states(model, texts, word, on_progress),
        title=_("Reading texts:"),
        cache=results_of(model),
    )
    if states is None:
        return
    names = [
        _("texts {first} and {second}").format(first=first + 1, second=second + 1) for first, second in states.pairs
    ]
    curves = dict(list(zip(names, states.cosines, strict=True))[:MOST_CURVES])
    details = {"word": word, "texts": " | ".join(texts)}
    figure = word_levels_figure(curves, states.others)
    label = _("Cosine of the word's states after each layer")
    with picture:
        show_findings(describe_word(states))
        show_chart(model, figure, key="word_chart", label=label, details=details, height=380)
        _say_tokens(states)
        if len(names) > MOST_CURVES:
            template = _("Curves of the first {shown} of {count} pairs of texts; the CSV has all.")
            st.caption(template.format(shown=MOST_CURVES, count=len(names)))
    rows: list[tuple[object, ...]] = [("layer", *names, "other tokens")]
    rows += [
        (str(level), *states.cosines[:, level].tolist(), float(states.others[level])) for level in range(states.levels)
    ]
    offer_csv(model, rows, name="word-states", details=details)
    offer_text_doors(texts[0], texts[-1])
    lines = [f"states = word_states(model, {list(texts)!r}, {word!r})", "print(states.pairs, states.cosines)"]
    offer_snippet(model, ["playground.tokens.word_states import word_states"], lines)


def _choose_word() -> tuple[str, list[str]]:
    """The word, and the texts that hold it."""
    shown = read_text(WORD, BANK)
    word = st.text_input(_("Word"), shown, **mirrored(WORD, shown, BANK), max_chars=WORD.limit).strip()
    label = _("Two to {most} texts that hold the word, one on each line").format(most=MOST_SENSES)
    return word, split_texts(address_text(SENSES, BANK_TEXTS, label=label, rows=4))


def _say_tokens(states: WordStates) -> None:
    """Which tokens spell the word, and what the dotted line is."""
    spelled = [_("{number}: {tokens}").format(number=n, tokens=" ".join(t)) for n, t in enumerate(states.tokens, 1)]
    st.text(_("Tokens of the word in text {spelled}").format(spelled=" · ".join(spelled)))
    explanation = _(
        "Below 1 at layer 0 only where positions are added to the embedding. Dotted: the mean cosine of other tokens, "
        "over all pairs of different ones from different texts. In many models any two states are alike in deep layers "
        "(Ethayarajh 2019): read a curve by its distance from the dotted line."
    )
    st.caption(explanation)
    if np.isnan(states.others).all():
        st.caption(_("There is no dotted line: the texts have no other tokens to compare."))
