"""Generate token by token: step, run, pause, branch at any token."""

import time
from dataclasses import replace
from functools import partial
from itertools import islice

import streamlit as st

from playground.errors import UserError
from playground.lens.capture.tokens import input_tokens
from playground.lens.generate.branches import ROOT, Tree
from playground.lens.generate.generation import GenerationConfig
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import _, _n, fill
from ui.cache import forward_queue
from ui.job import Job, JobProgress
from ui.jobs import leave_cores_to_runs, require, spell
from ui.sections.generate.continuation_view import show_alternatives, show_branches, show_text
from ui.sections.generate.draft import Pending, StreamItem, TextDraft, replay
from ui.sections.generate.measure_doors import answer_measure_door, text_measure_door
from ui.sections.generate.sampling_options import choose_sampling, filter_summary, say_unfollowed
from ui.sections.generate.text_doors import answer_parameters, show_text_doors, text_parameters
from ui.state.address import read_number, write_number
from ui.state.attention import model_key
from ui.state.parameters import INSPECTED, NEW_TOKENS, SEED
from ui.state.session import read_branches, session_cache, write_branches
from ui.state.visitor import whose_turn
from ui.text import error_sentence
from ui.widgets.download import offer_snippet
from ui.widgets.text import Texts

REFRESH_SECONDS = 0.3
WAIT_SECONDS = 0.12
"""A token that comes sooner needs no progress bar, which would only flicker."""
MOST_NEW_TOKENS = 200
LAST_INSPECTED = 99_999


def show_continuation(model: LoadedModel, texts: Texts) -> None:
    """Sampling options, the session's draft of this text, and its growth while it runs."""
    *filters, left, right = st.columns(6)
    sampling = choose_sampling(filters)
    say_unfollowed(model)
    with left:
        seed = st.number_input(
            _("Seed"),
            min_value=0,
            max_value=2**31,
            value=0,
            key=SEED,
            bind="query-params",
            help=_("The same seed, text and options sample the same tokens."),
        )
    with right:
        n_tokens = st.number_input(
            _("Max new tokens"), min_value=1, max_value=MOST_NEW_TOKENS, value=20, key=NEW_TOKENS, bind="query-params"
        )
    config = GenerationConfig(max_new_tokens=4096, sampling=sampling, seed=int(seed))
    draft = _draft(model, texts, config)
    runs = draft.remaining > 0
    fragment = st.fragment(_refresh, run_every=REFRESH_SECONDS if runs else None)
    fragment(model, texts, draft, config, int(n_tokens), runs)


def _draft(model: LoadedModel, texts: Texts, config: GenerationConfig) -> TextDraft:
    """The session's draft of this text; the first one starts with the branches in the address."""
    branches = read_branches()
    inspected = read_number(INSPECTED, 0, LAST_INSPECTED)

    def make(on_progress: OnProgress) -> TextDraft:
        draft = replay(model, texts.text, branches, config, on_progress)
        draft.inspect(inspected)
        return draft

    return require(_draft_key(model, texts.text), make, title=_("Generating, token:"), cache=session_cache())


def draft_of(model: LoadedModel, text: str) -> TextDraft | None:
    """The session's draft of a text; None where there is none yet."""
    draft: TextDraft | None = session_cache().get(_draft_key(model, text))
    return draft


def _draft_key(model: LoadedModel, text: str) -> tuple[object, ...]:
    return (model_key(model), "draft", text)


def _refresh(
    model: LoadedModel, texts: Texts, draft: TextDraft, config: GenerationConfig, n_tokens: int, was_running: bool
) -> None:
    """Everything that changes with each token. The page reruns when generation starts or ends."""
    if draft.remaining:
        _advance(model, draft, config)
    _buttons(model, texts, draft, n_tokens)
    if draft.message:
        st.info(draft.message, icon=":material/info:")
    show_text(model, texts, draft)
    if draft.inspected != ROOT:
        show_alternatives(model, draft)
        st.caption(filter_summary(draft.tree.nodes[draft.inspected].generated.filters))
        show_branches(model, draft, config)
    tree = draft.tree
    shown = tree.path(draft.node)
    write_branches(tree.ids(draft.node), [tree.ids(leaf) for leaf in tree.leaves() if leaf not in shown])
    write_number(INSPECTED, draft.inspected_index, 0)
    config_shown = replace(config, max_new_tokens=max(1, len(draft.tree.path(draft.node))))
    call = f"for token in generate(model, {texts.text!r}, {config_shown!r}):"
    imports = ["playground.lens.generate.generation import GenerationConfig, generate"]
    imports += ["playground.lens.generate.predictions import Sampling"]
    offer_snippet(model, imports, [call, "    print(token.token.text, token.probability)"], seed=config.seed)
    if was_running and not draft.remaining:
        st.rerun()


