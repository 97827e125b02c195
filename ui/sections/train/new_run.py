"""A new run: cards of the presets with Start, the chosen one's cost and name, and all of its settings."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training import TrainConfig
from playground.training.estimate import Estimate, estimate
from playground.training.presets import PRESETS
from playground.training.run.runs import free_name
from playground.training.trainer import choose_device
from playground.units import duration, prefixed
from ui.cache import throughput
from ui.components.page_frame import reveal
from ui.sections.train.architecture import show_planned_architecture
from ui.sections.train.config_form import RunDraft, choose_config, chosen_preset, upload_settings
from ui.sections.train.labels import part_label
from ui.sections.train.lr_finder import offer_finder
from ui.sections.train.pictures import preset_picture
from ui.sections.train.preset_texts import preset_caption, preset_sentence, preset_title
from ui.sections.train.runs import visible_runs
from ui.state.session import keep_error, take_error
from ui.state.training import adopt_draft, is_start_requested, request_start, take_start_request, write_run_id
from ui.state.visitor import visitor
from ui.text import error_sentence

LONGEST_NAME = 80
NAME = "run_name"
START_ERROR = "start"
CARDS, CHOSEN = "preset_cards", "chosen_card"
CHOSEN_PRESET, ALL_SETTINGS = "chosen_preset", "all_settings"
# Cards in a grid that fills the width; the chosen one is outlined.
STYLE = """<style>
.st-key-preset_cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(215px, 1fr)); gap: 0.75rem; }
.st-key-preset_cards > * { height: 100%; min-width: 0; }
.st-key-preset_cards > * > [data-testid="stVerticalBlock"] { height: 100%; justify-content: space-between; }
.st-key-chosen_card { outline: 2px solid var(--st-primary-color, #2b4c9b); }
</style>"""


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """The slots of the costs, filled when the page stands: measuring this machine takes a second at first."""

    times: Mapping[str, DeltaGenerator]
    """By preset."""
    cost: DeltaGenerator
    config: TrainConfig | None


def show_new_run(*, is_folded: bool) -> NewRun:
    """The cards and settings, folded away where a run is shown; `show_costs` completes them."""
    is_folded = is_folded or is_start_requested()
    with st.expander(_("New run"), icon=":material/add:", key="new_run") if is_folded else st.container():
        cards, chosen = st.container(key=CARDS), st.container(border=True, key=CHOSEN_PRESET)
        with st.expander(_("All settings"), icon=":material/tune:", key=ALL_SETTINGS, on_change="rerun"):
            draft = choose_config()
            upload_settings()
            _start_button(draft, "start_below")
        if draft.config is not None:
            show_planned_architecture(draft.config, preset_title(draft.preset))
        if take_start_request():
            _start_run(draft)
        with cards:
            times = _show_cards(chosen_preset())
            st.caption(_("Pictures: an example run of each preset, with seed 0."))
        with chosen:
            cost = _show_chosen(draft)
    if problem := take_error(START_ERROR):
        st.error(problem, icon=":material/error:")
    return NewRun(times=times, cost=cost, config=draft.config)


def show_costs(new_run: NewRun) -> None:
    """How long each preset takes on this machine, about, and what the chosen one costs."""
    for name, slot in new_run.times.items():
        slot.caption(_time_of(name))
    if new_run.config is not None:
        default_executor()  # prepares a worker while the settings are edited
        with new_run.cost.container():
            _show_estimate(new_run.config)


def _show_cards(chosen: str) -> dict[str, DeltaGenerator]:
    st.html(STYLE)
    times = {}
    for name in PRESETS:
        with st.container(border=True, gap="small", key=CHOSEN if name == chosen else f"card_{name}"):
            times[name] = _show_card(name, is_chosen=name == chosen)
    return times


def _show_card(name: str, *, is_chosen: bool) -> DeltaGenerator:
    """A preset's card; returns the slot for its time."""
    with st.container(gap="xsmall"):
        if picture := preset_picture(name):
            st.html(picture)
        st.markdown(f"**{preset_title(name)}**")
        st.caption(preset_sentence(name))
        slot = st.empty()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            _("Start"),
            icon=":material/play_arrow:",
            key=f"start_{name}",
            type="primary" if is_chosen else "secondary",
            on_click=_request,
            args=(name,),
        )
        st.button(
            _("Settings"),
            icon=":material/tune:",
            key=f"choose_{name}",
            type="tertiary",
            help=_("Choose this preset and change its settings before it starts."),
            on_click=_open_settings,
            args=(name,),
        )
    return slot


def _time_of(name: str) -> str:
    """How long a preset takes on this machine, about."""
    config = PRESETS[name]()
    seconds = estimate(config, throughput().of(choose_device(config).type)).seconds
    return _("About {time} on this machine").format(time=duration(seconds))


def _choose(name: str) -> None:
    if name != chosen_preset():
        adopt_draft(name, {})


def _open_settings(name: str) -> None:
    """Choose a preset, and bring its settings into sight: they stand below all cards."""
    _choose(name)
    st.session_state[ALL_SETTINGS] = True
    reveal(CHOSEN_PRESET)


def _request(name: str) -> None:
    """Start in the script's next run, when the fields have been read: a callback would miss what was just typed."""
    _choose(name)
    request_start()


def _show_chosen(draft: RunDraft) -> DeltaGenerator:
    """The chosen preset: what one will see, its name, and Start; returns the slot for its cost."""
    st.markdown(f"**{preset_title(draft.preset)}**")
    st.caption(preset_caption(draft.preset))
    if draft.problem:
        st.warning(draft.problem, icon=":material/warning:")
    slot = st.empty()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            _("Run name"), key=NAME, max_chars=LONGEST_NAME, placeholder=_default_name(draft.preset), width=300
        )
        _start_button(draft, "start")
        offer_finder(draft)
    return slot


