"""What keeps a classifier's score honest: baselines beside it, and texts that stand in both parts."""

from collections.abc import Sequence

import streamlit as st

from playground.evaluation.baselines import MOST_ROWS, Baselines, baselines, train_rows
from playground.evaluation.duplicates import both_parts, leaked_texts, repeated_texts
from playground.evaluation.label_spreads import LabelSpreads
from playground.progress import OnProgress
from playground.text import _, _n
from ui.cache import results
from ui.jobs import compute
from ui.sections.evaluate.labels_source import LabelSet
from ui.sections.evaluate.numbers import interval_text
from ui.widgets.number_columns import decimals

SHOWN_LEAKS = 20


def _train_rows(chosen: LabelSet) -> list[bool] | None:
    return train_rows(chosen.table.columns[chosen.columns["part"]]) if "part" in chosen.columns else None


def show_baselines(chosen: LabelSet) -> None:
    """The classifier beside the most frequent label and TF-IDF with logistic regression, on the same rows."""
    st.subheader(_("Baselines"), anchor=False)
    texts = chosen.texts
    if texts is None:
        st.caption(_("With a column of texts, a TF-IDF baseline is learned here too."))
        return
    is_train = _train_rows(chosen)

    def learn(on_progress: OnProgress) -> Baselines:
        return baselines(texts, chosen.true, is_train, on_progress)

    key = (*chosen.key, "baselines")
    learned = compute(key, learn, title=_("Learning the baseline, part:"), cache=results())
    if learned is None:
        return
    _table(learned.spreads(chosen.true, chosen.predicted))
    if is_train is None:
        st.caption(_("Each fifth of the table is predicted by a baseline that has learned from the other four."))
    else:
        st.caption(_("Learned from the training part; all three are measured on the other rows."))
    if len(texts) > MOST_ROWS:
        st.caption(_("Of {most:,} rows of the table.").format(most=MOST_ROWS))


def _table(spreads: dict[str, LabelSpreads]) -> None:
    titles = {
        "classifier": _("This classifier"),
        "tfidf": _("TF-IDF + logistic regression"),
        "majority": _("Most frequent label"),
    }
    found = spreads.values()
    st.dataframe(
        {
            _("classifier"): [titles[name] for name in spreads],
            _("accuracy"): [one.accuracy.value for one in found],
            _("accuracy, interval"): [interval_text(one.accuracy, digits=2) for one in found],
            _("macro F1"): [one.macro_f1.value for one in found],
            _("macro F1, interval"): [interval_text(one.macro_f1, digits=2) for one in found],
        },
        hide_index=True,
        key="baselines_table",
        column_config=decimals(_("accuracy"), _("macro F1")),
    )


def show_leaks(chosen: LabelSet) -> None:
    """Texts of the test part that the training part has too; without parts, texts that repeat."""
    texts, is_train = chosen.texts, _train_rows(chosen)
    if texts is None:
        return
    st.subheader(_("Texts in both parts"), anchor=False)
    if is_train is None:
        _show_repeats(texts)
        return
    train = [row for row, flag in enumerate(is_train) if flag]
    test = [row for row, flag in enumerate(is_train) if not flag]
    leaks = compute(
        (*chosen.key, "leaks"),
        lambda _progress: leaked_texts(*both_parts(texts, is_train)),
        title=_("Comparing texts"),
        cache=results(),
    )
    if leaks is None:
        return
    if not leaks:
        st.write(_("No test text stands in the training part (up to case, white space and Unicode form)."))
        return
    sentence = _("{count:,} of {n:,} test texts stand in the training part: a model may know them by heart.")
    st.warning(sentence.format(count=len(leaks), n=len(test)), icon=":material/warning:")
    lines = chosen.table.rows
    st.dataframe(
        {
            _("test line"): [lines[test[leak.test_row - 1]] for leak in leaks[:SHOWN_LEAKS]],
            _("training line"): [lines[train[leak.train_row - 1]] for leak in leaks[:SHOWN_LEAKS]],
            _("text"): [leak.text for leak in leaks[:SHOWN_LEAKS]],
        },
        hide_index=True,
        key="leaks_table",
    )


def _show_repeats(texts: Sequence[str]) -> None:
    count = repeated_texts(texts)
    st.write(
        _n("{n} text stands in the table more than once.", "{n} texts repeat an earlier row.", count)
        if count
        else _("No text stands in the table twice. With a column that says train or test, both parts are compared.")
    )
