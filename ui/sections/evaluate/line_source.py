"""Hypotheses and references: pasted, from a table, or from a loaded translator on its held-out set."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.evaluation.lines import ComparedLines, pair_lines, split_lines
from playground.evaluation.text_table import TextTable
from playground.progress import OnProgress
from playground.tasks.translated_lines import TranslatedLines, translated_lines
from playground.text import _, _n
from ui.cache import results_of
from ui.jobs import require
from ui.sections.evaluate.examples import LinesExample, lines_examples
from ui.sections.evaluate.table_source import Role, choose_columns, choose_table
from ui.sections.evaluate.text_doors import row_doors
from ui.state.address import pack, read_number, read_text, replace_text, write_choice, write_number
from ui.state.parameters import (
    BLEU_TOKENIZER,
    EVALUATED_LINE,
    EVALUATED_ROWS,
    HYPOTHESES,
    LINES_FROM,
    MODEL,
    REFERENCES,
    REFERENCES_2,
    REFERENCES_3,
    REFERENCES_4,
    SECOND_SYSTEM,
    TARGET,
)
from ui.state.revisions import renew, widget_key
from ui.widgets.choice import choose_option
from ui.widgets.model import ModelChoice, obtain_model
from ui.widgets.text import address_text

PASTED, FROM_TABLE, TRANSLATOR = "pasted", "table", "translator"
TRANSLATOR_MODEL = "tales-translator"
MOST_LISTED = 500
"""Of more lines one types the number."""
REFERENCE_SETS = (REFERENCES, REFERENCES_2, REFERENCES_3, REFERENCES_4)
EXAMPLE_TABLE = (
    "hypothesis,reference,reference_2\n"
    "the cat sat on the mat,the cat is on the mat,there is a cat on the mat\n"
    "he read a book,he was reading a book,he read the book\n"
)


@dataclass(frozen=True, kw_only=True)
class LineSet:
    """The lines to measure."""

    lines: ComparedLines
    second: ComparedLines | None
    """Another system's answers to the same references."""
    details: dict[str, object]
    """Where they come from, for the files of results."""
    imports: tuple[str, ...]
    """Of a program that makes `lines`: "module import names" each."""
    code: tuple[str, ...]
    """Its lines."""
    second_code: tuple[str, ...] = ()
    """Those that make `second`, where there is one."""
    sources: tuple[str, ...] = ()
    """What a loaded translator has read for each line."""


def choose_lines(*, takes_second: bool = False) -> LineSet:
    """The lines of the chosen source. Raises UserError that names the line that is wrong."""
    titles = {PASTED: _("Pasted lines"), FROM_TABLE: _("A table"), TRANSLATOR: _("A loaded translator")}
    source = choose_option(LINES_FROM, _("Lines"), titles)
    if source == FROM_TABLE:
        return _table_lines()
    if source == TRANSLATOR:
        return _translator_lines()
    return _pasted_lines(takes_second=takes_second)


def _pasted_lines(*, takes_second: bool) -> LineSet:
    shown = lines_examples()[0]
    examples = st.container()
    with st.container(key="evaluated_lines"):
        hypotheses = address_text(HYPOTHESES, shown.hypotheses, label=_("Hypotheses, one a line"), rows=3)
        with examples:
            _offer_lines_examples(hypotheses)
        references = _reference_areas(shown)
        second = ""
        if takes_second:
            second = address_text(
                SECOND_SYSTEM, shown.second, label=_("A second system's hypotheses (optional)"), rows=2
            )
    lines = pair_lines(hypotheses, references)
    others = pair_lines(second, references) if split_lines(second) else None
    sets = ", ".join(repr(text) for text in references)
    return LineSet(
        lines=lines,
        second=others,
        details={"hypotheses": hypotheses, "references": references},
        imports=("playground.evaluation.lines import pair_lines",),
        code=(f"lines = pair_lines({hypotheses!r}, [{sets}])",),
        second_code=(f"second = pair_lines({second!r}, [{sets}])",),
    )