def _show_door(model: LoadedModel, texts: Texts, draft: TextDraft) -> None:
    """From the generated text to the other pages: the text grown by the branch, or an encoder-decoder's answer."""
    ids = draft.tree.ids(draft.node)
    if model.kind == "encoder-decoder":
        answer = spell(model, ids)
        show_text_doors(answer_parameters(answer), measure=partial(answer_measure_door, answer))
        return
    prompt = [token.id for token in input_tokens(model, texts.text)]
    grown = texts.text + spell(model, prompt + ids)[len(spell(model, prompt)) :]
    show_text_doors(text_parameters(grown), measure=partial(text_measure_door, grown))


def _advance(model: LoadedModel, draft: TextDraft, config: GenerationConfig) -> None:
    """Append the next token, or show its progress: a fragment that waited for it could not be cancelled."""
    if draft.pending is None or draft.pending.config != config:
        draft.pending = _start(model, draft, config)
    pending = draft.pending
    if not pending.job.wait(WAIT_SECONDS):
        _show_progress(draft, pending)
        return
    draft.pending = None
    try:
        draft.append(config, pending.stream, pending.job.result())
    except UserError as error:
        draft.remaining, draft.message = 0, error_sentence(error)
        return
    draft.message = _("End of text: the model emitted an end token, or its context is full.") if draft.has_ended else ""


def _start(model: LoadedModel, draft: TextDraft, config: GenerationConfig) -> Pending:
    """Compute the next token in a thread of its own, queued behind other sessions."""
    stream, owner = draft.take_stream(model, config), whose_turn()

    def next_token(progress: JobProgress) -> StreamItem:
        with forward_queue().slot(progress.waiting, owner):
            leave_cores_to_runs()
            return list(islice(stream, 1))

    return Pending(stream=stream, config=config, job=Job(next_token), started=time.monotonic())


def _show_progress(draft: TextDraft, pending: Pending) -> None:
    state = _("Processing the text … {seconds:.0f} s").format(seconds=time.monotonic() - pending.started)
    if pending.job.progress.ahead:
        state = _("Waiting for a free core: {ahead} ahead").format(ahead=pending.job.progress.ahead)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(0.0, text=state)
        st.button(_("Cancel"), icon=":material/close:", key="cancel_writing", on_click=_cancel, args=(draft,))


def _cancel(draft: TextDraft) -> None:
    draft.stop()
    draft.message = _("Cancelled.")


def _buttons(model: LoadedModel, texts: Texts, draft: TextDraft, n_tokens: int) -> None:
    """Step, run or pause, start over; and the door of the text that was generated."""
    with st.container(horizontal=True, vertical_alignment="center"):
        stopped = draft.has_ended
        run_label = _("Continue") if draft.tree.nodes else _("Generate")
        if st.button(_("Step"), key="step", icon=":material/skip_next:", disabled=stopped or draft.remaining > 0):
            draft.remaining = 1
            st.rerun()
        if draft.remaining:
            if st.button(_("Pause"), key="pause", icon=":material/pause:"):
                draft.stop()
                st.rerun()
        elif st.button(run_label, key="play", icon=":material/play_arrow:", disabled=stopped, type="primary"):
            draft.remaining = n_tokens
            st.rerun()
        if st.button(_("Start over"), key="start_over", icon=":material/restart_alt:", disabled=not draft.tree.nodes):
            draft.tree, draft.message = Tree(text=draft.tree.text), ""
            draft.show_branch(ROOT)
            st.rerun()
        n_generated = _n("{n} token", "{n} tokens", len(draft.tree.path(draft.node)))
        log_probability = fill(_("log probability {value:.1f} nats"), value=0.0 - draft.tree.surprisal(draft.node))
        st.caption(f"{n_generated} · {log_probability}", width="content")
        if draft.tree.nodes and not draft.remaining:
            _show_door(model, texts, draft)
