"""Run the texts through the model, with progress where the picture will stand."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from playground.errors import UserError
from playground.lens import trace
from playground.lens.activations import OnRun
from playground.lens.tokens import TooLongError
from playground.models import LoadedModel
from ui import state
from ui.controls.texts import Texts
from ui.controls.work import ask, obtain
from ui.readings import Reading
from ui.text import _

Answer = TypeVar("Answer")


def read(model: LoadedModel, texts: Texts, *, key: str) -> Reading:
    """The reading of these texts: kept from before, or made now; ends the run with a sentence where it cannot be."""
    truncate = state.wants_cut(texts)
    name = state.reading_key(model, texts, truncate)

    def make(on_run: OnRun) -> Reading:
        """One forward pass. Each layer's report is a point where it ends if nobody waits for it."""

        def on_layer(done: int) -> None:
            on_run(done, max(model.layers, done))

        traced = trace(model, texts.text, texts.target, pair=texts.pair, truncate=truncate, on_layer=on_layer)
        return Reading(name=name, trace=traced)

    try:
        words = _("Reading with {name}: attention layer").format(name=model.name)
        reading = obtain(state.readings(), name, words, make)
    except TooLongError as error:
        _offer_cut(error, texts, key)
        st.stop()
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if reading is None:
        st.stop()
    if truncate:
        shown = len(reading.trace.source)
        st.caption(_("Only the first {shown:,} tokens are shown.").format(shown=shown))
    return reading


def answer(reading: Reading, question: Hashable, compute: Callable[[], Answer]) -> Answer:
    """The answer to a question about all heads of a reading; ends the run with a sentence where there is none."""
    found = ask(reading, question, _("Comparing the heads …"), lambda _on_run: compute())
    if found is None:
        st.stop()
    return found


def _offer_cut(error: TooLongError, texts: Texts, key: str) -> None:
    st.warning(str(error), icon=":material/content_cut:")
    label = _("Show the first {limit:,} tokens").format(limit=error.limit)
    st.button(label, key=f"cut_button_{key}", on_click=state.agree_to_cut, args=(texts,))
