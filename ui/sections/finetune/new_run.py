"""A new fine-tuning: its form, what it will cost, and Start."""

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.models import default_registry
from playground.models.cache import folder_stamp
from playground.text import _
from playground.training.finetune.cost import FinetuneEstimate, estimate_finetuning
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.trained_parts import MATRICES, held_together
from playground.training.run.runs import free_name
from playground.units import duration
from ui.cache import results
from ui.jobs import compute
from ui.sections.finetune.data import data_key
from ui.sections.finetune.draft import FinetuneDraft, choose_finetuning
from ui.sections.finetune.labels import PART_CHOICES, trained_titles
from ui.sections.train.runs import visible_runs
from ui.state.address import write_values
from ui.state.parameters import BASE_MODEL, FINETUNE_VIEW, TUNED_MODEL
from ui.state.revisions import renew
from ui.state.training import write_run_id
from ui.state.visitor import visitor
from ui.text import error_sentence
from ui.widgets.callbacks import action_button

NAME = "finetune_name"
LONGEST_NAME = 80


def show_new_finetuning() -> None:
    """The form, its cost, and the button."""
    cost, form = st.container(border=True), st.container()
    with form:
        draft = choose_finetuning()
    with cost:
        _show_start(draft)


def _show_start(draft: FinetuneDraft) -> None:
    config = draft.config
    found = None if config is None else _estimate(config)
    if draft.problem:
        st.warning(draft.problem, icon=":material/warning:")
    if found is not None:
        _show_estimate(found)
        _say_held_together(found, draft.config)
        for note in found.notes:
            st.warning(str(note), icon=":material/info:")
    problem = "" if config is None or found is None else _refusal(config)
    if problem:
        st.warning(problem, icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        default = "" if config is None else free_name(_title(config), [run.name for run in visible_runs()])
        st.text_input(_("Run name"), key=NAME, max_chars=LONGEST_NAME, placeholder=default, width=300)
        if config is not None and found is not None and not problem:
            action_button(_("Start"), "start_finetuning", lambda: _start(config, default), icon="play_arrow")
        else:
            st.button(_("Start"), icon=":material/play_arrow:", key="start_nothing", disabled=True)


def _title(config: FinetuneConfig) -> str:
    return f"{config.base.rstrip('/').rpartition('/')[2]} · {trained_titles()[config.parts.method]}"


def _estimate(config: FinetuneConfig) -> FinetuneEstimate | None:
    """None, with a sentence, for a base that cannot be loaded or lacks what is to be trained."""
    return compute(
        ("finetune cost", repr(config), folder_stamp(config.base), *data_key(config.task)),
        lambda _progress: estimate_finetuning(config, load=default_registry().get),
        title=_("Counting and timing what is trained …"),
        cache=results(),
    )


def _refusal(config: FinetuneConfig) -> str:
    try:
        default_executor().check(config)
    except UserError as error:
        return error_sentence(error)
    return ""


def _show_estimate(found: FinetuneEstimate) -> None:
    entries = {
        _("Trainable"): f"{found.trainable:,}",
        _("of all parameters"): f"{found.total:,} ({found.trainable / found.total:.2%})",
        _("Memory"): _("{megabytes:,.0f} MB").format(megabytes=found.memory.total / 1e6),
        _("Estimated time"): duration(found.seconds),
        _("File"): _("{megabytes:,.2f} MB").format(megabytes=found.file_bytes / 1e6),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, value in entries.items():
            st.caption(f"{label} **{value}**", width="content")
        if found.modules:
            with st.popover(_("Matrices with LoRA"), type="tertiary"):
                st.code("\n".join(found.modules), language=None)


def _say_held_together(found: FinetuneEstimate, config: FinetuneConfig | None) -> None:
    """Which matrices learn that were not chosen: a layer that holds several learns as a whole."""
    chosen = set() if config is None else set(config.parts.matrices)
    held = {matrix for path in found.modules for matrix in held_together(path)}
    if held - chosen:
        names = ", ".join(_(PART_CHOICES[matrix]) for matrix in MATRICES if matrix in held)
        st.caption(_("This model holds {names} in one matrix: LoRA changes all of it.").format(names=names))


def _start(config: FinetuneConfig, default: str) -> None:
    """Runs before the script: the run is followed from the next run on."""
    typed = str(st.session_state.get(NAME) or "").strip()
    name = free_name(typed, [run.name for run in visible_runs()], is_typed=True) if typed else default
    follow_finetuning(default_executor().submit(config, name=name, owner=visitor()))


def follow_finetuning(run_id: str) -> None:
    """Follow a run on this page."""
    write_run_id(run_id)
    write_values({FINETUNE_VIEW: "run", BASE_MODEL: None, TUNED_MODEL: None})
    for parameter in (FINETUNE_VIEW, BASE_MODEL, TUNED_MODEL):
        renew(parameter)
