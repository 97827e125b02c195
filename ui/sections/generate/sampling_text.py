"""The model writes, token by token: step, play, look at what else could have come, and branch there."""

import time
from dataclasses import replace
from itertools import islice

import streamlit as st

from playground.errors import UserError
from playground.lens.generate.branches import ROOT, Tree
from playground.lens.generate.generation import GenerationConfig
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _
from ui import state
from ui.jobs import Report, Work, leave_cores_to_runs, work
from ui.sections.generate.draft import Draft, Pending, Token, replay
from ui.sections.generate.sampled_text import choose_head, show_alternatives, show_branches, show_text
from ui.sections.generate.sampling_options import choose_sampling, cut_words
from ui.widgets.download import offer_snippet
from ui.widgets.text import Texts

PLAY_SECONDS = 0.3
WAIT_SECONDS = 0.12
"""How long one look waits for a token: quicker ones come without a bar, which would only flicker."""
MOST = 200
MOST_LOOKED = 99_999


def show_writing(model: LoadedModel, texts: Texts) -> None:
    """The options, the draft of this text, and what is written on it while it is played."""
    sampling = choose_sampling()
    left, right = st.columns(2)
    with left:
        seed = st.number_input(
            _("Seed"),
            min_value=0,
            max_value=2**31,
            value=0,
            key=state.SEED,
            bind="query-params",
            help=_("With the same seed, text and options the same tokens are drawn."),
        )
    with right:
        count = st.number_input(
            _("Tokens to play"), min_value=1, max_value=MOST, value=20, key=state.NEW_TOKENS, bind="query-params"
        )
    config = GenerationConfig(tokens=4096, sampling=sampling, seed=int(seed))
    draft = _draft(model, texts, config)
    choose_head(model)
    plays = draft.left > 0
    st.fragment(_follow, run_every=PLAY_SECONDS if plays else None)(model, texts, draft, config, int(count), plays)


def _draft(model: LoadedModel, texts: Texts, config: GenerationConfig) -> Draft:
    """The session's draft of this text; the first one begins with the branch that a link brought."""
    ids = state.read_branch()
    looked = state.read_number(state.LOOKED, 0, MOST_LOOKED)

    def compute(on_progress: OnProgress) -> Draft:
        draft = replay(model, texts.text, ids, config, on_progress)
        draft.look_at(looked)
        return draft

    return work(model, ("draft", texts.text), _("Writing, token:"), compute)


def _follow(
    model: LoadedModel, texts: Texts, draft: Draft, config: GenerationConfig, count: int, was_playing: bool
) -> None:
    """Everything that changes with each token. When the playing begins or ends, the page runs once more."""
    if draft.left:
        _write(model, draft, config)
    _buttons(draft, count)
    if draft.message:
        st.info(draft.message, icon=":material/info:")
    show_text(model, texts, draft)
    if draft.looked != ROOT:
        show_alternatives(model, draft)
        st.caption(cut_words(draft.tree.nodes[draft.looked].generated.cuts))
        show_branches(model, draft, config)
    state.write_branch(draft.tree.ids(draft.node))
    state.write_number(state.LOOKED, draft.looked_place, 0)
    written = len(draft.tree.path(draft.node))
    call = f"for token in generate(model, {texts.text!r}, {replace(config, tokens=max(1, written))!r}):"
    imports = ["playground.lens.generate.generation import GenerationConfig, generate"]
    imports += ["playground.lens.generate.predictions import Sampling"]
    offer_snippet(model, imports, [call, "    print(token.token.text, token.probability)"], seed=config.seed)
    if was_playing and not draft.left:
        st.rerun()


def _write(model: LoadedModel, draft: Draft, config: GenerationConfig) -> None:
    """Write the next token, or say that it is on its way: a fragment that waited could not be cancelled."""
    if draft.pending is None or draft.pending.config != config:
        draft.pending = _begin(model, draft, config)
    pending = draft.pending
    if not pending.work.wait(WAIT_SECONDS):
        _show_progress(draft, pending)
        return
    draft.pending = None
    try:
        draft.write(config, pending.stream, pending.work.answer())
    except UserError as error:
        draft.left, draft.message = 0, str(error)
        return
    draft.message = _("The model ended the text, or its context is full.") if draft.has_ended else ""


def _begin(model: LoadedModel, draft: Draft, config: GenerationConfig) -> Pending:
    """Let the next token be computed, in its turn, in a thread of its own."""
    stream = draft.take_stream(model, config)

    def next_token(report: Report) -> Token:
        with state.turns().turn(report.waiting):
            leave_cores_to_runs()
            return list(islice(stream, 1))

    return Pending(stream=stream, config=config, work=Work(next_token), begun=time.monotonic())


def _show_progress(draft: Draft, pending: Pending) -> None:
    words = _("Reading the text …") + " " + _("{seconds:.0f} s").format(seconds=time.monotonic() - pending.begun)
    if pending.work.report.ahead:
        words = _("Waiting for a free core: {ahead} ahead").format(ahead=pending.work.report.ahead)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(0.0, text=words)
        st.button(_("Cancel"), icon=":material/close:", key="cancel_writing", on_click=_cancel, args=(draft,))


def _cancel(draft: Draft) -> None:
    draft.stop()
    draft.message = _("Cancelled.")


def _buttons(draft: Draft, count: int) -> None:
    """Step, play or pause, and an empty sheet."""
    with st.container(horizontal=True, vertical_alignment="center"):
        stopped = draft.has_ended
        if st.button(_("Step"), key="step", icon=":material/skip_next:", disabled=stopped or draft.left > 0):
            draft.left = 1
            st.rerun()
        if draft.left:
            if st.button(_("Pause"), key="pause", icon=":material/pause:"):
                draft.stop()
                st.rerun()
        elif st.button(_("Play"), key="play", icon=":material/play_arrow:", disabled=stopped, type="primary"):
            draft.left = count
            st.rerun()
        if st.button(_("Start over"), key="start_over", icon=":material/restart_alt:", disabled=not draft.tree.nodes):
            draft.tree, draft.message = Tree(text=draft.tree.text), ""
            draft.stand(ROOT)
            st.rerun()
        written = len(draft.tree.path(draft.node))
        surprise = draft.tree.surprise(draft.node)
        st.caption(_("{count} tokens, {surprise:.3f} nats of surprise").format(count=written, surprise=surprise))
