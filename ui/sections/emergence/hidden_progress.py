"""The counter-cases: induction heads and grokking, what one sees above and what grows behind it below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import streamlit as st

from playground.charts.emergence import Axes, Panels, panels_figure
from playground.charts.series import Series
from playground.emergence.measures import OF_STUDY
from playground.emergence.records import Checkpoint, runs_of
from playground.emergence.studies import Study
from playground.text import _
from ui import state
from ui.sections.emergence.labels import measure_title, run_title
from ui.sections.emergence.live import FOLLOW_SECONDS, LiveRun, live_run, measure_more, show_live
from ui.sections.emergence.study import draw, offer_code, offer_table, series_of, show_halfway
from ui.widgets.choice import choose_word

HEIGHT = 520
SEEN: Mapping[str, tuple[str, ...]] = {
    "induction": ("repeat_accuracy",),
    "grokking": ("train_accuracy", "test_accuracy"),
}
HIDDEN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
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
TURNING = ("excluded_loss",)
"""Falls and rises again: it has no half of a way."""


@dataclass(frozen=True, kw_only=True)
class HiddenView:
    """What is drawn below, whether the run that lacks the ability stands beside it, and the scale of the steps."""

    hidden: str
    with_control: bool
    log_x: bool


def show_hidden(study: Study, rows: Sequence[Checkpoint]) -> None:
    """What is seen and what is hidden, over one axis of steps."""
    st.markdown(_stories()[study.name])
    view = _choose_view(study)
    live = live_run(study)
    busy = live is not None and live.is_busy
    st.fragment(_follow, run_every=FOLLOW_SECONDS if busy else None)(study, rows, view, busy)
    run = "" if view.with_control else _main_run(study, rows)[0].run
    offer_code(study.name, [*SEEN[study.name], *HIDDEN[study.name][view.hidden]], run=run)
    offer_table(study.name, rows)


def _choose_view(study: Study) -> HiddenView:
    titles = {name: title for name, title in _titles().items() if name in HIDDEN[study.name]}
    hidden = choose_word(state.HIDDEN_MEASURE, _("Behind it"), titles, key=f"hidden_{study.name}")
    with st.container(horizontal=True, gap="medium"):
        control = st.toggle(_controls()[study.name], key=state.WITH_CONTROL, bind="query-params")
        log_x = st.toggle(_("Logarithmic steps"), key=state.LOG_ABILITY_STEPS, bind="query-params")
    return HiddenView(hidden=hidden, with_control=control, log_x=log_x)


def _follow(study: Study, rows: Sequence[Checkpoint], view: HiddenView, was_busy: bool) -> None:
    """Everything that changes while a run lives. When it has ended, the page runs once more and rests."""
    live = live_run(study)
    if live is not None:
        measure_more(live)
    if (live is not None and live.is_busy) != was_busy:
        st.rerun()
    _draw(study, rows, view, live)
    show_live(study, live)
    main = _main_run(study, rows)
    show_halfway(main, [measure.name for measure in OF_STUDY[study.name] if measure.name not in TURNING])


def _draw(study: Study, rows: Sequence[Checkpoint], view: HiddenView, live: LiveRun | None) -> None:
    main = _main_run(study, rows)
    seen, hidden = SEEN[study.name], HIDDEN[study.name][view.hidden]
    runs = [Panels(seen=_series(main, seen), hidden=_series(main, hidden))]
    controls = [run for name, run in runs_of(rows).items() if name != main[0].run] if view.with_control else []
    for run, dash in [*((run, "dash") for run in controls), *([(live.rows, "dot")] if live and live.rows else [])]:
        label = run_title(run[0])
        runs.append(Panels(seen=_series(run, seen, label), hidden=_series(run, hidden, label), dash=dash))
    shares = {measure.name: measure.is_share for measure in OF_STUDY[study.name]}
    axes = tuple(
        Axes(
            x=_("training step"),
            y=_("share") if shares[measures[0]] else _titles()[view.hidden].lower(),
            log_x=view.log_x,
            is_share=shares[measures[0]],
        )
        for measures in (seen, hidden)
    )
    figure = panels_figure(runs, (axes[0], axes[1]))
    label = _("{study}: what is seen and what is hidden").format(study=study.name)
    revision = f"{study.name}{view.hidden}{view.with_control}{view.log_x}"
    draw(study, rows, live, figure, key="hidden_chart", label=label, height=HEIGHT, revision=revision)
    if live and live.rows:
        st.caption(_("Dotted: the run that is trained now."))


def _main_run(study: Study, rows: Sequence[Checkpoint]) -> list[Checkpoint]:
    """The run that has the ability."""
    runs = runs_of(rows)
    return runs.get(study.live) or next(iter(runs.values()))


def _series(rows: Sequence[Checkpoint], measures: Sequence[str], run: str = "") -> list[Series]:
    steps = [row.step for row in rows]
    return [
        series_of(", ".join(filter(None, (measure_title(measure), run))), steps, rows, measure) for measure in measures
    ]


@cache
def _titles() -> dict[str, str]:
    return {
        "heads": _("Head scores"),
        "probability": _("Probability of the right symbol"),
        "loss": _("Loss on the repeat (nats)"),
        "losses": _("Losses (nats)"),
        "gini": _("Gini of the embedding"),
        "weights": _("Sum of squared weights"),
    }


@cache
def _controls() -> dict[str, str]:
    return {
        "induction": _("Beside it, dashed: one layer, which cannot"),
        "grokking": _("Beside it, dashed: without weight decay"),
    }


@cache
def _stories() -> dict[str, str]:
    return {
        "induction": _(
            "Here another measure does not take the cliff away. A symbol is one token, so there is no p^L; "
            "the probability of the right symbol and the loss turn as sharply as the accuracy. Two heads have to meet: "
            "one that looks at the token before, and above it one that looks for what followed last time. "
            "In this run both scores rise in the very steps in which the accuracy does. (Olsson et al. 2022)"
        ),
        "grokking": _(
            "What was trained on is known by heart at once. Of the other pairs, those are soon right whose numbers "
            "were trained on the other way round; the rest come late and all at once, and the test loss with them. "
            "Behind it, **restricted loss** keeps of the answers only the waves of the key frequencies and falls long "
            "before; **excluded loss** takes those waves away from the pairs that were trained on; the **Gini "
            "coefficient** says how few frequencies the embedding rests on. The key frequencies are those of the last "
            "checkpoint, so this is hindsight (Nanda et al. 2023), and it needs its control: without weight decay the "
            "accuracy never comes, yet restricted loss falls too, since answers known by heart, averaged over all "
            "pairs of one sum, point at the rule. The Gini coefficient tells the two runs apart. The spikes are steps "
            "at which the optimiser overshoots (Thilak et al. 2022, “The Slingshot Mechanism”)."
        ),
    }
