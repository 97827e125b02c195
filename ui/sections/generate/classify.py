"""Classify section: what the model's head answers about the text, and about many."""

import streamlit as st

from playground.models import LoadedModel
from playground.models.heads import HeadTask, ModelHead
from playground.text import _, _n
from ui.sections.generate.answers import show_answers
from ui.sections.generate.labels import read_explained, show_labels
from ui.sections.generate.measure_doors import labels_measure_door
from ui.sections.generate.random_heads import show_random_heads
from ui.sections.generate.rows import show_rows
from ui.sections.generate.token_labels import show_token_labels
from ui.state.address import write_integers
from ui.state.parameters import EXPLAINED
from ui.text import inert
from ui.widgets.doors import ABLATE, ATTENTION, INSIDE, TOKENS, door
from ui.widgets.text import Texts

NAMED_TENSORS = 4
SHOW = {"text": show_labels, "token": show_token_labels, "span": show_answers}


def can_classify(model: LoadedModel) -> bool:
    """Whether the section has something to say: about a head, or about the one that transformers would add."""
    return model.head is not None or (not model.is_own and model.kind != "encoder-decoder")


def show_classification(model: LoadedModel, texts: Texts) -> None:
    """The head's answer about the text, doors, and the answers about many texts."""
    head = model.head
    if head is None:
        show_random_heads(model, texts)
        return
    st.caption(_describe_head(head))
    if not head.is_trained:
        _warn_untrained(head)
    if texts.text.strip():
        best = SHOW[head.task](model, texts)
        _show_doors(model, head, best)
    else:
        st.info(_("Type a text above, or classify several below."), icon=":material/keyboard:")
    st.subheader(_("Several texts"))
    show_rows(model, head)


def _describe_head(head: ModelHead) -> str:
    kinds: dict[HeadTask, str] = {
        "text": _("labels the whole text"),
        "token": _("labels each token"),
        "span": _("finds where a passage answers a question"),
    }
    parts = [_("Loaded as {architecture}").format(architecture=inert(head.architecture)), kinds[head.task]]
    if head.task != "span":
        parts.append(_n("{n} label", "{n} labels", len(head.labels)))
    if head.task == "text":
        scales = {
            "softmax": _("one label of all (softmax)"),
            "sigmoid": _("each label for itself (sigmoid)"),
            "none": _("regression: values as they are"),
        }
        parts.append(scales[head.scale])
    return " · ".join(parts)


def _warn_untrained(head: ModelHead) -> None:
    """Say in plain sight that the answers below mean nothing."""
    shown = ", ".join(f"`{name}`" for name in head.untrained[:NAMED_TENSORS])
    more = len(head.untrained) - NAMED_TENSORS
    names = shown + (f", … (+{more})" if more > 0 else "")
    st.error(
        _(
            "**This head was never trained.** The checkpoint lacks {names}; random numbers stand in for them "
            "(transformers: “newly initialized”). The answers below mean nothing."
        ).format(names=names),
        icon=":material/casino:",
    )


def _show_doors(model: LoadedModel, head: ModelHead, best: int | None) -> None:
    """The same text where its attention is shown; a head reads what these pages read.

    best: the label that is taken apart here, where the model predicts no tokens.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="head_of_text_doors"):
        help_text = _("Every attention head of the model below this head, on the same text.")
        door(_("Look at its attention"), ATTENTION, help_text=help_text)
        door(_("Inside the model"), INSIDE)
        door(_("Its tokens"), TOKENS)
        if model.has_output_head:
            door(_("Take it apart"), ABLATE)
        elif best is not None and read_explained(len(head.labels)) is None:
            st.button(
                _("Take it apart"),
                key="explain_best",
                icon=":material/content_cut:",
                type="tertiary",
                help=_("Which tokens and which heads the most probable label comes from."),
                on_click=write_integers,
                args=(EXPLAINED, [best]),
            )
        if head.task == "text":
            labels_measure_door()
