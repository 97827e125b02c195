"""What the steps are told about: one head and one query token, and rows of their numbers drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.charts.inside import Said, rows_figure, visible
from playground.charts.palette import CROSS, DECODER, ENCODER, Colour
from playground.lens.inspect.steps.layer import HeadInside
from playground.text import _
from ui.sections.inside.step_parts import Picture

KINDS = {"encoder": ENCODER, "decoder": DECODER, "cross": CROSS}


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What is shown: the numbers, the keys that are shown of them, all tokens' labels.

    followed: a dimension; is_dark: the page, whose formulas have colours of their own.
    """

    inside: HeadInside
    shown: list[int]
    keys: list[str]
    queries: list[str]
    heads: int
    followed: int
    is_dark: bool = False

    @property
    def query(self) -> str:
        return self.queries[self.inside.query_position]

    @property
    def shown_keys(self) -> list[str]:
        return [f"{index} {visible(self.keys[index])}" for index in self.shown]

    @property
    def colour(self) -> Colour:
        return KINDS[self.inside.kind]


def vectors(
    values: Sequence[np.ndarray],
    rows: Sequence[str],
    hover: Sequence[Sequence[str] | Said],
    colour: Colour,
    label: str,
    *,
    cells: Sequence[tuple[str, int]],
    by_row: bool | None = None,
) -> Picture:
    """Rows of cells; a few unlike vectors each have their own scale. cells: what each row's numbers are called."""
    scaled = len(values) <= 2 if by_row is None else by_row
    colours = [colour] * len(values)
    figure = rows_figure(values, rows, hover, colours, x=_("dimension"), scaled_by_row=scaled)
    return Picture(figure=figure, rows=len(values), label=label, cells=tuple(cells))
