"""A classifier's labels: accuracy to F1 with intervals, the confusion matrix, slices."""

from collections.abc import Iterator

import streamlit as st

from playground.charts.evaluate import confusion_figure, confusion_height, spreads_figure
from playground.evaluation.confusion import (
    AVERAGES,
    SCORE_NAMES,
    Confusion,
    confusion,
    spelling_note,
)
from playground.evaluation.label_spreads import LabelSpreads, label_spreads
from playground.evaluation.slices import MOST_SLICES, SliceScores, slice_scores
from playground.lens.finding import Finding
from playground.text import N_, _
from ui.cache import results
from ui.jobs import compute, require
from ui.sections.evaluate.checks import show_baselines, show_leaks
from ui.sections.evaluate.labels_source import LabelSet, choose_labels
from ui.sections.evaluate.numbers import interval_text, offer_results, say_intervals, show_spreads
from ui.sections.evaluate.scores import scores_for, show_row_scores
from ui.sections.evaluate.text_doors import row_doors
from ui.state.address import read_text
from ui.state.parameters import MODEL, SLICED_BY
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored
from ui.widgets.number_columns import decimals

SLICE_ROW = 34
SHOWN_ERRORS = 200
ERROR_WIDTH = 120
"""Characters of a text in the list."""


def show_label_scores() -> None:
    """The table, the scores, and what they may hide."""
    form, found = st.columns([2, 3], gap="medium")
    with form:
        chosen = choose_labels()
    if chosen is None:
        return
    counted = confusion(chosen.true, chosen.predicted)
    spreads = require(
        (*chosen.key, "spreads"), lambda _progress: label_spreads(counted), title=_("Resampling"), cache=results()
    )
    with found:
        show_findings(_describe(counted))
        if spelling := spelling_note(chosen.true, chosen.predicted):
            st.warning(spelling, icon=":material/spellcheck:")
        show_spreads({_("Accuracy"): spreads.accuracy, _("Macro F1"): spreads.macro_f1})
        draw(
            None,
            confusion_figure(counted.labels, counted.counts),
            key="confusion_chart",
            label=_("Confusion matrix"),
            details=chosen.details,
            height=confusion_height(counted.labels),
            revision="".join(counted.labels),
        )
    _show_labels(counted, spreads)
    _show_errors(chosen)
    show_baselines(chosen)
    positive = show_row_scores(chosen)
    sliced_by = _show_slices(chosen)
    show_leaks(chosen)
    say_intervals(_("accuracy, and each label's precision and recall"))
    _offer_rows(chosen, positive, sliced_by)


def _describe(counted: Confusion) -> Finding:
    support = counted.support
    largest = int(support.argmax())
    template = N_(
        "{hits:,} of {n:,} labels are right. Always saying “{label}”, the most frequent one, would be right {base:.1%} "
        "of the time; this classifier is {accuracy:.1%}."
    )
    values = {
        "hits": int(counted.counts.trace()),
        "n": counted.n,
        "label": counted.labels[largest],
        "base": float(support[largest] / counted.n),
        "accuracy": counted.accuracy,
    }
    return Finding(template=template, values=values)


def _show_labels(counted: Confusion, spreads: LabelSpreads) -> None:
    """Precision, recall and F1 of each label, and their three averages."""
    averages = {"micro": _("micro average"), "macro": _("macro average"), "weighted": _("weighted average")}
    columns: dict[str, list[object]] = {_("label"): [*counted.labels, *(averages[name] for name in AVERAGES)]}
    titles = {"precision": _("precision"), "recall": _("recall"), "f1": "F1"}
    for name in SCORE_NAMES:
        rows = [*spreads.labels[name], *(spreads.averages[average][name] for average in AVERAGES)]
        columns[titles[name]] = [spread.value for spread in rows]
        columns[_("{score}, interval").format(score=titles[name])] = [interval_text(row, digits=2) for row in rows]
    columns[_("rows")] = [*counted.support.tolist(), *[counted.n] * len(AVERAGES)]
    st.dataframe(columns, hide_index=True, key="label_scores", column_config=decimals(*titles.values()))
    st.caption(
        _(
            "Precision: how many of those predicted are right. Recall: how many of those that are were found. F1: the "
            "harmonic mean of both. Macro: the mean over labels, each counting alike; micro: all rows pooled."
        )
    )