def _start_button(draft: RunDraft, key: str) -> None:
    """Beside the name, and once more below the settings, where a telephone keeps it in sight."""
    st.button(
        _("Start"),
        type="primary",
        icon=":material/play_arrow:",
        key=key,
        disabled=draft.config is None,
        on_click=_request,
        args=(draft.preset,),
    )


def _default_name(preset: str) -> str:
    return free_name(preset_title(preset), [run.name for run in visible_runs()])


def _start_run(draft: RunDraft) -> None:
    if draft.config is None:
        keep_error(START_ERROR, draft.problem)
        st.rerun()
    typed = str(st.session_state.get(NAME) or "").strip()
    name = free_name(typed or preset_title(draft.preset), [run.name for run in visible_runs()], is_typed=bool(typed))
    try:
        run_id = default_executor().submit(draft.config, name=name, owner=visitor())
    except UserError as error:
        keep_error(START_ERROR, error_sentence(error))
        st.rerun()
    st.session_state.pop(NAME, None)
    write_run_id(run_id)  # the page shows it further down, in this run of the script


def _show_estimate(config: TrainConfig) -> None:
    cost = estimate(config, throughput().of(choose_device(config).type))
    entries = {
        _("Parameters"): f"{cost.total_parameters:,}",
        _("Compute (FLOP)"): prefixed(cost.flops, "FLOP"),
        _("Memory"): _("{megabytes:,.0f} MB").format(megabytes=cost.memory.total / 1e6),
        _("Estimated time"): duration(cost.seconds),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, value in entries.items():
            st.caption(f"{label} **{value}**", width="content")
        with st.popover(_("Parameter breakdown"), type="tertiary"):
            _show_breakdown(cost)


def _show_breakdown(cost: Estimate) -> None:
    flops = {part_label(part): prefixed(count, "FLOP") for part, count in cost.flops_per_step.items()}
    st.table({_("Parameters"): {part_label(part): f"{n:,}" for part, n in cost.parameters.items()}})
    st.table({_("Compute per step"): flops})
