"""What the model reads: one text, a sentence pair, or a source and its target."""

import zlib
from dataclasses import dataclass, replace

import streamlit as st

from playground.models import LoadedModel
from playground.text import _
from ui import state
from ui.components.live_text import live_text
from ui.sections.attention.examples import OTHER_TEXT, PAIR_EXAMPLE, examples, first_text

TEXT_LENGTH = 40_000
TARGET_LENGTH = 4_000


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The input of one pass; pair is a second sentence, target what a decoder reads (None: the model writes it)."""

    text: str
    pair: str | None = None
    target: str | None = None


def choose_texts(model: LoadedModel) -> Texts:
    """The text areas that fit the model; they follow the keys, and the address follows them."""
    _example_buttons(model)
    text = address_text(state.TEXT, first_text(model), label=_("Text"), limit=TEXT_LENGTH, rows=3)
    if model.kind == "encoder":
        return Texts(text=text, pair=choose_pair())
    if model.kind == "encoder-decoder":
        return Texts(text=text, target=choose_target())
    return Texts(text=text)


def choose_pair() -> str | None:
    """An encoder's second sentence; None while it is empty."""
    return _second(state.PAIR, _("Second sentence (optional)"), PAIR_EXAMPLE)


def choose_target(otherwise: str = "") -> str | None:
    """What an encoder-decoder's decoder reads; None where the model writes it."""
    return _second(state.TARGET, _("What the decoder reads (empty: the model writes it itself)"), "", otherwise)


def choose_other_text(texts: Texts) -> Texts:
    """A second text to hold against the first; the rest of the input stays."""
    text = address_text(state.OTHER_TEXT, OTHER_TEXT, label=_("Other text"), limit=TEXT_LENGTH, rows=3)
    return replace(texts, text=text)


def address_text(name: str, otherwise: str, *, label: str, limit: int, rows: int, placeholder: str = "") -> str:
    """A live text area whose content stands in the address under `name`."""
    text = live_text(
        state.read_text(name, otherwise, limit=limit),
        label=label,
        placeholder=placeholder,
        max_chars=limit,
        rows=rows,
        key=f"{name}_area",
        # Another model may begin with another text; what was typed stands in the address and stays.
        revision=f"{state.text_revision(name)}.{zlib.crc32(otherwise.encode())}",
    )
    state.write_text(name, None if text == otherwise else text)
    return text


def _second(name: str, label: str, hint: str, otherwise: str = "") -> str | None:
    """An optional second text; None while it is empty."""
    text = address_text(name, otherwise, label=label, limit=TARGET_LENGTH, rows=1, placeholder=hint)
    return text if text.strip() else None


def _example_buttons(model: LoadedModel) -> None:
    """One button per example; it replaces the text."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_("Examples"), width="content")
        for title, text in examples(model).items():
            st.button(
                title, key=f"example_{title}", type="tertiary", on_click=state.replace_text, args=(state.TEXT, text)
            )
