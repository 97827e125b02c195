"""Edits drawn: reference above, hypothesis below, a column for each."""

from collections.abc import Sequence

from playground.evaluation.edit_alignment import EditStep
from playground.text import _
from ui.components.compared_lines import Chip, ChipRow, compared_lines


def draw_edits(
    steps: Sequence[EditStep],
    own: Sequence[str],
    wanted: Sequence[str],
    *,
    label: str,
    key: str,
    provenance: list[str],
) -> None:
    """A gap stands where one side has nothing."""
    above = tuple(_chip(step, wanted, step.reference) for step in steps)
    below = tuple(_chip(step, own, step.answer) for step in steps)
    compared_lines(
        [ChipRow(name=_("Reference"), chips=above), ChipRow(name=_("Hypothesis"), chips=below)],
        stacked=True,
        states={
            "equal": _("equal"),
            "substitution": _("substituted"),
            "insertion": _("inserted"),
            "deletion": _("deleted"),
        },
        label=label,
        key=key,
        provenance=provenance,
    )


def _chip(step: EditStep, tokens: Sequence[str], place: int | None) -> Chip:
    return Chip(text="", state="gap") if place is None else Chip(text=tokens[place], state=step.kind)