def _reference_areas(shown: LinesExample) -> list[str]:
    """One area for each set of references that is filled, and one more while there is room."""
    texts: list[str] = []
    for number, parameter in enumerate(REFERENCE_SETS):
        default = shown.references[number] if number < len(shown.references) else ""
        if number > 0 and not (texts[-1].strip() or read_text(parameter, default).strip()):
            break
        label = _("References, one a line") if number == 0 else _("References {n} (optional)").format(n=number + 1)
        texts.append(address_text(parameter, default, label=label, rows=3 if number == 0 else 1))
    kept = [text for text in texts if text.strip()]
    if not kept:
        raise UserError("Write at least one reference for each hypothesis.")
    return kept


def _offer_lines_examples(hypotheses: str) -> None:
    """A button for each example, and what the shown one teaches; none is shown once these are the person's own."""
    lesson = ""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_("What measures miss:"), width="content")
        for example in lines_examples():
            is_shown = hypotheses == example.hypotheses
            lesson = _(example.lesson) if is_shown else lesson
            st.button(
                _(example.title),
                key=f"lines_{example.word}",
                type="secondary" if is_shown else "tertiary",
                on_click=_adopt_example,
                args=(example,),
            )
    if lesson:
        st.info(lesson, icon=":material/lightbulb:")


def _adopt_example(example: LinesExample) -> None:
    replace_text(HYPOTHESES, example.hypotheses)
    replace_text(SECOND_SYSTEM, example.second)
    for number, parameter in enumerate(REFERENCE_SETS):
        replace_text(parameter, example.references[number] if number < len(example.references) else "")
    write_choice(BLEU_TOKENIZER, example.tokenizer, BLEU_TOKENIZER.values[0])
    renew(BLEU_TOKENIZER)
    write_number(EVALUATED_LINE, 1, 1)
    renew(EVALUATED_LINE)


def line_roles() -> list[Role]:
    """The columns of a table of lines."""
    return [
        Role(word="hypothesis", title=_("Hypothesis"), names=("hypothesis", "prediction", "translation", "output")),
        Role(word="reference", title=_("Reference"), names=("reference", "reference_1", "target", "answer", "summary")),
        Role(word="reference_2", title=_("Reference 2"), names=("reference_2", "reference2"), optional=True),
        Role(word="reference_3", title=_("Reference 3"), names=("reference_3", "reference3"), optional=True),
        Role(word="reference_4", title=_("Reference 4"), names=("reference_4", "reference4"), optional=True),
        Role(word="second", title=_("Second system"), names=("second", "hypothesis_2", "system_2"), optional=True),
    ]


def _table_lines() -> LineSet:
    table = choose_table(EXAMPLE_TABLE)
    if table is None:
        st.stop()
    columns = choose_columns(table, line_roles())
    lines = lines_of_table(table, columns, columns["hypothesis"])
    second = lines_of_table(table, columns, columns["second"]) if "second" in columns else None
    names = [f"table.filled({name!r})" for name in reference_columns(columns)]
    made = "ComparedLines(hypotheses=table.column({column!r}), references=references)"
    return LineSet(
        lines=lines,
        second=second,
        details={"columns": columns, "rows": len(table)},
        imports=(
            "pathlib import Path",
            "playground.evaluation.lines import ComparedLines",
            "playground.evaluation.text_table import read_text_table",
        ),
        code=(
            'table = read_text_table(Path("table.csv").read_bytes())  # the table above',
            f"references = tuple(zip({', '.join(names)}))",
            f"lines = {made.format(column=columns['hypothesis'])}",
        ),
        second_code=(f"second = {made.format(column=columns['second'])}",) if "second" in columns else (),
    )


