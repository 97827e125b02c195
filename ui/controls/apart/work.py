"""Long work on a reading: in its turn, with progress from the first moment, and a button that ends it."""

import hashlib
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from playground.errors import UserError
from playground.lens.activations import OnRun
from ui import state
from ui.readings import Reading
from ui.text import _

Answer = TypeVar("Answer")
REPORT_SECONDS = 0.1


def ask(reading: Reading, question: Hashable, words: str, compute: Callable[[OnRun], Answer]) -> Answer | None:
    """The answer to a question about a reading, kept from before or computed now.

    None, with a sentence in its place, where it cannot be had or a person has cancelled it. words: what is done, for
    the progress bar.
    """
    work = hashlib.sha256(repr((reading.name, question)).encode()).hexdigest()[:16]
    if not reading.knows(question) and state.is_cancelled(work):
        st.info(_("Cancelled."), icon=":material/cancel:")
        st.button(_("Compute it"), icon=":material/play_arrow:", key=f"resume_{work}", on_click=state.resume)
        return None
    place = st.empty()
    try:
        if reading.knows(question):
            return reading.remember(question, lambda: compute(_tell_nobody))
        progress = RunProgress(place, words, work)
        with state.turns().turn(progress.waiting):
            answer = reading.remember(question, lambda: compute(progress.run))
    except UserError as error:
        place.error(str(error), icon=":material/error:")
        return None
    place.empty()
    return answer


def _tell_nobody(done: int, total: int) -> None:
    """Work that is over has no progress."""


class RunProgress:
    """A bar with a cancel button. Every report is a point where Streamlit ends a run that newer keys made stale."""

    def __init__(self, place: "st.delta_generator.DeltaGenerator", words: str, work: str) -> None:
        self._words = words
        self._last = 0.0
        with place.container(horizontal=True, vertical_alignment="center"):
            self._bar = st.progress(0.0, text=words)
            st.button(_("Cancel"), icon=":material/close:", key=f"cancel_{work}", on_click=state.cancel, args=(work,))

    def waiting(self, ahead: int) -> None:
        """Say how many are ahead in the queue."""
        self._bar.progress(0.0, text=_("Waiting for a free core: {ahead} ahead").format(ahead=ahead))

    def run(self, done: int, total: int) -> None:
        """Say how many of the runs are done."""
        now = time.monotonic()
        if now - self._last < REPORT_SECONDS:
            return
        self._last = now
        self._bar.progress(min(1.0, done / max(total, 1)), text=f"{self._words} {done:,} / {total:,}")
