"""Run the texts through the model, with progress where the picture will stand."""

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st
import torch

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.lens import trace
from playground.lens.tokens import TooLongError
from playground.models import LoadedModel
from ui import state
from ui.controls.texts import Texts
from ui.readings import Reading
from ui.text import _

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 0.25
REPORT_SECONDS = 0.1


def read(model: LoadedModel, texts: Texts, *, key: str) -> Reading:
    """The reading of these texts: kept from before, or made now; ends the run with a sentence where it cannot be."""
    truncate = state.wants_cut(texts)
    name = state.reading_key(model, texts, truncate)
    try:
        reading = state.readings().get(name) or _make(model, texts, name, truncate)
    except TooLongError as error:
        _offer_cut(error, texts, key)
        st.stop()
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if truncate:
        shown = len(reading.trace.source)
        st.caption(_("Only the first {shown:,} tokens are shown.").format(shown=shown))
    return reading


def _make(model: LoadedModel, texts: Texts, name: str, truncate: bool) -> Reading:
    """One forward pass in its turn. Every report is a point where Streamlit ends a run that newer keys made stale."""
    place = st.empty()
    report = LayerReport(place, model)
    with state.turns().turn(report.waiting):
        leave_cores_to_runs()
        traced = trace(model, texts.text, texts.target, pair=texts.pair, truncate=truncate, on_layer=report.layer)
    place.empty()
    reading = Reading(name=name, trace=traced)
    state.readings().put(name, reading)
    return reading


def leave_cores_to_runs() -> None:
    """Take only the cores that no training run is using: threads that wait for each other are many times slower."""
    if default_executor.cache_info().currsize:
        working = len(default_executor().working())
        torch.set_num_threads(max(1, state.torch_threads() - working))


def answer(reading: Reading, question: Hashable, compute: Callable[[], Answer]) -> Answer:
    """The answer to a question about a reading: kept from before, or computed in its turn, with a word meanwhile."""
    if reading.knows(question):
        return reading.remember(question, compute)
    with st.spinner(_("Comparing the heads …"), show_time=True), state.turns().turn():
        return reading.remember(question, compute)


class LayerReport:
    """Shows the pass's progress once it has taken a quarter of a second."""

    def __init__(self, place: "st.delta_generator.DeltaGenerator", model: LoadedModel) -> None:
        self._place = place
        self._model = model
        self._begun = time.monotonic()
        self._last = 0.0

    def waiting(self, ahead: int) -> None:
        """Say how many are ahead in the queue."""
        self._place.progress(0.0, text=_("Waiting for a free core: {ahead} ahead").format(ahead=ahead))

    def layer(self, done: int) -> None:
        """Say which layer is done."""
        now = time.monotonic()
        if now - self._begun < PATIENCE_SECONDS or now - self._last < REPORT_SECONDS:
            return
        self._last = now
        words = _("Reading with {name}: attention layer {done}").format(name=self._model.name, done=done)
        self._place.progress(min(1.0, done / max(self._model.layers, done)), text=words)


def _offer_cut(error: TooLongError, texts: Texts, key: str) -> None:
    st.warning(str(error), icon=":material/content_cut:")
    label = _("Show the first {limit:,} tokens").format(limit=error.limit)
    st.button(label, key=f"cut_button_{key}", on_click=state.agree_to_cut, args=(texts,))
