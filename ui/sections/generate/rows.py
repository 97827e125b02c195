"""Several texts at once: the lines of a field or the rows of a file, each with its answer; as CSV again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.evaluation.text_table import TextTable, read_text_table
from playground.lens.generate.findings import percent
from playground.lens.generate.row_answers import RowAnswer, answer_rows, answers_csv
from playground.lens.several_texts import MOST_TEXTS, split_texts
from playground.models import LoadedModel
from playground.models.heads import ModelHead
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _, _n
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import compute
from ui.state.address import read_text, replace_text
from ui.state.link import link_lines
from ui.state.parameters import PAIR, ROW_COLUMN, ROW_PAIR_COLUMN, ROWS_UPLOAD, SEVERAL, TEXT, Text
from ui.text import error_sentence, inert
from ui.widgets.mirror import mirrored
from ui.widgets.text import address_text
from ui.widgets.upload import kept_file

UPLOAD_MEGABYTES = 5
LONGEST_LABEL = 16
MOST_ROWS = 1_000
"""Rows of a file that are answered on the page; the command line takes all."""


@dataclass(frozen=True, kw_only=True)
class AskedRows:
    """What is asked: texts, second texts, and the columns that come back with the answers."""

    texts: tuple[str, ...]
    pairs: tuple[str | None, ...]
    columns: Mapping[str, Sequence[str]]
    name: str
    """Of the file to download."""


def show_rows(model: LoadedModel, head: ModelHead) -> None:
    """The field and the file, the answers, and the CSV."""
    asked = _from_file(head) or _from_lines(head)
    if asked is None:
        return

    def make(on_progress: OnProgress) -> tuple[RowAnswer, ...]:
        return answer_rows(model, asked.texts, asked.pairs, on_progress=on_progress)

    key, title = ("rows", asked.texts, asked.pairs), _("Classifying rows:")
    answers = compute(key, make, title=title, cache=results_of(model))
    if answers is None:
        return
    _say_gaps(answers)
    _list_rows(answers[:MOST_TEXTS], head, len(answers))
    notes = [*origin(model, details={"rows": len(answers)}), *link_lines()]
    st.download_button(
        _("Download CSV"),
        lambda: answers_csv(model, answers, asked.columns, notes),
        file_name=f"{asked.name}-answers.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="save_rows",
    )


def _from_lines(head: ModelHead) -> AskedRows | None:
    label = _("One text on each line, at most {most}").format(most=MOST_TEXTS)
    if head.needs_pair:
        label = _("Two texts on each line with a tab between them, at most {most} lines").format(most=MOST_TEXTS)
    lines = split_texts(address_text(SEVERAL, "", label=label, rows=4))
    if not lines:
        return None
    halves = [line.partition("\t") for line in lines]
    has_pairs = any(tab for _first, tab, _second in halves)
    texts = tuple(first.strip() for first, _tab, _second in halves) if has_pairs else tuple(lines)
    pairs = tuple(second.strip() if tab else None for _first, tab, second in halves)
    if head.needs_pair and not all(pairs):
        st.info(_("Each line needs two texts with a tab between them."), icon=":material/info:")
        return None
    columns: dict[str, Sequence[str]] = {"text": texts}
    columns |= {"pair": [pair or "" for pair in pairs]} if has_pairs else {}
    return AskedRows(texts=texts, pairs=pairs, columns=columns, name="lines")


def _from_file(head: ModelHead) -> AskedRows | None:
    """The rows of an uploaded file, with the columns that are read."""
    label, kinds = _("A table with a header (CSV, TSV or JSON lines)"), ["csv", "tsv", "txt", "jsonl"]
    file = kept_file(ROWS_UPLOAD, label, type=kinds, max_upload_size=UPLOAD_MEGABYTES)
    if file is None:
        return None
    try:
        table = read_text_table(file.content)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None
    for note in table.notes:
        st.caption(inert(str(note)))
    return _chosen_rows(head, table, file.name.rpartition(".")[0] or "table")


def _chosen_rows(head: ModelHead, table: TextTable, name: str) -> AskedRows | None:
    names = list(table.columns)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        first = _choose_column(ROW_COLUMN, _("Column of the text"), names, _guess(names, "text"))
        no_pair = [] if head.needs_pair else [""]
        guess = _guess([*no_pair, *names], "pair" if head.task != "span" else "context")
        second = _choose_column(ROW_PAIR_COLUMN, _("Column of the second text"), [*no_pair, *names], guess)
    if len(table) > MOST_ROWS:
        template = _(
            "The table has {count:,} rows; the first {most:,} are answered here, the command line answers all."
        )
        st.caption(template.format(count=len(table), most=MOST_ROWS))
    texts = table.column(first)[:MOST_ROWS]
    pairs = table.column(second)[:MOST_ROWS] if second else (None,) * len(texts)
    columns = {column: cells[:MOST_ROWS] for column, cells in table.columns.items()}
    return AskedRows(texts=texts, pairs=pairs, columns=columns, name=name)


def _guess(names: Sequence[str], wanted: str) -> str:
    return next((name for name in names if name.strip().lower() == wanted), names[0])


def _choose_column(parameter: Text, label: str, names: Sequence[str], default: str) -> str:
    """A column of the table; the default stays out of the address."""
    stated = read_text(parameter, default)
    value = stated if stated in names else default
    chosen: str = st.selectbox(
        label,
        names,
        index=names.index(value),
        **mirrored(parameter, value, default),
        format_func=lambda name: name or _("none"),
        width=240,
    )
    return chosen


def _say_gaps(answers: Sequence[RowAnswer]) -> None:
    """Rows that are empty or cut, counted."""
    empty = sum(answer.score is None and not answer.answer and not answer.text.strip() for answer in answers)
    cut = sum(answer.is_cut for answer in answers)
    parts = [_n("{n} row", "{n} rows", len(answers))]
    parts += [_("{count:,} without a text").format(count=empty)] if empty else []
    parts += [_("{count:,} cut to what the model reads").format(count=cut)] if cut else []
    st.caption(" · ".join(parts))


def _list_rows(answers: Sequence[RowAnswer], head: ModelHead, count: int) -> None:
    """The first rows with their answers; a click opens one above."""
    if count > len(answers):
        caption = _("The first {shown} rows; all of them are in the file. Click a row to open it above.")
        st.caption(caption.format(shown=len(answers)))
    else:
        st.caption(_("Click a row to open it above."))
    items = [
        TokenItem(
            text=answer.text if answer.pair is None else f"{answer.text} ⏐ {answer.pair}",
            value=_bar(answer, head),
            number=_number(answer, head, shortened(answer.answer)),
            lines=(_number(answer, head, answer.answer),),
            plain=True,
            clickable=bool(answer.text.strip()),
        )
        for answer in answers
    ]
    picked = token_view(items, layout="sentences", label=_("Each text and its label"), key="row_list")
    if picked is not None:
        replace_text(TEXT, answers[picked].text)
        if answers[picked].pair is not None:
            replace_text(PAIR, answers[picked].pair or "")
        st.rerun()


def _bar(answer: RowAnswer, head: ModelHead) -> float | None:
    return None if answer.score is None or head.scale == "none" else answer.score


def _number(answer: RowAnswer, head: ModelHead, name: str) -> str:
    if answer.score is None:
        return name or "–"
    score = f"{answer.score:.4g}" if head.scale == "none" else percent(answer.score)
    return f"{name or '–'} {score}"


def shortened(label: str) -> str:
    """A label that fits beside a bar.

    >>> shortened("positive"), shortened("a label that goes on and on")
    ('positive', 'a label that goe…')
    """
    return label if len(label) <= LONGEST_LABEL else f"{label[:LONGEST_LABEL]}…"