def lines_of_table(table: TextTable, columns: dict[str, str], hypothesis: str) -> ComparedLines:
    """The lines of a table. Raises UserError that names the line of an empty reference."""
    references = tuple(zip(*(table.filled(name) for name in reference_columns(columns)), strict=True))
    return ComparedLines(hypotheses=table.column(hypothesis), references=references)


def reference_columns(columns: dict[str, str]) -> list[str]:
    """The columns of all references."""
    return [columns[word] for word in ("reference", "reference_2", "reference_3", "reference_4") if word in columns]


def _choose_rows() -> int:
    rows = st.number_input(
        _("Held-out sentences"),
        min_value=2,
        max_value=EVALUATED_ROWS.most,
        value=max(2, read_number(EVALUATED_ROWS)),
        key=widget_key(EVALUATED_ROWS),
        width=200,
    )
    write_number(EVALUATED_ROWS, int(rows))
    return int(rows)


def _translator_lines() -> LineSet:
    """A translator of ours on its held-out sentences."""
    name = read_text(MODEL, TRANSLATOR_MODEL)
    model = obtain_model(ModelChoice(name=name))
    if model.kind != "encoder-decoder":
        model = obtain_model(ModelChoice(name=TRANSLATOR_MODEL))
    rows = _choose_rows()

    def translate(on_progress: OnProgress) -> TranslatedLines:
        return translated_lines(model, rows, on_progress)

    made = require(("translated lines", rows), translate, title=_("Translating, sentence:"), cache=results_of(model))
    st.caption(
        _("{name} on held-out sentences of its own world, half French and half Chinese.").format(name=model.name)
    )
    lines = ComparedLines(hypotheses=made.hypotheses, references=tuple((text,) for text in made.references))
    return LineSet(
        lines=lines,
        second=None,
        details={"model": model.name, "rows": rows},
        sources=made.sources,
        imports=(
            "playground import load",
            "playground.evaluation.lines import ComparedLines",
            "playground.tasks.translated_lines import translated_lines",
        ),
        code=(
            f"translated = translated_lines(load({model.name!r}), {rows})",
            "references = tuple((text,) for text in translated.references)",
            "lines = ComparedLines(hypotheses=translated.hypotheses, references=references)",
        ),
    )


def choose_line(lines: ComparedLines, values: Sequence[float], *, title: str) -> int:
    """The index of the line that is drawn; the address counts from 1."""
    if len(lines) == 1:
        return 0
    current = min(max(1, read_number(EVALUATED_LINE, 1)), len(lines))
    label, key = _n("{n} line", "{n} lines", len(lines)), widget_key(EVALUATED_LINE, f"line_of_{len(lines)}")
    if len(lines) > MOST_LISTED:
        chosen = st.number_input(label, min_value=1, max_value=len(lines), value=current, key=key, width=200)
    else:
        chosen = st.selectbox(
            label,
            range(1, len(lines) + 1),
            index=current - 1,
            key=key,
            format_func=lambda n: (
                f"{n} · {title} {values[n - 1]:.1f} · {' '.join(lines.hypotheses[n - 1].split())[:80]}"
            ),
        )
    write_number(EVALUATED_LINE, int(chosen), 1)
    return int(chosen) - 1


def warn_of_empty(lines: ComparedLines) -> None:
    """Say which hypotheses are empty."""
    empty = lines.empty_hypotheses
    if empty:
        shown = ", ".join(map(str, empty[:8])) + (" …" if len(empty) > 8 else "")
        st.warning(
            _("Empty hypotheses count with a score of 0: line {rows}.").format(rows=shown), icon=":material/info:"
        )


def line_doors(chosen: LineSet, index: int) -> None:
    """The shown line on other pages: of a translator with its source, else the hypothesis."""
    hypothesis = chosen.lines.hypotheses[index]
    if chosen.sources:
        row_doors(chosen.sources[index], {str(MODEL): str(chosen.details["model"]), str(TARGET): pack(hypothesis)})
    else:
        row_doors(hypothesis, {})
