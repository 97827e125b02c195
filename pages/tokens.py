"""Tokens: how a text is cut, where its tokens lie, and what sentences share."""

from playground.text import _
from ui import shell

shell.guard(
    _("Tokens"),
    _("How is a text cut into tokens, where do they lie in the embedding space, and what do sentences share?"),
)

import streamlit as st

from playground.errors import UserError
from ui.components.live_chart import load_chart_library
from ui.jobs import refuse
from ui.sections.tokens.embedding import show_embedding
from ui.sections.tokens.languages import show_languages
from ui.sections.tokens.sentences import show_sentences
from ui.sections.tokens.subject import obtain_subject, offer_text_doors
from ui.sections.tokens.tokenizer import show_tokenizer
from ui.sections.tokens.two_tokenizers import show_two_tokenizers
from ui.sections.tokens.word_states import show_word_states
from ui.state.address import read_choice
from ui.state.parameters import SECTION
from ui.widgets.choice import choose_segment
from ui.widgets.context_bar import bar_model, bar_texts, open_bar
from ui.widgets.mirror import mirrored

TOKENIZER = "tokenizer"
TITLES = {
    TOKENIZER: _("Tokenizer"),
    "models": _("Two tokenizers"),
    "languages": _("Languages"),
    "embedding": _("Embedding space"),
    "meaning": _("Meaning in context"),
    "sentences": _("Sentence similarity"),
}
OF_THE_TEXT = {TOKENIZER: show_tokenizer, "models": show_two_tokenizers, "embedding": show_embedding}
OF_THE_MODEL = {"languages": show_languages, "meaning": show_word_states, "sentences": show_sentences}

with st.sidebar:
    load_chart_library()
bar = open_bar()
_choice, model = bar_model(bar)
texts = bar_texts(bar, model)
section = read_choice(SECTION, list(TITLES))
choose_segment(
    _("Section"),
    list(TITLES),
    section,
    **mirrored(SECTION, section, TOKENIZER),
    format_func=TITLES.__getitem__,
    label_visibility="collapsed",
)
subject = obtain_subject(bar, model, texts) if section in OF_THE_TEXT else None
try:
    if subject is None:
        OF_THE_MODEL[section](model)
    else:
        OF_THE_TEXT[section](subject)
        offer_text_doors()
except UserError as error:
    refuse(error)
