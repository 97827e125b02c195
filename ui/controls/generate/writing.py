"""The model writes, token by token: step, play, look at what else could have come, and branch there."""

from dataclasses import replace
from itertools import islice

import streamlit as st

from playground.errors import UserError
from playground.lens.activations import OnRun
from playground.lens.branches import ROOT, Tree
from playground.lens.generation import GenerationConfig
from playground.models import LoadedModel
from ui import state
from ui.controls.generate.asking import work
from ui.controls.generate.draft import Draft, replay
from ui.controls.generate.sampling import choose_sampling, cut_words
from ui.controls.generate.written import choose_head, show_alternatives, show_branches, show_text
from ui.controls.take_home import offer_snippet
from ui.controls.texts import Texts
from ui.controls.work import PATIENCE_SECONDS, follow, leave_cores_to_runs
from ui.text import _
from ui.work import Report

PLAY_SECONDS = 0.3
PATIENT_SECONDS = 1.0
MOST = 200


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
    st.fragment(_follow, run_every=PLAY_SECONDS if draft.left else None)(model, texts, draft, config, int(count))


def _draft(model: LoadedModel, texts: Texts, config: GenerationConfig) -> Draft:
    """The session's draft of this text; the first one begins with the branch that a link brought."""
    ids = state.read_branch()

    def compute(on_run: OnRun) -> Draft:
        return replay(model, texts.text, ids, config, on_run)

    return work(model, ("draft", texts.text), _("Writing, token:"), compute)


def _follow(model: LoadedModel, texts: Texts, draft: Draft, config: GenerationConfig, count: int) -> None:
    """Everything that changes with each token. When the playing begins or ends, the page runs once more."""
    was_playing = draft.left > 0
    if was_playing:
        _write(model, draft, config)
    _buttons(draft, count)
    if draft.message:
        st.info(draft.message, icon=":material/info:")
    show_text(model, texts, draft)
    if draft.looked != ROOT:
        show_alternatives(draft)
        st.caption(cut_words(draft.tree.nodes[draft.looked].generated.cuts))
        show_branches(model, draft, config.seed)
    state.write_branch(draft.tree.ids(draft.node))
    written = len(draft.tree.path(draft.node))
    call = f"for token in generate(model, {texts.text!r}, {replace(config, tokens=max(1, written))!r}):"
    imports = ["playground.lens.generation import GenerationConfig, generate"]
    imports += ["playground.lens.predictions import Sampling"]
    offer_snippet(model, imports, [call, "    print(token.token.text, token.probability)"], seed=config.seed)
    if was_playing and not draft.left:
        st.rerun()


def _write(model: LoadedModel, draft: Draft, config: GenerationConfig) -> None:
    # Reading the text takes long; a further token is quick and seen to come, and a bar would only flicker.
    patience = PATIENT_SECONDS if draft.is_going_on else PATIENCE_SECONDS
    stream = draft.take_stream(model, config)

    def next_token(report: Report) -> list[tuple[Tree, int]]:
        with state.turns().turn(report.waiting):
            leave_cores_to_runs()
            return list(islice(stream, 1))

    question = ("write", *state.model_key(model), draft.tree.text, *draft.tree.ids(draft.node), config)
    try:
        written = follow(question, _("Reading the text …"), next_token, patience=patience)
    except UserError as error:
        draft.left, draft.message = 0, str(error)
        return
    if written is not None:
        draft.write(config, stream, written)
        draft.message = _("The model ended the text, or its context is full.") if draft.has_ended else ""


def _buttons(draft: Draft, count: int) -> None:
    """Step, play or pause, and an empty sheet."""
    with st.container(horizontal=True, vertical_alignment="center"):
        stopped = draft.has_ended
        if st.button(_("Step"), key="step", icon=":material/skip_next:", disabled=stopped or draft.left > 0):
            draft.left = 1
            st.rerun()
        if draft.left:
            if st.button(_("Pause"), key="pause", icon=":material/pause:"):
                draft.left = 0
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
