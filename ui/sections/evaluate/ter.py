"""TER as it is counted: blocks shifted one by one, then words edited."""

from collections.abc import Sequence

import streamlit as st

from playground.evaluation.block_shifts import BlockShift, TerEdits, ter_edits
from playground.evaluation.lines import ComparedLines
from playground.evaluation.ter import ter_tokens
from playground.lens.finding import Finding
from playground.text import N_, _
from ui.components.compared_lines import Chip, ChipRow, compared_lines
from ui.sections.evaluate.edit_lines import draw_edits
from ui.widgets.findings import show_findings

MOST_DRAWN = 6
"""Shifts; the rest are counted only."""


def show_ter(lines: ComparedLines, index: int) -> None:
    """One line's shifts and edits against the reference that is nearest, and the sum."""
    st.subheader(_("TER: shifts and edits"), anchor=False)
    own, wanted = ter_tokens(lines.hypotheses[index]), [ter_tokens(text) for text in lines.references[index]]
    nearest, found = min(
        ((tokens, ter_edits(own, tokens)) for tokens in wanted), key=lambda candidate: candidate[1].edits
    )
    show_findings(_describe_edits(found, len(wanted)))
    if found.shifts:
        _draw_shifts(found, index)
    draw_edits(
        found.steps,
        found.words,
        nearest,
        label=_("Edits, line {line}").format(line=index + 1),
        key="ter_edits",
        provenance=[f"line: {index + 1}", f"edits: {found.edits}"],
    )
    _show_rate(found, wanted)


def _describe_edits(found: TerEdits, n_references: int) -> Finding:
    values = {
        "shifts": len(found.shifts),
        "edits": sum(step.kind != "equal" for step in found.steps),
        "sum": found.edits,
    }
    if n_references == 1:
        template = N_("Shifts: {shifts}; edits of words: {edits}; together {sum}.")
    else:
        template = N_("Shifts: {shifts}; edits of words: {edits}; together {sum}, to the nearest reference.")
    return Finding(template=template, values=values)


def _draw_shifts(found: TerEdits, index: int) -> None:
    """A row before each shift and one after the last, each block joined to its new place."""
    drawn = found.shifts[:MOST_DRAWN]
    rest = found.shifts[MOST_DRAWN].words if len(found.shifts) > MOST_DRAWN else found.words
    texts = [*(shift.words for shift in drawn), rest]
    names = [_("Hypothesis"), *(_("after shift {n}").format(n=number + 1) for number in range(len(drawn)))]
    rows = [
        ChipRow(name=name, chips=_shift_chips(words, drawn[row : row + 1], drawn[max(0, row - 1) : row]))
        for row, (name, words) in enumerate(zip(names, texts, strict=True))
    ]
    compared_lines(
        rows,
        links=[
            (row, shift.start + offset, shift.landing + offset)
            for row, shift in enumerate(drawn)
            for offset in range(shift.length)
        ],
        states={"shifted": _("shifted"), "absent": _("stays")},
        label=_("Shifts, line {line}").format(line=index + 1),
        key="ter_shifts",
        provenance=[f"line: {index + 1}", f"shifts: {len(found.shifts)}"],
    )
    if len(found.shifts) > MOST_DRAWN:
        st.caption(
            _("The first {most} of {n} shifts are drawn.").format(most=MOST_DRAWN, n=len(found.shifts)),
        )


def _shift_chips(
    words: Sequence[str], leaving: Sequence[BlockShift], arrived: Sequence[BlockShift]
) -> tuple[Chip, ...]:
    moving = {shift.start + offset for shift in leaving for offset in range(shift.length)}
    moving |= {shift.landing + offset for shift in arrived for offset in range(shift.length)}
    return tuple(Chip(text=word, state="shifted" if place in moving else "absent") for place, word in enumerate(words))


def _show_rate(found: TerEdits, references: Sequence[Sequence[str]]) -> None:
    """The rate as a sum over a length."""
    kinds = [step.kind for step in found.steps]
    counts = [len(found.shifts), *(kinds.count(kind) for kind in ("substitution", "insertion", "deletion"))]
    length = sum(map(len, references)) / len(references)
    rate = 100 * found.edits / length if length else 100.0 * bool(found.edits)
    st.code(
        f"TER = 100 · ({' + '.join(map(str, counts))}) / {length:g} = {rate:.2f}",
        language=None,
        wrap_lines=True,
    )
    parts = _("Shifts, substitutions, insertions and deletions over the words of the reference; lower is better.")
    st.caption(parts + (" " + _("Of several references their mean length counts.") if len(references) > 1 else ""))
