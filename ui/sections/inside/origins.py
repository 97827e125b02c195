"""What each number says when it is pointed at: its value, and the sum, product or quotient it came from.

One sentence serves a whole row of cells; only the numbers in it travel with each cell.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.charts.inside import Said, plain
from playground.charts.inside import number_word as word
from playground.lens.capture.inputs import Entering
from playground.lens.capture.norm_step import NormStep
from playground.lens.inspect.steps.layer import Projected
from playground.text import _

TERMS = 2
"""How many of a sum's largest products are named."""
VALUE = "%{z:.3~g}"
PLACE = "%{x}"


def blank(place: int, form: str = ":.3~g") -> str:
    """Where a cell's own number stands in a sentence."""
    return f"%{{customdata[{place}]{form}}}"


def literal(text: str) -> str:
    """A token in a sentence: neither markup nor a blank."""
    return plain(text).replace("%", "&#37;")


def values_of(name: str, values: Float[np.ndarray, "place"], origin: str = "") -> Said:
    """Each number of a vector, and one sentence for all of them."""
    after = f"<br>{origin}" if origin else ""
    return Said(sentence=f"{name}[{PLACE}] = {VALUE}{after}", numbers=np.zeros((len(values), 0)))


def sums_of(name: str, was: Float[np.ndarray, "place"], now: Float[np.ndarray, "place"], added: str) -> Said:
    """now = was + something: both terms of each number."""
    sentence = f"{name}[{PLACE}] = {VALUE}<br>= {blank(0)} + {blank(1)} ({added})"
    return Said(sentence=sentence, numbers=np.stack([was, now - was], axis=1))


def entered(entering: Entering) -> Said:
    """What enters the first block: the vectors that were added, and the norm of their sum where there is one."""
    columns, norm = list(entering.vectors), entering.norm
    parts = " + ".join(f"{literal(name)} {blank(place)}" for place, name in enumerate(entering.names))
    if norm is None:
        return Said(sentence=f"x[{PLACE}] = {VALUE}<br>= {parts}", numbers=np.stack(columns, axis=1))
    first = len(columns)
    columns += normed_numbers(norm, entering.vectors.sum(0))
    quotient = normed_words(norm, first)
    sentence = f"x[{PLACE}] = {VALUE}<br>{quotient}<br>{blank(first)} = {parts}"
    return Said(sentence=sentence, numbers=np.stack(columns, axis=1))


def normed_words(norm: NormStep, first: int) -> str:
    """The quotient and the product that a norm makes a number of; its numbers stand from this blank on."""
    over = blank(first) if norm.kind != "layer" else f"({blank(first)} − {word(norm.mean)})"
    bias = "" if norm.bias is None else f" + {blank(first + 2)}"
    return f"= {over} / {word(norm.root)} · {blank(first + 1)}{bias}"


def normed_numbers(norm: NormStep, given: Float[np.ndarray, "width"]) -> list[Float[np.ndarray, "width"]]:
    """What the blanks of `normed_words` stand for."""
    return [given, norm.weight, *([] if norm.bias is None else [norm.bias])]


def products_of(
    name: str,
    left: Float[np.ndarray, "place term"],
    right: Float[np.ndarray, "place term"],
    form: str,
    bias: Float[np.ndarray, "place"] | None = None,
) -> Said:
    """Sums of products left · right, and a bias: of each sum the largest products.

    form: a product's name, in which {place} is the number's place and {i} the term's.
    """
    terms = left * right
    count = min(TERMS, terms.shape[1])
    largest = np.argsort(-np.abs(terms), axis=1, kind="stable")[:, :count]
    columns: list[np.ndarray] = []
    lines = [f"{name} = {VALUE}", _("largest of {count:,} products:").format(count=terms.shape[1])]
    for rank in range(count):
        at = largest[:, rank : rank + 1]
        first = len(columns)
        columns += [at[:, 0], *(np.take_along_axis(one, at, 1)[:, 0] for one in (left, right, terms))]
        named = form.format(place=PLACE, i=blank(first, ""))
        lines.append(f"{named} = {blank(first + 1)} · {blank(first + 2)} = {blank(first + 3)}")
    if bias is not None:
        lines.append(_("bias") + f" {blank(len(columns))}")
        columns.append(bias)
    return Said(sentence="<br>".join(lines), numbers=np.stack(columns, axis=1))


