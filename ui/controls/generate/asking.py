"""Ask a model something once, in its turn, with a word meanwhile; what it cannot do is answered with a sentence."""

from collections.abc import Callable, Hashable
from typing import NoReturn, TypeVar

import streamlit as st
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.models import LoadedModel
from ui import state

Answer = TypeVar("Answer")


def work(model: LoadedModel, question: tuple[Hashable, ...], words: str, compute: Callable[[], Answer]) -> Answer:
    """The answer to a question about a model: kept from before, or computed in its turn.

    Ends the run with a sentence where there is no answer.
    """
    key = (*place_of(model), *question)
    try:
        if state.knows(key):
            return state.remember(key, compute)
        with st.spinner(words, show_time=True), state.turns().turn():
            return state.remember(key, compute)
    except UserError as error:
        refuse(error)


def refuse(error: UserError) -> NoReturn:
    """Say why not, and end the run here."""
    st.info(str(error), icon=":material/info:")
    st.stop()


def place_of(model: LoadedModel) -> tuple[Hashable, ...]:
    """What tells a loaded model from others."""
    return (model.name, model.revision, model.device, model.dtype, str(model.folder))


def spell(model: LoadedModel, ids: list[int]) -> str:
    """The ids as running text, without special tokens."""
    tokenizer = model.tokenizer
    if isinstance(tokenizer, Tokenizer):
        return str(tokenizer.decode(ids, skip_special_tokens=True))
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def spell_on(model: LoadedModel, text: str, ids: list[int], token: int) -> str:
    """The text with one more token, whose ids are those before it.

    What a token spells depends on those before it: a character may run over several, and a first space is dropped.
    """
    before, after = spell(model, ids), spell(model, [*ids, token])
    if after.startswith(before):
        return text + after[len(before) :]
    return text + spell(model, [token])
