"""A small sweep, begun here and watched: points arrive, the fit tightens. It survives a reload through its id."""

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.scaling.costs import cost_of
from playground.scaling.design import SweepConfig, cells
from playground.scaling.sweep import (
    SweepView,
    delete_sweep,
    read_sweep,
    resume_sweep,
    start_sweep,
    stop_sweep,
    sweep_folder,
)
from ui import state
from ui.controls.deeds import deed_button
from ui.controls.scaling.growing import show_growing
from ui.controls.training.numbers import COLOURS, state_word
from ui.quantities import duration
from ui.text import _

FOLLOW_SECONDS = 1.0
SIZES = {
    f"{width}x{layers}": (width, layers) for width, layers in ((8, 1), (16, 1), (24, 2), (32, 2), (48, 3), (64, 4))
}
TOKENS = (30_000, 60_000, 120_000, 250_000, 500_000)
USUAL_SIZES, USUAL_TOKENS, USUAL_SEEDS = ("8x1", "16x1", "24x2", "32x2"), (60_000, 120_000, 250_000), 1
EVALUATIONS = 12
MOST_SEEDS = 5


def show_live() -> None:
    """The sweep that the address follows, or what it takes to begin one."""
    sweep_id = state.read_sweep_id()
    if sweep_id is None:
        _offer_sweep()
        return
    try:
        view = read_sweep(sweep_folder(default_executor(), sweep_id))
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.button(
            _("Begin another"), icon=":material/add:", on_click=state.write_sweep_id, args=(None,), key="no_sweep"
        )
        return
    if _is_live(view):
        st.fragment(_follow, run_every=FOLLOW_SECONDS)(sweep_id)
    else:
        _show(sweep_id, view)


def _is_live(view: SweepView) -> bool:
    return view.progress.state == "running" or (view.progress.state == "new" and not view.progress.done)


def _offer_sweep() -> None:
    """Sizes, tokens and seeds, what they will take, and the button."""
    st.caption(
        _(
            "Small models learn little stories, endless and with a known lowest loss, in worker processes of this "
            "machine. Every run is an ordinary run that the Train page opens."
        )
    )
    config = _choose_config()
    if config is None:
        return
    found = cells(config)
    executor = default_executor()
    speed = state.speeds().of("cpu")
    cost = cost_of(found, speed, workers=executor.slots)
    sizes = sorted({cell.parameters for cell in found})
    words = _(
        "{count} runs from {least:,} to {most:,} parameters, about {time} with {workers} at once, {flops:.2g} FLOP."
    )
    st.write(
        words.format(
            count=cost.cells,
            least=sizes[0],
            most=sizes[-1],
            time=duration(cost.seconds),
            workers=executor.slots,
            flops=cost.flops,
        )
    )
    _show_rates(config)
    if st.button(_("Run the sweep"), type="primary", icon=":material/play_arrow:", key="start_sweep"):
        try:
            sweep_id = start_sweep(config, executor)
        except UserError as error:
            st.error(str(error), icon=":material/error:")
            return
        state.write_sweep_id(sweep_id)
        st.rerun()


def _choose_config() -> SweepConfig | None:
    """What a person chose; None, with a sentence, where it makes no sweep."""
    chosen = st.pills(
        _("Sizes (width x layers)"),
        list(SIZES),
        selection_mode="multi",
        default=state.read_word_list("sweep_sizes", list(SIZES), USUAL_SIZES),
        key="sweep_sizes",
    )
    state.write_word_list("sweep_sizes", chosen, list(SIZES), USUAL_SIZES)
    words = [str(count) for count in TOKENS]
    usual = [str(count) for count in USUAL_TOKENS]
    budgets = st.pills(
        _("Tokens to train on"),
        words,
        selection_mode="multi",
        default=state.read_word_list("sweep_tokens", words, usual),
        format_func=lambda word: f"{int(word):,}",
        key="sweep_tokens",
    )
    state.write_word_list("sweep_tokens", budgets, words, usual)
    seeds = st.number_input(
        _("Seeds"), 1, MOST_SEEDS, state.read_number("sweep_seeds", USUAL_SEEDS, MOST_SEEDS), key="number_sweep_seeds"
    )
    state.write_number("sweep_seeds", seeds, USUAL_SEEDS)
    if not chosen or not budgets:
        st.info(_("Choose at least one size and one number of tokens."), icon=":material/info:")
        return None
    try:
        return SweepConfig(
            sizes=tuple(SIZES[word] for word in chosen),
            tokens=tuple(sorted(int(word) for word in budgets)),
            seeds=tuple(range(seeds)),
            evaluations=EVALUATIONS,
            device="cpu",
        )
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _show_rates(config: SweepConfig) -> None:
    with st.expander(_("Learning rates: smaller for wider models")):
        widths = sorted({width for width, _layers in config.sizes})
        st.dataframe(
            [{_("Width"): width, _("Learning rate"): f"{config.rate(width):.3g}"} for width in widths],
            hide_index=True,
            key="rate_rows",
        )
        st.caption(_("In inverse proportion to the width (Yang et al. 2022); warm-up, a stable rate, then decay."))