def projected(name: str, matrix: str, made: Projected, rows: Sequence[int], tokens: Sequence[str]) -> list[Said]:
    """Queries, keys or values before positions: what their matrix made of which input."""
    vectors = made.met if made.before is None else made.before
    said = []
    for row in rows:
        label = f"{literal(tokens[row])}: {name}[{PLACE}]"
        if made.weight is None or made.given is None:
            label = f"{literal(tokens[row])}: {name}"
            said.append(values_of(label, vectors[row], _("This family norms it after its matrix.")))
            continue
        given = np.broadcast_to(made.given[row], made.weight.shape)
        said.append(products_of(label, made.weight, given, f"{matrix}[{{place}},{{i}}] · x̂[{{i}}]", made.bias))
    return said


def turned(name: str, made: Projected, rows: Sequence[int], tokens: Sequence[str]) -> list[Said]:
    """Vectors after rotary positions: which two numbers were turned by which angle."""
    assert made.rotation is not None
    assert made.before is not None
    first, second = made.rotation.first, made.rotation.second
    said = []
    for row in rows:
        before, angles = made.before[row], made.rotation.angles[row]
        numbers = np.stack([before, np.zeros_like(before), np.zeros_like(before)], axis=1)
        numbers[first, 1], numbers[first, 2] = -before[second], angles
        numbers[second, 1], numbers[second, 2] = before[first], angles
        turn = f"= {blank(0)} · cos θ + ({blank(1)}) · sin θ, θ = {blank(2)} rad"
        said.append(Said(sentence=f"{literal(tokens[row])}: {name}[{PLACE}] = {VALUE}<br>{turn}", numbers=numbers))
    return said


def pairwise(
    left: Float[np.ndarray, "row width"], right: Float[np.ndarray, "row width"], names: Sequence[str], form: str
) -> list[Said]:
    """Element by element products; form names one, with {place}, and stands behind the row's name."""
    product = form.format(place=PLACE)
    return [
        Said(
            sentence=f"{literal(name)}: {product} = {blank(0)} · {blank(1)} = {VALUE}",
            numbers=np.stack([a, b], axis=1),
        )
        for name, a, b in zip(names, left, right, strict=True)
    ]


def largest_terms(name: str, terms: Float[np.ndarray, "place term"], form: str) -> Said:
    """Sums whose terms have names of their own: of each the largest terms; form has {place} and {i}."""
    count = min(TERMS, terms.shape[1])
    largest = np.argsort(-np.abs(terms), axis=1, kind="stable")[:, :count]
    lines = [f"{name} = {VALUE}", _("largest of {count:,} terms:").format(count=terms.shape[1])]
    columns: list[np.ndarray] = []
    for rank in range(count):
        at = largest[:, rank : rank + 1]
        named = form.format(place=PLACE, i=blank(len(columns), ""))
        lines.append(f"{named} = {blank(len(columns) + 1)}")
        columns += [at[:, 0], np.take_along_axis(terms, at, 1)[:, 0]]
    return Said(sentence="<br>".join(lines), numbers=np.stack(columns, axis=1))


def per_key(names: Sequence[str], values: Float[np.ndarray, "key"], origins: Sequence[str]) -> list[str]:
    """One number for each key, and where it came from."""
    return [
        f"{plain(name)}: {word(float(value))}<br>= {origin}"
        for name, value, origin in zip(names, values, origins, strict=True)
    ]


def sum_words(products: Float[np.ndarray, "term"], form: str) -> str:
    """The largest terms of one sum by name, and how many there are; form has {i}."""
    largest = np.argsort(-np.abs(products), kind="stable")[:TERMS]
    named = [f"{form.format(i=int(i))} = {word(float(products[i]))}" for i in largest]
    return "<br>".join([_("the sum of {count:,} products, the largest:").format(count=len(products)), *named])
