"""One dial: choose a depth, see what the law makes of it, and train the series of four depths up to it."""

from functools import partial

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.scaling.budgets import short
from playground.sweeps.costs import sweep_cost
from playground.sweeps.dial import (
    DEEPEST,
    LAW,
    SHALLOWEST,
    DialSetting,
    SeriesPrediction,
    predict_series,
    read_prediction,
    series_config,
)
from playground.sweeps.folder import find_sweep
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.sweep import start_sweep, sweep_folder
from playground.tasks.sources import missing_files
from playground.tasks.text import TextTaskConfig
from playground.text import _
from playground.units import duration
from ui.cache import throughput
from ui.sections.scaling.fit import fetch_bootstrap, fetch_fit
from ui.sections.scaling.sections import show_empty
from ui.sections.scaling.study import ScalingStudy
from ui.sections.scaling.sweep_progress import follow_sweep
from ui.state.address import read_number, write_number
from ui.state.parameters import DIAL
from ui.state.revisions import widget_key
from ui.state.scaling import adopt_source, read_sweep_id, write_sweep_id
from ui.state.visitor import visitor
from ui.text import error_sentence, inert
from ui.widgets.callbacks import action_button
from ui.widgets.model import is_hosted

RESAMPLES = 200
WRITTEN_HERE = "tales"
"""The shipped sweep whose text needs no file."""


def show_dial_section(study: ScalingStudy | None) -> None:
    """The series of the address beside its prediction, or the dial for a new one."""
    sweep_id = read_sweep_id()
    if sweep_id is not None and _is_series(sweep_id):
        follow_sweep(sweep_id)
        return
    if study is None:
        show_empty()
        return
    try:
        config = _config_of(study)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return
    depth = _choose_depth(config)
    prediction = _predict(study, config, depth)
    if prediction is None:
        return
    _show_setting(config, prediction)
    missing = missing_files(config.task.sources) if isinstance(config.task, TextTaskConfig) else []
    if missing:
        _offer_another(missing)
    else:
        _offer_start(config, prediction)


def _is_series(sweep_id: str) -> bool:
    try:
        return read_prediction(sweep_folder(default_executor(), sweep_id)) is not None
    except UserError:
        return False


def _config_of(study: ScalingStudy) -> SweepConfig:
    """How the study's runs were trained. Raises UserError for a table."""
    if study.folder is None:
        raise UserError(
            "The dial trains models like those that the law was fitted to, and a table does not say how they were "
            "trained. Choose a sweep under Data."
        )
    return find_sweep(study.folder).config


def _choose_depth(config: SweepConfig) -> int:
    st.caption(
        _(
            "A depth decides everything else. Width: {head_width} times the depth, one head of {head_width} for each "
            "layer. Learning rate, batch and schedule: those of the sweep. Tokens: compute-optimal by the law fitted "
            "to the sweep, within what its runs saw. The loss is predicted before the first step, and the prediction "
            "is kept beside what comes out."
        ).format(head_width=config.head_width)
    )
    wanted = min(max(read_number(DIAL), SHALLOWEST), DEEPEST)
    depth: int = st.slider(
        _("Depth of the deepest model"), SHALLOWEST, DEEPEST, wanted, key=widget_key(DIAL, "dial_depth"), width=420
    )
    write_number(DIAL, depth)
    return depth


def _predict(study: ScalingStudy, config: SweepConfig, depth: int) -> SeriesPrediction | None:
    """The prediction by Chinchilla's law; None where it cannot be made, with the reason."""
    fitted = fetch_fit(study, LAW)
    resamples = fetch_bootstrap(study, fitted, RESAMPLES) if fitted is not None else None
    if fitted is None or resamples is None:
        return None
    counting = "all" if study.counts_embeddings else "without-embeddings"
    try:
        return predict_series(config, fitted, resamples, depth, counting=counting, source=study.source)
    except UserError as error:
        st.warning(error_sentence(error), icon=":material/help:")
        return None


