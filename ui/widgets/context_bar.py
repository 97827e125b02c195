"""The bar under a model page's title: model, text, head and token, which all pages share (`ui.state.context`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.lens.capture.tokens import rust_tokenizer
from playground.models import LoadedModel
from playground.models.rehearsal import rehearse, risky_texts
from playground.text import _
from ui.jobs import keep_place, refuse, run_job
from ui.sections.attention.examples import examples, first_text
from ui.state.address import replace_text, write_values
from ui.state.attention import read_head, read_token, write_head
from ui.state.parameters import CHOSEN, PIN, QUERY, TEXT
from ui.state.revisions import fresh_key
from ui.text import inert
from ui.widgets.model import ModelChoice, choose_model, chosen_name, describe_model, obtain_model
from ui.widgets.text import Texts, address_text, choose_second

LAYER_WIDGET, HEAD_WIDGET, TOKEN_WIDGET = "bar_layer", "bar_head", "bar_token"
"""The first keys of the bar's widgets (`ui.state.revisions`)."""


@dataclass(frozen=True, kw_only=True)
class ContextBar:
    """The slots of the bar, filled in any order."""

    model: DeltaGenerator
    text: DeltaGenerator
    examples: DeltaGenerator
    head: DeltaGenerator
    token: DeltaGenerator
    below: DeltaGenerator
    """For a second text."""


def open_bar() -> ContextBar:
    """Draw the empty bar."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="context_bar"):
        slots = {
            "model": st.container(width="content"),
            "text": st.container(key="bar_text"),
            "examples": st.container(width="content"),
            "head": st.container(width="content"),
            "token": st.container(width="content"),
        }
    return ContextBar(**slots, below=st.container())


def bar_model(bar: ContextBar) -> tuple[ModelChoice, LoadedModel]:
    """The model that is chosen in the bar, loaded; ends the run where it has to be fetched first."""
    with bar.model:
        panel = st.popover(inert(chosen_name()), icon=":material/deployed_code:", help=_("Model"), key="bar_model")
    with panel:
        choice = choose_model()
    model = obtain_model(choice)
    with panel:
        describe_model(model)
    return choice, model


def bar_texts(bar: ContextBar, model: LoadedModel) -> Texts:
    """The text, and the second one that the model can take."""
    text = bar_text(bar, model)
    with bar.below:
        texts = choose_second(model, text)
    require_readable(model, texts.text, texts.pair or "", texts.target or "")
    return texts


def bar_text(bar: ContextBar, model: LoadedModel, default: str = "") -> str:
    """The text alone, by default the model's first; the examples stand in a menu."""
    first = default or first_text(model)
    with bar.examples:
        _offer_examples(model)
    with bar.text:
        return address_text(TEXT, first, label=_("Text"), rows=1, placeholder=_("Type a text"), hidden=True)


def require_readable(model: LoadedModel, *typed: str) -> None:
    """End the page's run with a sentence where a stranger's tokenizer cannot read the texts; nobody waits behind it."""
    rust = rust_tokenizer(model.tokenizer)
    if rust is None or not risky_texts(rust, *typed):
        keep_place()
        return
    try:
        run_job(("read", rust, typed), lambda _progress: rehearse(rust, *typed), title=_("Reading the text"))
    except UserError as error:
        refuse(error)


def _offer_examples(model: LoadedModel) -> None:
    texts = examples(model)
    if not texts:
        return
    titles = list(texts)
    chosen = st.menu_button(_("Examples"), titles, icon=":material/lists:", type="tertiary", key="examples")
    if chosen in texts:
        replace_text(TEXT, texts[chosen])


def bar_head(
    bar: ContextBar, default: tuple[int, int] | None, *, layers: Sequence[int], heads: int
) -> tuple[int, int] | None:
    """The head of the address; where there is none, the default, which may be no head.

    layers: what the layers are called, by their blocks in the model.
    """
    chosen = read_head(default, layers, heads)
    _show_head(bar, chosen, layers, heads)
    return chosen


def _show_head(bar: ContextBar, chosen: tuple[int, int] | None, layers: Sequence[int], heads: int) -> None:
    label = _("No head chosen")
    if chosen is not None:
        label = _("Head {layer}.{head}").format(layer=chosen[0], head=chosen[1])
    layer, head = chosen or (layers[0], 0)
    keys = fresh_key(LAYER_WIDGET, layer), fresh_key(HEAD_WIDGET, head)
    with bar.head, st.popover(label, icon=":material/grid_view:", help=_("Layer and head"), key="bar_head_panel"):
        for key, title, value, numbers in (
            (keys[0], _("Layer"), layer, layers),
            (keys[1], _("Head"), head, range(heads)),
        ):
            st.selectbox(
                title,
                numbers,
                index=numbers.index(value),
                key=key,
                on_change=_adopt_head,
                args=keys,
                width=140,
            )


def _adopt_head(layer_key: str, head_key: str) -> None:
    write_head(int(st.session_state[layer_key]), int(st.session_state[head_key]))


def bar_token(bar: ContextBar, tokens: Sequence[str], default: int | None = None) -> int:
    """The position of the token that is looked at; by default the last one."""
    position = read_token(len(tokens), default)
    with bar.token:
        key = fresh_key(TOKEN_WIDGET, position)
        st.selectbox(
            _("Token"),
            range(len(tokens)),
            index=position,
            key=key,
            format_func=lambda index: f"{index} {mark_spaces(tokens[index])}",
            on_change=_adopt_token,
            args=(key,),
            label_visibility="collapsed",
            width=150,
        )
    return position


def _adopt_token(key: str) -> None:
    write_values({QUERY: str(st.session_state[key]), PIN: None, CHOSEN: None})
