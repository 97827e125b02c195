"""Evaluate: perplexity, BLEU, ROUGE, edits and classification, each as it is counted on the reader's own lines."""

from playground.text import _
from ui import shell

shell.guard(
    _("Evaluate"),
    _("What is a model's answer worth, how is that counted, and how sure can one be?"),
)

import streamlit as st

from playground.errors import UserError
from ui.components.live_chart import load_chart_library
from ui.sections.evaluate.bleu import show_bleu
from ui.sections.evaluate.classification import show_label_scores
from ui.sections.evaluate.perplexity import show_perplexity
from ui.sections.evaluate.rouge import show_rouge
from ui.sections.evaluate.table_source import say
from ui.sections.evaluate.word_errors import show_word_errors
from ui.state.parameters import SECTION
from ui.widgets.choice import choose_option

TITLES = {
    "perplexity": _("Perplexity"),
    "bleu": _("BLEU, chrF, TER"),
    "rouge": _("ROUGE"),
    "edits": _("Exact match, word errors"),
    "classification": _("Classification"),
}
SHOW = {
    "perplexity": show_perplexity,
    "bleu": show_bleu,
    "rouge": show_rouge,
    "edits": show_word_errors,
    "classification": show_label_scores,
}

with st.sidebar:
    load_chart_library()
section = choose_option(SECTION, _("Section"), TITLES, hidden=True)
try:
    SHOW[section]()
except UserError as error:
    say(error)
