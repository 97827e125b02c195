"""Attention: every head of a model on a text, or the difference of two."""

from playground.text import _
from ui import shell

shell.guard(_("Attention"), _("Where does each token look? Type a text and see every head of the model at once."))

import streamlit as st

from ui.components.attention_view import attention_tables
from ui.jobs import trace_of
from ui.sections.attention.badge import fill_badge, fill_sums, open_badge
from ui.sections.attention.bertviz import show_bertviz_views
from ui.sections.attention.comparison import choose_link, finish_comparison, show_comparison
from ui.sections.attention.export import offer_exports
from ui.sections.attention.head_doors import list_similar, show_head_doors
from ui.sections.attention.heatmaps import choose_options, has_text, show_attention_bar, show_heads
from ui.sections.attention.scores import show_scores
from ui.sections.attention.several_texts import show_several_texts
from ui.sections.generate.text_doors import text_parameters
from ui.state.parameters import MODE, MODEL
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import bar_model, bar_texts, open_bar
from ui.widgets.first_steps import show_first_steps
from ui.widgets.model import choose_other_model, next_reader, obtain_model
from ui.widgets.text import choose_other_text

ONE, TEXTS, MODELS, BERTVIZ = "one", "texts", "models", "bertviz"
TITLES = {ONE: _("One text"), TEXTS: _("Two texts"), MODELS: _("Two models"), BERTVIZ: _("BertViz")}

show_first_steps()
bar = open_bar()
choice, model = bar_model(bar)
texts = bar_texts(bar, model)
body = st.container(gap="xsmall")
with body:
    toolbar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with toolbar:
        mode = choose_option(MODE, _("Compare"), TITLES, hidden=True)
    other_texts, other_choice, linked, side = texts, None, True, {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if mode == TEXTS:
            other_texts = choose_other_text(model, texts)
            side = text_parameters(other_texts.text)
        elif mode == MODELS:
            other_choice = choose_other_model(model.name, next_reader(model.name, texts.text))
            side = {str(MODEL): other_choice.name}
        if mode in (TEXTS, MODELS):
            linked = choose_link()
    other_model = model if other_choice is None else obtain_model(other_choice)

    traced = trace_of(model, texts, key="left")
    other = trace_of(other_model, other_texts, key="right") if mode in (TEXTS, MODELS) else traced
    if not (has_text(traced) and has_text(other)):
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        st.stop()
    with toolbar:
        options = choose_options(traced)
        badge = open_badge(traced, options)

    if mode == ONE:
        view = show_heads(traced, options, key="heads", with_marks=True)
        similar = show_head_doors(options.kind, view.selected)
        attention_tables("heads")
        with st.expander(_("Scores over several texts"), icon=":material/functions:"):
            row = traced.trace.block_numbers(options.kind).index(view.selected.layer)
            show_several_texts(model, options.kind, view.selected, row)
        with st.expander(_("Export: data, HTML, Python"), icon=":material/download:"):
            offer_exports(traced, options, view, choice=choice, texts=texts)
    elif mode == BERTVIZ:
        show_bertviz_views(traced, options.kind)
    else:
        sides = show_comparison(traced, other, options, linked=linked, other=side)
show_attention_bar(bar, traced, options)
# What follows the picture, each in its place: nothing that was painted waits for it.
badge = fill_badge(badge, traced, options)
if mode == ONE:
    show_scores(traced, options, view.selected, view="heads")
    list_similar(similar, traced, options.kind, view.selected)
elif mode != BERTVIZ:
    finish_comparison(sides)
fill_sums(badge, traced, options)
