"""Counter-examples, induction heads and grokking: behaviour above, progress measures below, over one axis of steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from playground.charts.emergence import Axes, Panels, panels_figure
from playground.charts.series import Series
from playground.emergence.metrics import METRICS_OF_STUDY
from playground.emergence.studies import Study
from playground.emergence.tables import MeasuredCheckpoint, runs_of
from playground.text import N_, _
from ui.sections.emergence.labels import metric_title, run_title
from ui.sections.emergence.live import REFRESH_SECONDS, LiveRun, live_run, measured_live_run, show_live
from ui.sections.emergence.study import (
    draw_study,
    offer_code,
    offer_table,
    say_midpoints,
    say_untrained,
    series_of,
    show_midpoints,
)
from ui.state.parameters import LOG_ABILITY_STEPS, PROGRESS_MEASURE, RUN, WITH_CONTROL
from ui.text import page_link
from ui.widgets.choice import choose_option

HEIGHT = 520
BEHAVIOUR: Mapping[str, tuple[str, ...]] = {
    "induction": ("repeat_accuracy",),
    "grokking": ("train_accuracy", "test_accuracy"),
}
PROGRESS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "induction": {
        "heads": ("previous_score", "induction_score"),
        "probability": ("repeat_probability",),
        "loss": ("repeat_loss",),
    },
    "grokking": {
        "losses": ("train_loss", "test_loss", "restricted_loss", "excluded_loss"),
        "gini": ("embedding_gini",),
        "weights": ("squared_weights",),
    },
}
NON_MONOTONIC = ("excluded_loss",)
"""Falls and rises again, so it has no midpoint."""
_TITLES = {
    "heads": N_("Head scores"),
    "probability": N_("Mean token probability"),
    "loss": N_("Loss on 2nd copy (nats)"),
    "losses": N_("Losses (nats)"),
    "gini": N_("Gini coefficient of the embedding"),
    "weights": N_("Sum of squared weights"),
}
_AXES = {
    "heads": N_("head score"),
    "probability": N_("mean token probability"),
    "loss": N_("loss on 2nd copy (nats)"),
    "losses": N_("loss (nats)"),
    "gini": N_("Gini coefficient of the embedding"),
    "weights": N_("sum of squared weights"),
}
_CONTROLS = {
    "induction": N_("Compare (dashed): one-layer model, which cannot"),
    "grokking": N_("Compare (dashed): no weight decay"),
}
_STORIES = {
    "induction": N_(
        "Here switching the metric does not remove the jump. The answer is one token, so there is no pᴸ; the "
        "probability of the correct token and the loss turn as sharply as the accuracy. The circuit needs two heads: a "
        "previous-token head, and above it a head that attends to what followed last time. In this run both scores "
        "rise in the very steps in which the accuracy does (Olsson et al. 2022)."
    ),
    "grokking": N_(
        "The training pairs are memorised at once. Of the other pairs, those whose numbers were trained in the other "
        "order soon become correct; the rest come late and all at once, and the test loss with them. The progress "
        "measures: **restricted loss** keeps only the waves of the key frequencies in the logits and falls long "
        "before; **excluded loss** removes those waves, on the training pairs; the **Gini coefficient** says how few "
        "frequencies the embedding uses. The key frequencies are those of the last checkpoint, so this is hindsight "
        "(Nanda et al. 2023), and it needs its control: without weight decay the model never generalises, yet "
        "restricted loss falls too, since memorised answers, averaged over all pairs with one sum, point at the rule. "
        "The Gini coefficient tells the two runs apart. The spikes are steps at which the optimiser overshoots (Thilak "
        "et al. 2022, “The Slingshot Mechanism”)."
    ),
}


@dataclass(frozen=True, kw_only=True)
class ProgressView:
    """What the chart shows."""

    progress: str
    """Key of the lower panel in PROGRESS."""
    with_control: bool
    """Whether the run that lacks the ability is drawn too."""
    log_x: bool


def show_progress_measures(study: Study, checkpoints: Sequence[MeasuredCheckpoint]) -> None:
    """The chart of behaviour and progress measures, its story, and the midpoint of every metric."""
    view = _choose_progress_view(study)
    live = live_run(study)
    busy = live is not None and live.is_busy
    st.fragment(_refresh, run_every=REFRESH_SECONDS if busy else None)(study, checkpoints, view, busy)
    run = "" if view.with_control else _main_run(study, checkpoints)[0].run
    offer_code(study.name, [*BEHAVIOUR[study.name], *PROGRESS[study.name][view.progress]], run=run)
    offer_table(study.name, checkpoints)


def _choose_progress_view(study: Study) -> ProgressView:
    titles = {name: _(_TITLES[name]) for name in PROGRESS[study.name]}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        progress = choose_option(PROGRESS_MEASURE, _("Progress measures"), titles, key=f"hidden_{study.name}")
        control = st.toggle(_(_CONTROLS[study.name]), key=WITH_CONTROL, bind="query-params")
        log_x = st.toggle(_("Logarithmic steps"), key=LOG_ABILITY_STEPS, bind="query-params")
    return ProgressView(progress=progress, with_control=control, log_x=log_x)


def _refresh(study: Study, checkpoints: Sequence[MeasuredCheckpoint], view: ProgressView, was_busy: bool) -> None:
    """Everything that changes while a run is live. When it ends, the page reruns once and rests."""
    live = measured_live_run(study, was_busy)
    main = _main_run(study, checkpoints)
    shown = [*BEHAVIOUR[study.name], *PROGRESS[study.name][view.progress]]
    say_midpoints(main, [name for name in shown if name not in NON_MONOTONIC])
    _draw_progress(study, checkpoints, view, live)
    st.markdown(_(_STORIES[study.name]))
    show_live(study, live)
    show_midpoints(main, [metric.name for metric in METRICS_OF_STUDY[study.name] if metric.name not in NON_MONOTONIC])


def _draw_progress(
    study: Study, checkpoints: Sequence[MeasuredCheckpoint], view: ProgressView, live: LiveRun | None
) -> None:
    behaviour, progress = BEHAVIOUR[study.name], PROGRESS[study.name][view.progress]
    runs = _panels(study, checkpoints, view, live)
    shares = {metric.name: metric.is_share for metric in METRICS_OF_STUDY[study.name]}
    axes = tuple(
        Axes(
            x=_("training step"),
            y=_("share") if shares[metrics[0]] else _(_AXES[view.progress]),
            log_x=view.log_x,
            is_share=shares[metrics[0]],
        )
        for metrics in (behaviour, progress)
    )
    figure = panels_figure(runs, (axes[0], axes[1]))
    label = _("{study}: behaviour and progress measures").format(study=study.name)
    revision = f"{study.name}{view.progress}{view.with_control}{view.log_x}"
    draw_study(study, checkpoints, live, figure, key="hidden_chart", label=label, height=HEIGHT, revision=revision)
    if live and live.checkpoints:
        st.caption(_("Dotted: the live run."))


def _panels(
    study: Study, checkpoints: Sequence[MeasuredCheckpoint], view: ProgressView, live: LiveRun | None
) -> list[Panels]:
    """The main run, the one that lacks the ability (dashed) where it is asked for, and the live one (dotted)."""
    main = _main_run(study, checkpoints)
    controls = [run for name, run in runs_of(checkpoints).items() if name != main[0].run] if view.with_control else []
    metrics = BEHAVIOUR[study.name], PROGRESS[study.name][view.progress]
    panels = [_panel(main, metrics, say_untrained())]
    panels += [_panel(run, metrics, say_untrained(), label=run_title(run[0]), dash="dash") for run in controls]
    if live and live.checkpoints:
        label, click = run_title(live.checkpoints[0]), page_link("train", (RUN, live.run.id))
        panels.append(_panel(live.checkpoints, metrics, click, label=label, dash="dot"))
    return panels


def _panel(
    run: Sequence[MeasuredCheckpoint],
    metrics: tuple[Sequence[str], Sequence[str]],
    click: str,
    *,
    label: str = "",
    dash: str = "solid",
) -> Panels:
    behaviour, progress = (_series(run, each, label, click) for each in metrics)
    return Panels(behaviour=behaviour, progress=progress, dash=dash)


def _main_run(study: Study, checkpoints: Sequence[MeasuredCheckpoint]) -> list[MeasuredCheckpoint]:
    """The run that acquires the ability."""
    runs = runs_of(checkpoints)
    return runs.get(study.live) or next(iter(runs.values()))


def _series(checkpoints: Sequence[MeasuredCheckpoint], metrics: Sequence[str], run: str, click: str) -> list[Series]:
    steps = [checkpoint.step for checkpoint in checkpoints]
    return [
        series_of(", ".join(filter(None, (metric_title(metric), run))), steps, checkpoints, metric, click)
        for metric in metrics
    ]
