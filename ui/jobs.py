"""Work that a page waits for: in its turn, with progress within 0.3 seconds, and a button that cancels it.

`compute` gives a result or says why there is none; `require` ends the page's run then; `follow` fills a place that
the page keeps; `precompute` needs no page; `trace_of` runs a text through a model.
"""

import hashlib
import time
from collections.abc import Callable, Hashable
from typing import NoReturn, TypeVar

import streamlit as st
import torch
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.lens import Trace, trace
from playground.lens.capture.tokens import TOKEN_LIMIT, TooLongError
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui.cache import BoundedCache, TracedText, forward_queue, torch_threads, traces
from ui.job import JobProgress, join
from ui.state.attention import agree_to_cut, trace_key, wants_cut
from ui.state.session import cancel, is_cancelled, resume
from ui.state.visitor import whose_turn
from ui.text import error_sentence, inert
from ui.widgets.text import Texts

Result = TypeVar("Result")
PATIENCE_SECONDS = 0.25
"""Quicker work shows no bar, which would only flicker and takes the browser time that the picture needs."""
AT_ONCE = 0.0
"""The patience for work that is known to be long: its bar is there before it starts and takes the CPU."""
SERVER = "server"
"""Whose turn it is where no visitor waits."""
POLL_SECONDS = 0.1
"""Between two looks at work that goes on."""
SHOW_SECONDS = 0.5
"""Between two updates of a bar: for each the browser lays the page out, on a core that the work could use."""


def compute(
    key: Hashable,
    make: Callable[[OnProgress], Result],
    *,
    title: str,
    cache: BoundedCache,
    patience: float = PATIENCE_SECONDS,
) -> Result | None:
    """The result under that key, from the cache or computed now; None, with a sentence, where there is none.

    title: what is done, for the progress bar. patience: for how many seconds there is no bar.
    """
    try:
        return _obtain(key, make, title=title, cache=cache, patience=patience)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None


def require(key: Hashable, make: Callable[[OnProgress], Result], *, title: str, cache: BoundedCache) -> Result:
    """As `compute`, but the page's run ends where there is no result; a UserError is told as a hint."""
    try:
        result = _obtain(key, make, title=title, cache=cache, patience=PATIENCE_SECONDS)
    except UserError as error:
        refuse(error)
    if result is None:
        st.stop()
    return result


def follow(
    key: Hashable, make: Callable[[OnProgress], Result], *, cache: BoundedCache, waiting: Callable[[], object]
) -> Result:
    """The result under that key, for a place that the page keeps for it: no bar, which would move what is there.

    waiting: draws into that place, once, that it is on its way.
    """
    kept: Result | None = cache.get(key)
    if kept is not None:
        return kept
    job = join((cache.name, key), _in_turn(key, make, cache))
    try:
        if not job.wait(POLL_SECONDS):
            waiting()
        while not job.wait(POLL_SECONDS):
            _end_if_stale()
    finally:
        job.abandon()
    return job.result()


def precompute(key: Hashable, make: Callable[[OnProgress], Result], *, cache: BoundedCache) -> Result:
    """The result under that key before anybody asks; who asks meanwhile waits for the same computation."""
    job = join((cache.name, key), _in_turn(key, make, cache, owner=SERVER))
    while not job.wait(POLL_SECONDS):
        pass
    job.abandon()
    return job.result()


def _in_turn(
    key: Hashable, make: Callable[[OnProgress], Result], cache: BoundedCache, owner: str | None = None
) -> Callable[[JobProgress], Result]:
    """The work of a job: waits for its turn, and keeps what it made. Between two parts of a long one others may go."""
    owner = whose_turn() if owner is None else owner

    def work(progress: JobProgress) -> Result:
        with forward_queue().slot(progress.waiting, owner) as turn:
            leave_cores_to_runs()

            def report(done: int, total: int) -> None:
                progress.run(done, total)
                turn.offer()

            return cache.remember(key, lambda: make(report))

    return work


def _obtain(
    key: Hashable, make: Callable[[OnProgress], Result], *, title: str, cache: BoundedCache, patience: float
) -> Result | None:
    kept: Result | None = cache.get(key)
    if kept is not None:
        keep_place()
        return kept

    return run_job((cache.name, key), _in_turn(key, make, cache), title=title, patience=patience)


def keep_place() -> None:
    """Leave the slot of a bar that is not needed: what comes below stands where it stood while one was there."""
    st.empty()


