"""Held-out measures of the fine-tuned model beside the most frequent label, TF-IDF and the model from scratch."""

from collections.abc import Iterator

import streamlit as st

from playground.charts.evaluate import confusion_figure, confusion_height, spreads_figure
from playground.evaluation.resampling import PairedSpread
from playground.finetuning.findings import describe_scores, describe_tfidf
from playground.finetuning.held_out_scores import SCRATCH, TFIDF, HeldOutScores, score_models
from playground.models import LoadedModel, default_registry
from playground.models.cache import folder_stamp
from playground.progress import OnProgress
from playground.tasks.finetune.rows import ROWS, SplitRows, read_split
from playground.tasks.sources import stamp_of
from playground.text import N_, _
from ui.jobs import require
from ui.sections.evaluate.numbers import interval_text, offer_results
from ui.sections.finetune.series_runs import scratch_model
from ui.sections.finetune.subject import FinetuneSubject, run_in_python
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.parameters import MODEL
from ui.widgets.chart import draw
from ui.widgets.doors import GENERATE, doors
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.number_columns import decimals

ROW = 42
CHART_NAMES = {TFIDF: N_("TF-IDF"), SCRATCH: N_("from scratch")}
"""Shorter ones, where they stand beside a picture."""


def scores_key(subject: FinetuneSubject, scratch: str | None) -> tuple[object, ...]:
    """The run's rows as they are now, and the model from scratch as it is now."""
    assert subject.run is not None
    rows = subject.run / ROWS
    return subject.key("scores", str(rows), stamp_of(str(rows)), scratch, folder_stamp(scratch or ""))


def show_held_out(subject: FinetuneSubject) -> None:
    """Every system on the same rows."""
    assert subject.run is not None
    rows, scratch = read_split(subject.run), scratch_model(subject.config)
    scores = require(
        scores_key(subject, scratch),
        lambda on_progress: _score(subject.pair.after, rows, scratch, on_progress),
        title=_("Classifying held-out texts:"),
        cache=subject.cache,
    )
    show_findings(describe_scores(scores), describe_tfidf(scores))
    names = [system.name for system in scores.systems]
    accuracies = [system.spreads.accuracy for system in scores.systems]
    draw(
        subject.pair.after,
        spreads_figure([_(CHART_NAMES.get(name, name)) for name in names], accuracies, meaning=_("held-out accuracy")),
        key="held_out",
        label=_("Held-out accuracy"),
        details=subject.details,
        height=110 + ROW * len(names),
        revision=str(len(names)),
    )
    _list_systems(scores)
    st.caption(
        _("Accuracy: Wilson's 95% interval over the held-out texts. Differences: 1,000 paired bootstrap resamples.")
    )
    if scratch is None:
        st.caption(
            _("The same architecture from scratch joins as soon as the section Number of labels has trained it.")
        )
    _draw_confusion(subject, scores)
    _offer(subject, rows, scores)
    _offer_program(subject, scratch)


def _score(model: LoadedModel, rows: SplitRows, scratch: str | None, on_progress: OnProgress) -> HeldOutScores:
    return score_models(model, rows, None if scratch is None else default_registry().get(scratch), on_progress)


def _list_systems(scores: HeldOutScores) -> None:
    gains = [system.gain for system in scores.systems]
    st.dataframe(
        {
            _("system"): [_(system.name) for system in scores.systems],
            _("accuracy"): [system.spreads.accuracy.value for system in scores.systems],
            _("interval"): [interval_text(system.spreads.accuracy) for system in scores.systems],
            _("macro F1"): [system.spreads.macro_f1.value for system in scores.systems],
            _("fine-tuned is ahead by (points)"): ["–" if gain is None else _in_points(gain) for gain in gains],
        },
        hide_index=True,
        key="systems",
        column_config=decimals(_("accuracy"), _("macro F1")),
    )


def _in_points(gain: PairedSpread) -> str:
    """A difference of shares and its interval, in percentage points."""
    value, low, high = (100 * share for share in (gain.difference.value, gain.difference.low, gain.difference.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _draw_confusion(subject: FinetuneSubject, scores: HeldOutScores) -> None:
    counted = scores.systems[0].counted
    with st.expander(_("Confusion matrix"), icon=":material/grid_on:"):
        draw(
            subject.pair.after,
            confusion_figure(counted.labels, counted.counts),
            key="held_out_confusion",
            label=_("Confusion matrix"),
            details=subject.details,
            height=confusion_height(counted.labels),
        )


def _offer(subject: FinetuneSubject, rows: SplitRows, scores: HeldOutScores) -> None:
    names = [system.name for system in scores.systems]

    def lines() -> Iterator[list[object]]:
        columns = zip(*(system.predicted for system in scores.systems), strict=True)
        for text, label, answers in zip(rows.held_out.texts, scores.true, columns, strict=True):
            yield [text, label, *answers]

    offer_results(["text", "label", *names], lines, name="held-out.csv", details=subject.details)
    after = {str(MODEL): subject.pair.after.name, str(GENERATE_SECTION): "classify"}
    doors({_("Ask it about a text"): (GENERATE, after)})


def _offer_program(subject: FinetuneSubject, scratch: str | None) -> None:
    assert subject.run is not None
    imports, folder = run_in_python(subject.run)
    imports = [
        "playground import load",
        "playground.finetuning.held_out_scores import score_models",
        "playground.tasks.finetune.rows import read_split",
        *imports,
    ]
    beside = "" if scratch is None else f", load({scratch!r})"
    lines = [
        f"rows = read_split({folder})",
        f"scores = score_models(load({subject.pair.after.name!r}), rows{beside})",
        "for system in scores.systems:",
        "    print(system.name, system.spreads.accuracy, system.spreads.macro_f1)",
    ]
    offer_snippet(None, imports, lines)
