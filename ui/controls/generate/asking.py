"""Ask a model something once, in its turn, with a word meanwhile; what it cannot do is answered with a sentence."""

from collections.abc import Callable, Hashable
from typing import NoReturn, TypeVar

import streamlit as st
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.lens.activations import OnRun
from playground.models import LoadedModel
from ui import state
from ui.controls.work import obtain

Answer = TypeVar("Answer")


def work(model: LoadedModel, question: tuple[Hashable, ...], words: str, compute: Callable[[OnRun], Answer]) -> Answer:
    """The answer to a session's question about a model; ends the run with a sentence where there is none."""
    try:
        found = obtain(state.findings(), (*state.model_key(model), *question), words, compute)
    except UserError as error:
        refuse(error)
    if found is None:
        st.stop()
    return found


def refuse(error: UserError) -> NoReturn:
    """Say why not, and end the run here."""
    st.info(str(error), icon=":material/info:")
    st.stop()


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
