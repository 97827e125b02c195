"""One dimension followed through the matrices: the row of weights that makes it, its input, and their products."""

import numpy as np

from playground.charts.inside import number_word as word
from playground.charts.palette import KEY, QUERY, VALUE, Colour
from playground.lens.inspect.steps.accounts.vectors import MOST_TOKENS
from playground.lens.inspect.steps.layer import Projected
from playground.text import _
from ui.sections.inside.origins import pairwise, values_of
from ui.sections.inside.scene import Scene, vectors
from ui.sections.inside.step_parts import Picture


def matrix_rows(scene: Scene) -> list[Picture]:
    """The rows of W_Q, W_K and W_V that make the followed dimension; none where the family norms in between."""
    found = scene.inside
    key = scene.shown[-1]
    made: list[tuple[str, Projected, int, Colour]] = [
        ("W_Q", found.query, 0, QUERY),
        ("W_K", found.keys, key, KEY),
        ("W_V", found.values, key, VALUE),
    ]
    return [
        matrix_row(name, one.weight, one.given[row], scene.followed, _name(scene, name, key), colour, token=row)
        for name, one, row, colour in made
        if one.weight is not None and one.given is not None and scene.followed < len(one.weight)
    ]


def _name(scene: Scene, matrix: str, key: int) -> str:
    token = scene.query if matrix == "W_Q" else scene.keys[key]
    return f"x̂ ({token})"


def matrix_row(
    name: str, weight: np.ndarray, given: np.ndarray, row: int, input_name: str, colour: Colour, *, token: int = 0
) -> Picture:
    """A matrix's row, what it meets, and the product of each pair; all products together are the number."""
    letter = name[-1].lower()
    cells = [(f"w{letter}", row), (f"x{letter}", token), (f"p{letter}", row * MOST_TOKENS + token)]
    products = weight[row] * given
    label = _("Row {row} of {matrix}, its input, and their products, which sum to {total}").format(
        row=row, matrix=name, total=word(float(products.sum()))
    )
    (said,) = pairwise(weight[row][None], given[None], [input_name], f"{name}[{row},{{place}}] · x[{{place}}]")
    hover = [values_of(f"{name}[{row}]", weight[row], _("learned")), values_of("x", given), said]
    rows = [f"{name}[{row}]", input_name, _("product")]
    return vectors([weight[row], given, products], rows, hover, colour, label, cells=cells, by_row=True)
