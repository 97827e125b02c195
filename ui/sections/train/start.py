"""What a run will cost, and its beginning."""

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training import TrainConfig
from playground.training.device import choose_device
from playground.training.estimate import Estimate, estimate
from ui import state
from ui.sections.train.config_form import Draft
from ui.sections.train.labels import preset_title
from ui.units import duration, prefixed

LONGEST_NAME = 80


def show_start(draft: Draft) -> None:
    """The estimate and the button; where the settings make no run, the sentence that says why."""
    if draft.trouble:
        st.warning(draft.trouble, icon=":material/warning:")
    if draft.config is None:
        st.button(_("Start"), type="primary", icon=":material/play_arrow:", disabled=True, key="start")
        return
    default_executor()  # a worker is made ready while the settings are read
    _show_estimate(draft.config)
    name = st.text_input(_("Name of the run"), value=preset_title(draft.preset), max_chars=LONGEST_NAME, key="run_name")
    if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="start", width="stretch"):
        _start(draft.config, name or preset_title(draft.preset))


def _start(config: TrainConfig, name: str) -> None:
    try:
        run_id = default_executor().submit(config, name=name)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    state.write_run(run_id)  # the page shows it further down, in this very run of the script


def _show_estimate(config: TrainConfig) -> None:
    found = estimate(config, state.speeds().of(choose_device(config).type))
    rows = {
        _("Parameters"): f"{found.total_parameters:,}",
        _("Operations"): prefixed(found.flops, "FLOP"),
        _("Memory"): _("{megabytes:,.0f} MB").format(megabytes=found.memory.total / 1e6),
        _("Time, about"): duration(found.seconds),
    }
    with st.container(border=True):
        for label, value in rows.items():
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.caption(label, width="content")
                st.caption(f"**{value}**", width="content")
    _show_parts(found)


def _show_parts(found: Estimate) -> None:
    with st.expander(_("By part")):
        operations = {part.replace("_", " "): prefixed(flops, "FLOP") for part, flops in found.flops_per_step.items()}
        st.table({_("parameters"): {part.replace("_", " "): f"{n:,}" for part, n in found.parameters.items()}})
        st.table({_("operations in a step"): operations})