def _follow(sweep_id: str) -> None:
    """A sweep at work, looked at again and again. When it has ended, the page runs once more and rests."""
    try:
        view = read_sweep(sweep_folder(default_executor(), sweep_id))
    except UserError:
        st.rerun()
        return
    if not _is_live(view):
        st.rerun()
    _show(sweep_id, view)


def _show(sweep_id: str, view: SweepView) -> None:
    _show_progress(view)
    _show_hand(sweep_id, view)
    show_growing(sweep_id, view)
    _show_cells(view)


def _show_progress(view: SweepView) -> None:
    progress = view.progress
    names = {"new": "starting"}
    word = names.get(progress.state, progress.state)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(state_word(word), color=COLOURS.get(word, "gray"))  # type: ignore[arg-type]
        st.caption(_("{seconds} so far").format(seconds=duration(progress.seconds)))
    total = max(1, progress.total or len(view.cells))
    words = _("{done} of {total} runs").format(done=progress.done, total=total)
    if progress.seconds_left is not None:
        words += " · " + _("about {time} left").format(time=duration(progress.seconds_left))
    steps = sum(min(cell.step, cell.cell.config.steps) for cell in view.cells)
    share = steps / max(1, sum(cell.cell.config.steps for cell in view.cells))
    st.progress(min(1.0, share), text=words)
    for name, why in progress.failed.items():
        st.warning(f"{name}: {why}", icon=":material/error:")


def _show_hand(sweep_id: str, view: SweepView) -> None:
    """Stop, go on, look closer, begin another, delete."""
    ended = view.progress.state in ("stopped", "interrupted", "finished")
    with st.container(horizontal=True, gap="small"):
        if not ended:
            deed_button(_("Stop"), "stop_sweep", lambda: stop_sweep(view.folder), icon="stop")
        if ended and view.progress.done < len(view.cells):
            deed_button(
                _("Go on"), "resume_sweep", lambda: resume_sweep(view.folder, default_executor()), icon="play_arrow"
            )
        if view.points:
            address = "scaling?" + urlencode({state.SOURCE: sweep_id, state.SWEEP: sweep_id})
            st.link_button(_("Look closer under Curves"), address, icon=":material/query_stats:")
        if ended:
            deed_button(_("Begin another"), "another_sweep", lambda: state.write_sweep_id(None), icon="add")
            with st.popover(_("Delete"), icon=":material/delete:"):
                st.write(_("The sweep and its {count} runs are gone for good.").format(count=len(view.cells)))
                deed_button(_("Delete it and its runs"), "delete_sweep", lambda: _delete(view.folder), icon="delete")


def _delete(folder: Path) -> None:
    delete_sweep(folder)
    state.write_sweep_id(None)


def _show_cells(view: SweepView) -> None:
    with st.expander(_("All {count} runs").format(count=len(view.cells)), icon=":material/table_rows:"):
        losses = {point.run: point.loss for point in view.points}
        rows = [
            {
                _("Run"): one.cell.name,
                _("State"): state_word(one.state) if one.state != "unknown" else _("Not begun"),
                _("Step"): f"{one.step:,} / {one.cell.config.steps:,}",
                _("Loss"): losses.get(one.cell.name),
                _("Open"): f"train?run={one.run_id}" if one.state != "unknown" else None,
            }
            for one in view.cells
        ]
        st.dataframe(
            rows,
            hide_index=True,
            key="cell_rows",
            column_config={_("Open"): st.column_config.LinkColumn(display_text=_("open in Train"))},
        )