def _show_errors(chosen: LabelSet) -> None:
    """The rows that are wrong, and one of their texts on the pages that look at it."""
    pairs = zip(chosen.true, chosen.predicted, strict=True)
    wrong = [row for row, (true, predicted) in enumerate(pairs) if true != predicted]
    texts = chosen.texts
    if not wrong or texts is None:
        return
    st.subheader(_("Errors"), anchor=False)
    if len(wrong) > SHOWN_ERRORS:
        sentence = _("The first {most} of {n:,} rows that are wrong; the file below has all.")
        st.caption(sentence.format(most=SHOWN_ERRORS, n=len(wrong)))
    picked: int = st.selectbox(
        _("Row"),
        wrong[:SHOWN_ERRORS],
        key=f"error_row_{chosen.key[-1]}",
        format_func=lambda row: (
            f"{chosen.table.rows[row]} · {chosen.true[row]} → {chosen.predicted[row]} · "
            f"{' '.join(texts[row].split())[:ERROR_WIDTH]}"
        ),
        help=_("Line of the file · true label → predicted label · text"),
    )
    row_doors(texts[picked], {str(MODEL): str(chosen.details["model"])} if "model" in chosen.details else {})


def _show_slices(chosen: LabelSet) -> str | None:
    """The scores of each value of a column; that column. None where no column makes groups."""
    used = {chosen.columns[word] for word in ("label", "prediction", "score", "text") if word in chosen.columns}
    fitting = [
        name
        for name, column in chosen.table.columns.items()
        if name not in used and 1 < len(set(column)) <= MOST_SLICES
    ]
    if not fitting:
        return None
    st.subheader(_("Slices"), anchor=False)
    current = read_text(SLICED_BY)
    current = current if current in fitting else fitting[0]
    picked: str = st.selectbox(
        _("Column"),
        fitting,
        index=fitting.index(current),
        width=240,
        **mirrored(SLICED_BY, current, fitting[0]),
    )
    column = chosen.table.columns[picked]
    rows = compute(
        (*chosen.key, "slices", picked),
        lambda _progress: slice_scores(chosen.true, chosen.predicted, column),
        title=_("Resampling"),
        cache=results(),
    )
    if rows:
        _draw_slices(rows, picked, chosen)
    return picked


def _draw_slices(rows: list[SliceScores], column: str, chosen: LabelSet) -> None:
    names = [f"{row.value or '–'}" for row in rows]
    show_findings(_describe_slices(rows))
    figure = spreads_figure(names, [row.accuracy for row in rows], meaning=_("accuracy"))
    draw(
        None,
        figure,
        key="slices_chart",
        label=_("Accuracy by {column}").format(column=column),
        details={**chosen.details, "sliced by": column},
        height=110 + SLICE_ROW * len(rows),
        revision=column,
    )
    table = {
        _("value"): names,
        _("rows"): [row.accuracy.n for row in rows],
        _("accuracy"): [row.accuracy.value for row in rows],
        _("accuracy, interval"): [interval_text(row.accuracy, digits=2) for row in rows],
        _("macro F1"): [row.macro_f1.value for row in rows],
        _("macro F1, interval"): [interval_text(row.macro_f1, digits=2) for row in rows],
    }
    st.dataframe(table, hide_index=True, key="slices_table", column_config=decimals(_("accuracy"), _("macro F1")))


def _describe_slices(rows: list[SliceScores]) -> Finding:
    best, worst = max(rows, key=lambda row: row.accuracy.value), min(rows, key=lambda row: row.accuracy.value)
    values = {
        "best": best.value,
        "worst": worst.value,
        "high": best.accuracy.value,
        "low": worst.accuracy.value,
        "n": worst.accuracy.n,
    }
    template = N_("Best on “{best}” ({high:.1%}), worst on “{worst}” ({low:.1%}, {n:,} rows).")
    return Finding(template=template, values=values)


def _offer_rows(chosen: LabelSet, positive: str | None, sliced_by: str | None) -> None:
    """The rows as a file, and the program that measures this file."""
    scores = [] if positive is None else [scores_for(chosen, positive).tolist()]
    header = ["file_line", *chosen.table.columns, *("measured_score" for _scores in scores)]
    header += ["measured_label", "measured_prediction", "is_right"]

    def rows() -> Iterator[tuple[object, ...]]:
        columns = (chosen.table.rows, *chosen.table.columns.values(), *scores, chosen.true, chosen.predicted)
        return ((*row, int(row[-2] == row[-1])) for row in zip(*columns, strict=True))

    offer_results(header, rows, name="labels.csv", details=chosen.details)
    options = {
        "label": "measured_label",
        "prediction": "measured_prediction",
        "score": None if positive is None else "measured_score",
        "positive": positive,
        "sliced_by": sliced_by,
        "text": chosen.columns.get("text"),
        "part": chosen.columns.get("part") if "text" in chosen.columns else None,
    }
    given = ", ".join(f"{name}={value!r}" for name, value in options.items() if value is not None)
    imports = ["pprint import pprint", "pathlib import Path", "playground.evaluation.label_report import label_report"]
    imports += ["playground.evaluation.text_table import read_text_table"]
    lines = [
        'table = read_text_table(Path("labels.csv").read_bytes())  # the file above',
        f"pprint(label_report(table, {given}))",
    ]
    offer_snippet(None, imports, lines)
