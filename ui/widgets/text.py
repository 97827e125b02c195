"""What the model reads: one text, a sentence pair, or a source and its target."""

import zlib
from dataclasses import dataclass, replace

import streamlit as st

from playground.models import LoadedModel
from playground.text import _
from ui.components.live_text import live_text
from ui.sections.attention.examples import PAIR_EXAMPLE, examples, first_text, other_text
from ui.state.address import read_text, replace_text, text_revision, write_text
from ui.state.parameters import OTHER_TEXT, PAIR, TARGET, TEXT
from ui.state.parameters import Text as TextParameter

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
    text = address_text(TEXT, first_text(model), label=_("Text"), rows=3)
    if model.kind == "encoder":
        return Texts(text=text, pair=choose_pair())
    if model.kind == "encoder-decoder":
        return Texts(text=text, target=choose_target())
    return Texts(text=text)


def choose_pair() -> str | None:
    """An encoder's second sentence; None while it is empty."""
    return _second(PAIR, _("Second sentence (optional)"), PAIR_EXAMPLE)


def choose_target(default: str = "") -> str | None:
    """What an encoder-decoder's decoder reads; None where the model writes it."""
    return _second(TARGET, _("Target text (leave empty: model's own translation)"), "", default)


def choose_other_text(model: LoadedModel, texts: Texts) -> Texts:
    """A second text to compare with the first; the rest of the input stays."""
    text = address_text(OTHER_TEXT, other_text(model), label=_("Other text"), rows=3)
    return replace(texts, text=text)


def address_text(
    name: TextParameter, default: str, *, label: str, rows: int, placeholder: str = "", limit: int | None = None
) -> str:
    """A live text area whose content stands in the address under `name`."""
    limit = name.limit if limit is None else limit
    text = live_text(
        read_text(name, default)[:limit],
        label=label,
        placeholder=placeholder,
        max_chars=limit,
        rows=rows,
        key=f"{name}_area",
        # Another model may begin with another text; what was typed stands in the address and stays.
        revision=f"{text_revision(name)}.{zlib.crc32(default.encode())}",
    )
    write_text(name, None if text == default else text)
    return text


def _second(name: TextParameter, label: str, hint: str, default: str = "") -> str | None:
    """An optional second text; None while it is empty."""
    text = address_text(name, default, label=label, rows=1, placeholder=hint)
    return text if text.strip() else None


def _example_buttons(model: LoadedModel) -> None:
    """One button per example; it replaces the text."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_("Examples"), width="content")
        for title, text in examples(model).items():
            st.button(title, key=f"example_{title}", type="tertiary", on_click=replace_text, args=(TEXT, text))