def _show_setting(config: SweepConfig, prediction: SeriesPrediction) -> None:
    """The deepest model in a sentence, the whole series in a table, and what to know of its tokens."""
    deepest = prediction.settings[-1]
    st.markdown(
        _(
            "Depth {depth}: width {width}, {depth} heads, {params} parameters, learning rate {rate:.3g}, batches of "
            "{batch} × {context} tokens, {tokens} tokens. **Predicted loss {predicted:.4f}**, for 95% of new runs "
            "{low:.4f} to {high:.4f} nats."
        ).format(
            depth=deepest.depth,
            width=deepest.width,
            params=short(deepest.params),
            rate=deepest.learning_rate,
            batch=config.batch,
            context=config.context,
            tokens=short(deepest.tokens),
            predicted=deepest.predicted,
            low=deepest.low,
            high=deepest.high,
        )
    )
    st.dataframe([_row(setting) for setting in prediction.settings], hide_index=True, key="dial_rows")
    _show_bounds(prediction.settings)


def _row(setting: DialSetting) -> dict[str, str]:
    return {
        _("Depth"): str(setting.depth),
        _("d_model"): str(setting.width),
        _("Heads"): str(setting.depth),
        _("Parameters N"): f"{setting.params:,}",
        _("Peak learning rate"): f"{setting.learning_rate:.3g}",
        _("Tokens D"): f"{setting.tokens:,}",
        _("Predicted loss"): f"{setting.predicted:.4f}",
        _("95% of new runs"): _("{low:.4f} to {high:.4f}").format(low=setting.low, high=setting.high),
    }


def _show_bounds(settings: tuple[DialSetting, ...]) -> None:
    """Where the law asks for more or fewer tokens than its runs saw, and for sizes that they do not span."""
    bounded = [setting for setting in settings if setting.is_bounded]
    if bounded:
        last = bounded[-1]
        st.caption(
            _(
                "The law's compute-optimal tokens lie outside what its runs saw at {count} of {total} depths (at depth "
                "{depth} it asks for {optimal:.2g}); there the series stays within."
            ).format(count=len(bounded), total=len(settings), depth=last.depth, optimal=last.optimal_tokens)
        )
    beyond = [str(setting.depth) for setting in settings if setting.is_extrapolated]
    if beyond:
        st.caption(
            _("Larger or smaller than any model that the law was fitted to: depth {depths}.").format(
                depths=", ".join(beyond)
            )
        )


def _offer_another(missing: list[str]) -> None:
    """Why this series cannot be trained here, and one click to a sweep whose text the app writes itself."""
    reason = _("Its models would read the sweep's own text, and that is not on this machine: {missing}.").format(
        missing=", ".join(inert(name) for name in missing)
    )
    remedy = (
        _("The tales are written by the app: their series trains anywhere.")
        if is_hosted()
        else _(
            "Put the file into the folder that the app was started in, or take the tales: the app writes them itself, "
            "and their series trains anywhere."
        )
    )
    st.info(reason + " " + remedy, icon=":material/info:")
    action_button(_("Turn the dial on tales"), "dial_tales", partial(adopt_source, WRITTEN_HERE), icon="swap_horiz")


def _offer_start(config: SweepConfig, prediction: SeriesPrediction) -> None:
    """What the series takes here, and the button."""
    executor, series = default_executor(), series_config(config, prediction.settings)
    cost = sweep_cost(cells(series), throughput().of("cpu"), workers=executor.slots)
    st.caption(
        _("Four runs, about {time} with {workers} at once.").format(time=duration(cost.seconds), workers=executor.slots)
    )
    if not st.button(
        _("Keep the prediction and train"), type="primary", icon=":material/play_arrow:", key="dial_start"
    ):
        return
    try:
        with st.spinner(_("Starting…")):
            sweep_id = start_sweep(series, executor, owner=visitor(), prediction=prediction)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    write_sweep_id(sweep_id)
    st.rerun()
