"""The one way to wait for an answer: in its turn, with progress within 0.3 seconds, and a button that ends it.

The work runs in a thread of its own, so that it can be left even while it has nothing to report.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, NoReturn, Protocol, TypeVar

import streamlit as st
import torch
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.lens import trace
from playground.lens.capture.tokens import TooLongError
from playground.models import LoadedModel
from playground.progress import OnProgress, no_progress
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.widgets.text import Texts

Answer = TypeVar("Answer")


class LeftError(Exception):
    """Nobody waits for this work any more; raised in it by its next report."""


class Report:
    """How far the work is: who is ahead of it, and how many of its runs are done."""

    def __init__(self) -> None:
        self.ahead = 0
        self.done, self.total = 0, 0
        self.is_left = False

    def waiting(self, ahead: int) -> None:
        """Say how many are ahead in the queue. Raises LeftError."""
        self.ahead = ahead
        self._go_on()

    def run(self, done: int, total: int) -> None:
        """Say how many of the runs are done. Raises LeftError."""
        self.ahead, self.done, self.total = 0, done, total
        self._go_on()

    def _go_on(self) -> None:
        if self.is_left:
            raise LeftError


class Work(Generic[Answer]):
    """One computation, begun at once. A report is where it ends if it was left; what never reports is finished."""

    def __init__(self, compute: Callable[[Report], Answer]) -> None:
        self.report = Report()
        self._compute = compute
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, name="work", daemon=True).start()

    def _run(self) -> None:
        try:
            self._answers.append(self._compute(self.report))
        except BaseException as error:  # raised again where the answer is asked for
            self._error = error
        finally:
            self._over.set()

    def wait(self, seconds: float) -> bool:
        """Whether the work is over within these seconds."""
        return self._over.wait(seconds)

    def leave(self) -> None:
        """Want no answer any more."""
        self.report.is_left = True

    def answer(self) -> Answer:
        """The answer of work that is over. Raises what the work raised."""
        if self._error is not None:
            raise self._error
        return self._answers[0]


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
    compute: Callable[[OnProgress], Answer],
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
    compute: Callable[[OnProgress], Answer],
    *,
    patience: float = PATIENCE_SECONDS,
) -> Answer | None:
    """As `ask`, but raises what the computing raises, such as a UserError."""
    if kept.knows(question):
        st.empty()  # in the bar's place: what comes below stands where it stood while the answer was computed
        return kept.remember(question, lambda: compute(no_progress))

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
    progress = None if patience else DownloadProgress(place, words, name)
    work = Work(compute)
    try:
        if progress or not work.wait(patience):
            progress = progress or DownloadProgress(place, words, name)
            while not work.wait(REPORT_SECONDS):
                progress.show(work.report)
            place.empty()
    finally:
        work.leave()
    return work.answer()


class DownloadProgress:
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


def read(model: LoadedModel, texts: Texts, *, key: str) -> Reading:
    """The reading of these texts: kept from before, or made now; ends the run with a sentence where it cannot be."""
    truncate = state.wants_cut(texts)
    name = state.reading_key(model, texts, truncate)

    def make(on_progress: OnProgress) -> Reading:
        """One forward pass. Each layer's report is a point where it ends if nobody waits for it."""

        def on_layer(done: int) -> None:
            on_progress(done, max(model.layers, done))

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
    found = ask(reading, question, _("Comparing the heads …"), lambda _on_progress: compute())
    if found is None:
        st.stop()
    return found


def _offer_cut(error: TooLongError, texts: Texts, key: str) -> None:
    st.warning(str(error), icon=":material/content_cut:")
    label = _("Show the first {limit:,} tokens").format(limit=error.limit)
    st.button(label, key=f"cut_button_{key}", on_click=state.agree_to_cut, args=(texts,))


def work(
    model: LoadedModel, question: tuple[Hashable, ...], words: str, compute: Callable[[OnProgress], Answer]
) -> Answer:
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
