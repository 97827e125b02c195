"""What each number says when it is pointed at: its value, and the sum, product or quotient it came from."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.charts.inside import number_word as word
from playground.charts.inside import plain
from playground.lens.head_inside import Projected
from ui.text import _

TERMS = 2
"""How many of a sum's largest products are named."""


def values_of(name: str, values: Float[np.ndarray, "place"], origin: str = "") -> list[str]:
    """Each number of a vector, and one sentence for all of them."""
    after = f"<br>{origin}" if origin else ""
    return [f"{name}[{index}] = {word(float(value))}{after}" for index, value in enumerate(values)]


def sums_of(name: str, was: Float[np.ndarray, "place"], now: Float[np.ndarray, "place"], added: str) -> list[str]:
    """now = was + something: both terms of each number."""
    return [
        f"{name}[{index}] = {word(float(b))}<br>= {word(float(a))} + {word(float(b - a))} ({added})"
        for index, (a, b) in enumerate(zip(was, now, strict=True))
    ]


def products_of(
    name: str,
    made: Float[np.ndarray, "place"],
    weight: Float[np.ndarray, "place width"],
    given: Float[np.ndarray, "width"],
    bias: Float[np.ndarray, "place"] | None,
    *,
    symbols: tuple[str, str],
) -> list[str]:
    """made = weight @ given + bias: of each number the largest products, and the bias."""
    matrix, vector = symbols
    terms = weight * given
    count = min(TERMS, terms.shape[1])
    largest = np.argsort(-np.abs(terms), axis=1)[:, :count]
    said = []
    for place, value in enumerate(made):
        parts = [
            f"{matrix}[{place},{i}] · {vector}[{i}] = {word(float(weight[place, i]))} · {word(float(given[i]))}"
            f" = {word(float(terms[place, i]))}"
            for i in largest[place]
        ]
        rest = _("largest of {count:,} products:").format(count=terms.shape[1])
        lines = [f"{name}[{place}] = {word(float(value))}", rest, *parts]
        lines += [] if bias is None else [_("bias") + f" {word(float(bias[place]))}"]
        said.append("<br>".join(lines))
    return said


def projected(name: str, matrix: str, made: Projected, rows: Sequence[int], tokens: Sequence[str]) -> list[list[str]]:
    """Queries, keys or values before positions: what their matrix made of which input."""
    vectors = made.met if made.before is None else made.before
    said = []
    for row in rows:
        label = f"{plain(tokens[row])}: {name}"
        if made.weight is None or made.given is None:
            said.append(values_of(label, vectors[row], _("This family norms it after its matrix.")))
            continue
        symbols = (matrix, "x̂")
        said.append(products_of(label, vectors[row], made.weight, made.given[row], made.bias, symbols=symbols))
    return said


def turned(name: str, made: Projected, rows: Sequence[int], tokens: Sequence[str]) -> list[list[str]]:
    """Vectors after rotary positions: which two numbers were turned by which angle."""
    assert made.rotation is not None
    assert made.before is not None
    first, second = made.rotation.first.tolist(), made.rotation.second.tolist()
    said = []
    for row in rows:
        label, before, after = plain(tokens[row]), made.before[row], made.met[row]
        words = values_of(f"{label}: {name}", after, _("not turned"))
        for pair, (a, b) in enumerate(zip(first, second, strict=True)):
            angle = float(made.rotation.angles[row, pair])
            x, y = word(float(before[a])), word(float(before[b]))
            turn = f"θ = {word(angle)} rad"
            words[a] = f"{label}: {name}[{a}] = {word(float(after[a]))}<br>= {x} · cos θ − {y} · sin θ, {turn}"
            words[b] = f"{label}: {name}[{b}] = {word(float(after[b]))}<br>= {y} · cos θ + {x} · sin θ, {turn}"
        said.append(words)
    return said


def pairwise(
    left: Float[np.ndarray, "width"], right: Float[np.ndarray, "row width"], names: Sequence[str], form: str
) -> list[list[str]]:
    """Element by element products; form has {i}, {token} and stands before the numbers."""
    return [
        [
            form.format(i=i, token=plain(name)) + f" = {word(float(a))} · {word(float(b))} = {word(float(a * b))}"
            for i, (a, b) in enumerate(zip(left, row, strict=True))
        ]
        for name, row in zip(names, right, strict=True)
    ]


def per_key(names: Sequence[str], values: Float[np.ndarray, "key"], origins: Sequence[str]) -> list[str]:
    """One number for each key, and where it came from."""
    return [
        f"{plain(name)}: {word(float(value))}<br>= {origin}"
        for name, value, origin in zip(names, values, origins, strict=True)
    ]
