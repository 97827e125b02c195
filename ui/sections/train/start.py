"""The cost of a new run, and its Start button."""

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training import TrainConfig
from playground.training.estimate import Estimate, estimate
from playground.training.trainer import choose_device
from ui.cache import throughput
from ui.sections.train.config_form import RunDraft
from ui.sections.train.labels import part_label, preset_title
from ui.state.training import write_run_id
from ui.units import duration, prefixed

LONGEST_NAME = 80


def show_start(draft: RunDraft) -> None:
    """The estimate and the button; or why the settings make no run."""
    if draft.problem:
        st.warning(draft.problem, icon=":material/warning:")
    if draft.config is None:
        st.button(_("Start"), type="primary", icon=":material/play_arrow:", disabled=True, key="start")
        return
    default_executor()  # prepares a worker while the settings are edited
    _show_estimate(draft.config)
    name = st.text_input(_("Run name"), value=preset_title(draft.preset), max_chars=LONGEST_NAME, key="run_name")
    if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="start", width="stretch"):
        _start_run(draft.config, name or preset_title(draft.preset))


def _start_run(config: TrainConfig, name: str) -> None:
    try:
        run_id = default_executor().submit(config, name=name)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    write_run_id(run_id)  # the page shows it further down, in this run of the script


def _show_estimate(config: TrainConfig) -> None:
    cost = estimate(config, throughput().of(choose_device(config).type))
    entries = {
        _("Parameters"): f"{cost.total_parameters:,}",
        _("Compute (FLOP)"): prefixed(cost.flops, "FLOP"),
        _("Memory"): _("{megabytes:,.0f} MB").format(megabytes=cost.memory.total / 1e6),
        _("Estimated time"): duration(cost.seconds),
    }
    with st.container(border=True):
        for label, value in entries.items():
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.caption(label, width="content")
                st.caption(f"**{value}**", width="content")
    _show_breakdown(cost)


def _show_breakdown(cost: Estimate) -> None:
    with st.expander(_("Parameter breakdown")):
        flops = {part_label(part): prefixed(count, "FLOP") for part, count in cost.flops_per_step.items()}
        st.table({_("Parameters"): {part_label(part): f"{n:,}" for part, n in cost.parameters.items()}})
        st.table({_("Compute per step"): flops})
