"""The learning-rate finder: a throw-away copy is trained at rising rates, and the loss is watched."""

import streamlit as st

from playground.charts.train import finder_figure
from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.jobs.limits import check_limits
from playground.tasks.registry import kind_of
from playground.text import _
from playground.training import TrainConfig
from playground.training.lr_finder import Trial, find_rate, suggested_rate
from ui import state
from ui.sections.train.config_form import Draft, adopt_rate

TRIALS = 100


def offer_finder(draft: Draft) -> None:
    """A button that opens the finder for the settings as they stand."""
    if draft.config is not None and st.button(_("Find a learning rate"), icon=":material/troubleshoot:", key="finder"):
        _find(draft.config)


@st.dialog(_("Find a learning rate"), width="large")
def _find(config: TrainConfig) -> None:
    """Try the rates with progress, draw them, and offer the suggestion. Closing the window ends the search."""
    st.caption(
        _(
            "A hundred steps at rates that rise from 0.000001 to 1. Good rates lie where the loss falls steeply, "
            "about a tenth of the rate at which it is lowest. (Smith 2017)"
        )
    )
    try:
        trials = _trials(config)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    suggestion = suggested_rate(trials)
    rates, losses = [trial.rate for trial in trials], [trial.loss for trial in trials]
    figure = finder_figure(rates, losses, suggestion, [trial.smoothed for trial in trials])
    st.plotly_chart(figure, key="finder_chart")
    if suggestion is None:
        st.info(_("The loss fell at no rate; change the model or the task."), icon=":material/info:")
        return
    label = _("Use {rate:.2g} as the highest rate").format(rate=suggestion)
    if st.button(label, type="primary", icon=":material/check:", on_click=adopt_rate, args=(config, suggestion)):
        st.rerun()


def _trials(config: TrainConfig) -> list[Trial]:
    """The trials of these settings: kept from before, or made now in their turn."""
    kept = state.kept_trials(config)
    if kept is not None:
        return kept
    check_limits(config, default_executor().limits)
    place = st.empty()
    place.progress(0.0, text=_("Preparing the data"))
    task = kind_of(config.task).prepare(config.task)
    trials: list[Trial] = []
    with state.turns().turn():
        for trial in find_rate(config, task, steps=TRIALS):
            trials.append(trial)
            words = _("rate {rate:.1e}, loss {loss:.3f}").format(rate=trial.rate, loss=trial.loss)
            place.progress(len(trials) / TRIALS, text=words)
    place.empty()
    state.keep_trials(config, trials)
    return trials