def run_job(
    key: Hashable, make: Callable[[JobProgress], Result], *, title: str, patience: float = PATIENCE_SECONDS
) -> Result | None:
    """Start a job and wait for it; None, with a sentence, where a person has cancelled it. Raises what it raises."""
    name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    if is_cancelled(name):
        st.info(_("Cancelled."), icon=":material/cancel:")
        st.button(_("Compute it"), icon=":material/play_arrow:", key=f"resume_{name}", on_click=resume, args=(name,))
        return None
    slot = st.empty()
    bar = None if patience else ProgressBar(slot, title, name)
    job = join(key, make)
    try:
        if bar or not job.wait(patience):
            bar = bar or ProgressBar(slot, title, name)
            while not job.wait(POLL_SECONDS):
                bar.show(job.progress)
                _end_if_stale()
            slot.empty()
    finally:
        job.abandon()
    return job.result()


def _end_if_stale() -> None:
    """Let Streamlit end a run that newer keys made stale: it looks whether one waits whenever its state is read."""
    _ = "stale" in st.session_state


class ProgressBar:
    """A bar with a cancel button, which says anew every `SHOW_SECONDS` how far the work is."""

    def __init__(self, slot: "st.delta_generator.DeltaGenerator", title: str, name: str) -> None:
        self._title = title
        self._started = time.monotonic() - PATIENCE_SECONDS
        self._next = 0.0
        with slot.container(horizontal=True, vertical_alignment="center"):
            self._bar = st.progress(0.0, text=title)
            st.button(_("Cancel"), icon=":material/close:", key=f"cancel_{name}", on_click=cancel, args=(name,))

    def show(self, progress: JobProgress) -> None:
        """Say how many are ahead, how many parts are done, or how long it has taken, where it is time to."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SHOW_SECONDS
        done, total = progress.done, progress.total
        if progress.ahead:
            self._bar.progress(0.0, text=_("Waiting for a free core: {ahead} ahead").format(ahead=progress.ahead))
        elif total:
            self._bar.progress(min(1.0, done / total), text=f"{self._title} {done:,} / {total:,}")
        else:
            seconds = time.monotonic() - self._started
            self._bar.progress(0.0, text=f"{self._title} " + _("{seconds:.0f} s").format(seconds=seconds))


def leave_cores_to_runs() -> None:
    """Take only the cores that no training run is using: threads that wait for each other are many times slower."""
    if default_executor.cache_info().currsize:
        working = len(default_executor().working())
        torch.set_num_threads(max(1, torch_threads() - working))


def trace_of(model: LoadedModel, texts: Texts, *, key: str, longest: int = TOKEN_LIMIT) -> TracedText:
    """The trace of these texts; ends the page's run with a sentence where there is none.

    longest: the most tokens that the page takes; a text that the model's context alone would cut above is refused.
    """
    truncate = wants_cut(texts)
    name = trace_key(model, texts, truncate)

    def make(on_progress: OnProgress) -> TracedText:
        """One forward pass. Each layer's report is a point where it ends if it was abandoned."""

        def on_layer(done: int) -> None:
            on_progress(done, max(model.layers, done))

        traced = trace(model, texts.text, texts.target, pair=texts.pair, truncate=truncate, on_layer=on_layer)
        return TracedText(name, traced)

    try:
        title = _("Reading with {name}: attention layer").format(name=inert(model.name))
        traced = _obtain(name, make, title=title, cache=traces(), patience=PATIENCE_SECONDS)
    except TooLongError as error:
        if error.limit > longest:
            refuse_length(error.count, longest)
        else:
            _offer_cut(error, texts, key)
        st.stop()
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.stop()
    if traced is None:
        st.stop()
    _say_cut(traced.trace)
    return traced


def _say_cut(shown: Trace) -> None:
    """How much of a text is shown where it was cut: of two models, one may read all of it."""
    if shown.is_source_cut:
        st.caption(_("Only the first {shown:,} tokens are shown.").format(shown=len(shown.source)))
    if shown.is_target_cut:
        st.caption(_("Only the first {shown:,} tokens of the target are shown.").format(shown=len(shown.target)))


def _offer_cut(error: TooLongError, texts: Texts, key: str) -> None:
    st.warning(error_sentence(error), icon=":material/content_cut:")
    label = _("Truncate to {limit:,} tokens").format(limit=error.limit)
    st.button(label, key=f"cut_button_{key}", on_click=agree_to_cut, args=(texts,))


def refuse_length(count: int, longest: int) -> None:
    """Say how many tokens the text has, and how many the page takes."""
    sentence = _("The text has {count:,} tokens; this page takes up to {most}. Shorten it.")
    st.error(sentence.format(count=count, most=longest), icon=":material/error:")


def refuse(error: UserError) -> NoReturn:
    """Say why not, and end the run here."""
    st.info(error_sentence(error), icon=":material/info:")
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
