"""A run's settings, its snapshots to open or fork, and everything to take home."""

import json
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training import TrainConfig
from playground.training.run.archive import SCRIPT, take_home
from playground.training.run.runs import Run, snapshot_steps
from ui import state
from ui.sections.train.config_form import adopt


def show_files(run: Run) -> None:
    """Snapshots on the left, files and settings on the right."""
    left, right = st.columns(2)
    with left:
        _show_snapshots(run)
    with right:
        _show_downloads(run)
    with st.expander(_("Settings"), icon=":material/data_object:"):
        st.json(run.config, expanded=2)


def _show_snapshots(run: Run) -> None:
    steps = snapshot_steps(run.folder)
    if not steps:
        st.caption(_("The first snapshot has not been written yet."))
        return
    step = st.select_slider(_("Snapshot of step"), steps, value=steps[-1], key=f"snapshot_{run.id}")
    address = "attention?" + urlencode({"model": f"run/{run.id}/{step}"})
    st.link_button(_("Open on the attention page"), address, icon=":material/grid_view:")
    st.caption(_("Its name as a model, here and in Python: {name}").format(name=f"`run/{run.id}/{step}`"))
    _deed(_("Take these settings into the fields of the sidebar"), "arrow_back", partial(_adopt, run))
    _deed(_("Fork from here with the settings of the sidebar"), "fork_right", partial(_fork, run, step))


def _deed(label: str, icon: str, deed: partial[None]) -> None:
    if st.button(label, icon=f":material/{icon}:", key=f"file_{icon}"):
        try:
            deed()
        except UserError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.rerun()


def _adopt(run: Run) -> None:
    adopt(TrainConfig.from_dict(run.config))


def _fork(run: Run, step: int) -> None:
    config = state.draft_config()
    if config is None:
        raise UserError(_("The settings in the sidebar are not complete."))
    state.write_run(default_executor().fork(run.id, step, config, name=f"{run.name} ⑂ {step}"))


def _show_downloads(run: Run) -> None:
    stem = f"run-{run.id[:8]}"
    st.download_button(
        _("Everything (.zip)"),
        partial(take_home, run.folder),
        file_name=f"{stem}.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(_("Weights, settings, numbers, samples, and a script that repeats the run."))
    st.download_button(
        _("Settings (.json)"),
        json.dumps(run.config, indent=2, ensure_ascii=False),
        file_name=f"{stem}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander(_("The script")):
        st.code(SCRIPT, language="python")
