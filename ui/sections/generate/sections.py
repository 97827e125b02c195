"""The sections of the page Generate, and which kinds of models have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.lens.capture.attending import attending_blocks
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import input_tokens
from playground.lens.generate.predictions import require_output_head
from playground.models import LoadedModel
from playground.models.catalogue import Kind
from playground.text import N_, _
from ui.jobs import refuse, trace_of
from ui.sections.generate.chat import has_chat_template, show_chat
from ui.sections.generate.classify import can_classify, show_classification
from ui.sections.generate.continuation import show_continuation
from ui.sections.generate.fill_mask import show_fill_mask
from ui.sections.generate.logit_lens import show_logit_lens
from ui.sections.generate.next_token import first_position, predicting_tokens, show_next_token
from ui.sections.generate.surprisal import show_surprisal
from ui.sections.generate.translation import show_translation
from ui.state.address import read_choice, read_value
from ui.state.parameters import GENERATE
from ui.text import inert
from ui.widgets.choice import choose_segment
from ui.widgets.context_bar import ContextBar, bar_head, bar_token
from ui.widgets.mirror import mirrored
from ui.widgets.text import Texts


def predicts_tokens(model: LoadedModel) -> bool:
    """Whether a model has an output head."""
    return model.has_output_head


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page."""

    word: str
    """In the address."""
    title: str
    """Translated when it is shown, as `needs`."""
    kinds: tuple[Kind, ...]
    needs: str
    """What kind of model has it, in words."""
    show: Callable[[LoadedModel, Texts], None]
    fits: Callable[[LoadedModel], bool] = predicts_tokens
    """Whether a model of these kinds has the section."""


GENERATORS: tuple[Kind, ...] = ("decoder", "encoder-decoder")
ALL: tuple[Kind, ...] = ("decoder", "encoder", "encoder-decoder")
GENERATES, HAS_OUTPUT = N_("a decoder or an encoder-decoder"), N_("a model with an output head")
SECTIONS = (
    Section(word="next", title=N_("Next token"), kinds=GENERATORS, needs=GENERATES, show=show_next_token),
    Section(word="write", title=N_("Generate"), kinds=GENERATORS, needs=GENERATES, show=show_continuation),
    Section(word="fill", title=N_("Fill-mask"), kinds=("encoder",), needs=N_("an encoder"), show=show_fill_mask),
    Section(
        word="translate",
        title=N_("Translate"),
        kinds=("encoder-decoder",),
        needs=N_("an encoder-decoder"),
        show=show_translation,
    ),
    Section(
        word="chat",
        title=N_("Chat"),
        kinds=("decoder",),
        needs=N_("a decoder whose tokenizer brings a chat template"),
        show=show_chat,
        fits=has_chat_template,
    ),
    Section(word="surprisal", title=N_("Surprisal"), kinds=ALL, needs=HAS_OUTPUT, show=show_surprisal),
    Section(word="lens", title=N_("Logit lens"), kinds=ALL, needs=HAS_OUTPUT, show=show_logit_lens),
    Section(
        word="classify",
        title=N_("Classify"),
        kinds=ALL,
        needs=N_("a model with a classification head"),
        show=show_classification,
        fits=can_classify,
    ),
)


def show_prediction_bar(bar: ContextBar, section: Section, model: LoadedModel, texts: Texts) -> None:
    """The head and the token that are taken along from other pages."""
    kind: SiteKind = "decoder" if model.kind == "encoder-decoder" else model.kind
    bar_head(bar, None, layers=attending_blocks(model, kind), heads=model.n_heads)
    if model.kind != "encoder-decoder":
        bar_token(bar, [token.text for token in input_tokens(model, texts.text, texts.pair)])
    elif section.word in OF_THE_TARGET:
        tokens = predicting_tokens(trace_of(model, texts, key=section.word))
        bar_token(bar, [token.text for token in tokens], first_position(model, texts))


OF_THE_TARGET = ("next", "lens")
"""Sections that look at a position of an encoder-decoder's target."""


def require_predictions(model: LoadedModel) -> None:
    """Say so and stop where the model has no head that could be asked."""
    if fitting_sections(model):
        return
    try:
        require_output_head(model)
    except UserError as error:
        refuse(error)


def choose_prediction_section(model: LoadedModel) -> Section:
    """The section in the address, among those for this kind of model; the first otherwise."""
    fitting = {section.word: section for section in fitting_sections(model)}
    first = next(iter(fitting))
    _say_missing(fitting, model)
    shown = read_choice(GENERATE, list(fitting))
    word: str = choose_segment(
        _("Section"),
        list(fitting),
        shown,
        **mirrored(GENERATE, shown, first),
        format_func=lambda word: _(fitting[word].title),
        label_visibility="collapsed",
    )
    return fitting[word]


def _say_missing(fitting: Mapping[str, Section], model: LoadedModel) -> None:
    """Why the section that the address asks for is not shown."""
    missing = {section.word: section for section in SECTIONS if section.word not in fitting}
    asked = missing.get(read_value(GENERATE) or "")
    if asked is None:
        return
    st.info(
        _("“{title}” needs {needs}. Of {name} you see “{first}”.").format(
            title=_(asked.title),
            needs=_(asked.needs),
            name=inert(model.name),
            first=_(next(iter(fitting.values())).title),
        ),
        icon=":material/info:",
    )


def fitting_sections(model: LoadedModel) -> list[Section]:
    """The sections of a model, that of its own purpose first: a classifier is asked for labels."""
    is_classifier = model.head is not None and not (model.head.needs_pair and model.has_output_head)
    fitting = [section for section in SECTIONS if _fits(section, model)]
    return sorted(fitting, key=lambda section: is_classifier and section.word != "classify")


def _fits(section: Section, model: LoadedModel) -> bool:
    return model.kind in section.kinds and section.fits(model)


def show_section(section: Section, model: LoadedModel, texts: Texts) -> None:
    """Show the section, or why the model cannot."""
    try:
        section.show(model, texts)
    except UserError as error:
        refuse(error)
