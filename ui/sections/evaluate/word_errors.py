"""Exact match, edits one by one, and the word or character error rate."""

from collections.abc import Iterator

import numpy as np
import streamlit as st

from playground.evaluation.answers import exact_match_spread, exact_matches
from playground.evaluation.edit_alignment import (
    align_edits,
    edit_counts,
    error_rate_spread,
    error_rates,
    error_statistics,
    error_tokens,
)
from playground.evaluation.edit_distance import normalised_edit_distance
from playground.evaluation.resampling import Spread
from playground.lens.finding import Finding
from playground.progress import OnProgress
from playground.text import N_, _
from ui.cache import results
from ui.jobs import require
from ui.sections.evaluate.edit_lines import draw_edits
from ui.sections.evaluate.line_source import LineSet, choose_line, choose_lines, line_doors, warn_of_empty
from ui.sections.evaluate.numbers import offer_results, say_intervals, show_spreads
from ui.state.parameters import ERROR_UNIT
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings


def show_word_errors() -> None:
    """The lines, one of them aligned, and the rates."""
    form, aligned = st.columns([2, 3], gap="medium")
    with form:
        chosen = choose_lines()
        unit = choose_option(ERROR_UNIT, _("Compare"), {"words": _("Words"), "characters": _("Characters")})
        warn_of_empty(chosen.lines)
    lines, by_characters = chosen.lines, unit == "characters"

    def count(on_progress: OnProgress) -> tuple[np.ndarray, dict[str, Spread]]:
        table = error_statistics(lines, characters=by_characters, on_progress=on_progress)
        return table, {"rate": error_rate_spread(table), "exact": exact_match_spread(lines)}

    table, spreads = require(("word errors", hash(lines), unit), count, title=_("Aligning, line:"), cache=results())
    title = _("Character error rate") if by_characters else _("Word error rate")
    with aligned:
        shown = _show_line(chosen, error_rates(table), by_characters)
    show_spreads({title: spreads["rate"], _("Exact match"): spreads["exact"]})
    say_intervals(_("exact match"))
    _offer_lines(chosen, table, unit, shown)


def _show_line(chosen: LineSet, rates: np.ndarray, by_characters: bool) -> str:
    """One line's alignment; the call that makes it."""
    lines = chosen.lines
    index = choose_line(lines, (100 * rates).tolist(), title=_("error rate, %:"))
    own = error_tokens(lines.hypotheses[index], characters=by_characters)
    references = [error_tokens(text, characters=by_characters) for text in lines.references[index]]
    wanted = min(references, key=lambda tokens: sum(edit_counts(own, tokens)[1:4]) / max(len(tokens), 1))
    steps = align_edits(own, wanted)
    counts = edit_counts(own, wanted)
    show_findings(_describe(counts))
    draw_edits(
        steps,
        own,
        wanted,
        label=_("Alignment, line {line}").format(line=index + 1),
        key="edit_lines",
        provenance=[f"line: {index + 1}"],
    )
    _equal, substituted, inserted, deleted, length = counts
    distance = substituted + inserted + deleted
    st.code(
        f"({substituted} + {inserted} + {deleted}) / {length} = {distance / max(length, 1):.4f}\n"
        f"{_('normalised edit distance')} = {distance} / {max(len(own), length)}"
        f" = {normalised_edit_distance(own, wanted):.4f}",
        language=None,
    )
    line_doors(chosen, index)
    texts = f"lines.hypotheses[{index}]", f"lines.references[{index}][{references.index(wanted)}]"
    return f"align_edits(*(error_tokens(text, characters={by_characters}) for text in ({', '.join(texts)})))"


def _describe(counts: list[int]) -> Finding:
    equal, substituted, inserted, deleted, length = counts
    template = N_(
        "{substituted} substituted, {inserted} inserted, {deleted} deleted, {equal} equal: {edits} edits on {length} "
        "tokens of the reference."
    )
    values = {
        "substituted": substituted,
        "inserted": inserted,
        "deleted": deleted,
        "equal": equal,
        "edits": substituted + inserted + deleted,
        "length": length,
    }
    return Finding(template=template, values=values)


def _offer_lines(chosen: LineSet, table: np.ndarray, unit: str, shown: str) -> None:
    lines = chosen.lines
    header = ["line", "hypothesis", *(f"reference_{n + 1}" for n in range(lines.n_references))]
    header += ["equal", "substitutions", "insertions", "deletions", "reference_tokens", "error_rate", "exact_match"]

    def rows() -> Iterator[list[object]]:
        hits, rates = exact_matches(lines), error_rates(table)
        texts = zip(lines.hypotheses, lines.references, strict=True)
        for number, (own, references) in enumerate(texts):
            counts = table[number].tolist()
            yield [number + 1, own, *references, *counts, float(rates[number]), int(hits[number])]

    offer_results(header, rows, name="word-errors.csv", details={**chosen.details, "unit": unit})
    imports = [*chosen.imports, "playground.evaluation.edit_alignment import align_edits, error_report, error_tokens"]
    report = f"print(error_report(lines, characters={unit == 'characters'}))"
    offer_snippet(None, imports, [*chosen.code, report, f"print({shown})"])
