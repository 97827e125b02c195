"""Learning-rate range test: train a throw-away copy at rising rates and plot the loss (Smith 2017)."""

import streamlit as st

from playground.charts.train import finder_figure
from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.jobs.range_test import range_test
from playground.text import _
from playground.training import TrainConfig
from playground.training.lr_finder import Trial, suggested_rate
from ui.cache import range_test_queue
from ui.sections.train.config_form import RunDraft, copy_rate
from ui.state.training import keep_trials, kept_trials
from ui.text import error_sentence

TRIALS = 100


def offer_finder(draft: RunDraft) -> None:
    """A button that opens the test for the current settings."""
    if draft.config is not None and st.button(
        _("Learning-rate range test"), icon=":material/troubleshoot:", key="finder"
    ):
        # Decorated when it is opened: a title at import time would be in the language of whoever came first.
        st.dialog(_("Learning-rate range test"), width="large")(_show_range_test)(draft.config)


def _show_range_test(config: TrainConfig) -> None:
    """Run the test, plot it, and offer the suggestion. Closing the window ends it."""
    st.caption(
        _(
            "100 steps at rates that rise from 1e-6 to 1. Good rates lie where the loss falls steeply, about a tenth "
            "of the rate at which it is lowest (Smith 2017)."
        )
    )
    try:
        trials = _trials(config)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    suggestion = suggested_rate(trials)
    rates, losses = [trial.rate for trial in trials], [trial.loss for trial in trials]
    figure = finder_figure(rates, losses, suggestion, [trial.smoothed for trial in trials])
    st.plotly_chart(figure, key="finder_chart")
    if suggestion is None:
        st.info(_("The loss did not fall at any rate; change the model or the task."), icon=":material/info:")
        return
    label = _("Use {rate:.2g} as peak").format(rate=suggestion)
    if st.button(label, type="primary", icon=":material/check:", on_click=copy_rate, args=(config, suggestion)):
        st.rerun()


def _trials(config: TrainConfig) -> list[Trial]:
    """The trials of these settings: kept from before, or made now."""
    kept = kept_trials(config)
    if kept is not None:
        return kept
    default_executor().check(config)
    slot = st.empty()
    slot.progress(0.0, text=_("Preparing the data"))
    trials: list[Trial] = []

    def on_wait(ahead: int) -> None:
        slot.progress(0.0, text=_("{n} range tests are ahead of yours").format(n=ahead))

    with range_test_queue().slot(on_wait):
        for trials in range_test(config, steps=TRIALS):
            if trials:
                text = _("rate {rate:.1e}, loss {loss:.3f}").format(rate=trials[-1].rate, loss=trials[-1].loss)
                slot.progress(len(trials) / TRIALS, text=text)
    slot.empty()
    keep_trials(config, trials)
    return trials
