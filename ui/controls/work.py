"""The one way to wait for an answer: in its turn, with progress within 0.3 seconds, and a button that ends it.

The work runs in a thread of its own, so that it can be left even while it has nothing to report.
"""

import hashlib
import time
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

import streamlit as st
import torch

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.lens.activations import OnRun, no_report
from ui import state
from ui.text import _
from ui.work import Report, Work

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 0.06
"""Quicker work shows no bar, which would only flicker."""
AT_ONCE = 0.0
"""The patience for work that is known to be long: its bar is there before it begins and takes the processor."""
REPORT_SECONDS = 0.1


class Kept(Protocol):
    """Where answers are kept: a reading, the server's readings, a session's findings."""

    name: str

    def knows(self, question: Hashable) -> bool:
        """Whether the answer is there without computing."""

    def remember(self, question: Hashable, compute: Callable[[], Answer]) -> Answer:
        """The answer, computed when it is first asked."""


def ask(
    kept: Kept,
    question: Hashable,
    words: str,
    compute: Callable[[OnRun], Answer],
    *,
    patience: float = PATIENCE_SECONDS,
) -> Answer | None:
    """The answer to a question, kept from before or computed now.

    None, with a sentence in its place, where it cannot be had or a person has cancelled it. words: what is done, for
    the progress bar. patience: for how many seconds there is none.
    """
    try:
        return obtain(kept, question, words, compute, patience=patience)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def obtain(
    kept: Kept,
    question: Hashable,
    words: str,
    compute: Callable[[OnRun], Answer],
    *,
    patience: float = PATIENCE_SECONDS,
) -> Answer | None:
    """As `ask`, but raises what the computing raises, such as a UserError."""
    if kept.knows(question):
        st.empty()  # in the bar's place: what comes below stands where it stood while the answer was computed
        return kept.remember(question, lambda: compute(no_report))

    def work(report: Report) -> Answer:
        with state.turns().turn(report.waiting):
            leave_cores_to_runs()
            return kept.remember(question, lambda: compute(report.run))

    return follow((kept.name, question), words, work, patience=patience)


def follow(
    question: Hashable, words: str, compute: Callable[[Report], Answer], *, patience: float = PATIENCE_SECONDS
) -> Answer | None:
    """Begin the work and wait for it; None, with a sentence, where a person has cancelled it. Raises what it raises."""
    name = hashlib.sha256(repr(question).encode()).hexdigest()[:16]
    if state.is_cancelled(name):
        st.info(_("Cancelled."), icon=":material/cancel:")
        st.button(
            _("Compute it"), icon=":material/play_arrow:", key=f"resume_{name}", on_click=state.resume, args=(name,)
        )
        return None
    place = st.empty()
    progress = None if patience else Progress(place, words, name)
    work = Work(compute)
    try:
        if progress or not work.wait(patience):
            progress = progress or Progress(place, words, name)
            while not work.wait(REPORT_SECONDS):
                progress.show(work.report)
            place.empty()
    finally:
        work.leave()
    return work.answer()


class Progress:
    """A bar with a cancel button. Each time it is shown Streamlit may end a run that newer keys made stale."""

    def __init__(self, place: "st.delta_generator.DeltaGenerator", words: str, name: str) -> None:
        self._words = words
        self._begun = time.monotonic() - PATIENCE_SECONDS
        with place.container(horizontal=True, vertical_alignment="center"):
            self._bar = st.progress(0.0, text=words)
            st.button(_("Cancel"), icon=":material/close:", key=f"cancel_{name}", on_click=state.cancel, args=(name,))

    def show(self, report: Report) -> None:
        """Say how many are ahead, how many runs are done, or how long it has taken."""
        done, total = report.done, report.total
        if report.ahead:
            self._bar.progress(0.0, text=_("Waiting for a free core: {ahead} ahead").format(ahead=report.ahead))
        elif total:
            self._bar.progress(min(1.0, done / total), text=f"{self._words} {done:,} / {total:,}")
        else:
            seconds = time.monotonic() - self._begun
            self._bar.progress(0.0, text=f"{self._words} " + _("{seconds:.0f} s").format(seconds=seconds))


def leave_cores_to_runs() -> None:
    """Take only the cores that no training run is using: threads that wait for each other are many times slower."""
    if default_executor.cache_info().currsize:
        working = len(default_executor().working())
        torch.set_num_threads(max(1, state.torch_threads() - working))
