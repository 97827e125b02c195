"""Vectors on their way to the scores: embedding, residual stream, norm, queries, keys and values, rotary positions."""

import math
from dataclasses import replace

import numpy as np

from playground.lens.capture.residual_stream import StreamParts
from playground.lens.inspect.steps.accounts.account import (
    Account,
    Teller,
    normed,
    single,
    single_product,
    summed,
    times,
    without_terms,
)
from playground.lens.inspect.steps.accounts.weighing import mixed
from playground.lens.inspect.steps.layer import HeadInside, Projected


def embedded(found: HeadInside, _index: int, place: int) -> Account:
    return without_terms(f"e[{place}]", found.embedded[place])


def entered(found: HeadInside, _index: int, place: int) -> Account:
    name, value, entering = f"x[{place}]", found.entered[place], found.entering
    if entering is None:
        return without_terms(name, value, is_known=False)
    terms = [single(f"{one}[{place}]", row[place]) for one, row in zip(entering.names, entering.vectors, strict=True)]
    if entering.scale != 1:
        terms[-1] = times(f"e[{place}] · {entering.scale:.6g}", found.embedded[place], entering.scale)
    formula = " + ".join(term.name for term in terms)
    if entering.norm is None:
        return summed(name, value, formula, terms)
    return normed(name, value, entering.norm, entering.vectors.sum(0), place, letter="s")


def stream(found: HeadInside, _index: int, place: int) -> Account:
    """A number of the residual stream: before the first layer what enters; later ones want another pass's parts."""
    if np.array_equal(found.residual, found.entered):
        return replace(entered(found, 0, place), name=f"r[{place}]")
    return without_terms(f"r[{place}]", found.residual[place], is_known=False)


def split_stream(found: HeadInside, place: int, parts: StreamParts | None) -> Account:
    """A number of the residual stream with everything that was written into it so far."""
    name, value = f"r[{place}]", found.residual[place]
    if parts is None:
        return stream(found, 0, place)
    if parts.norm is not None:
        return normed(name, value, parts.norm, parts.vectors[0], place, letter="s")
    terms = [single(f"{one}[{place}]", row[place]) for one, row in zip(parts.names, parts.vectors, strict=True)]
    return summed(name, value, f"x[{place}] + " + f"Σ attention[{place}] + Σ feed_forward[{place}]", terms)


def read(found: HeadInside, _index: int, place: int) -> Account:
    name, value = f"x̂[{place}]", found.given[place]
    if found.norm is not None:
        return normed(name, value, found.norm, found.residual, place, letter="r")
    if np.array_equal(found.residual, found.given):
        return summed(name, value, f"r[{place}]", [single(f"r[{place}]", found.residual[place])])
    return without_terms(name, value, is_known=False)


def gain(found: HeadInside, _index: int, place: int) -> Account:
    if found.norm is None:
        raise IndexError(place)
    return without_terms(f"w[{place}]", found.norm.weight[place])


def made(letter: str, which: str) -> Teller:
    """A number of a query, key or value before positions: its matrix times what the layer reads."""

    def told(found: HeadInside, index: int, place: int) -> Account:
        made: Projected = getattr(found, which)
        token = "" if which == "query" else f"{index},"
        name = f"{letter}[{token}{place}]"
        value = (made.met if made.before is None else made.before)[index, place]
        if made.raw is not None and made.norm is not None:
            raw = made.raw[index]
            norm = made.norm if made.norm.kind != "layer" else replace(made.norm, mean=float(raw.mean()))
            told = normed(name, value / made.factor, norm, raw, made.raw_place + place, letter="u")
            return replace(
                told, value=float(value), result=told.result * made.factor, formula=f"{told.formula}, u = W x̂"
            )
        if made.weight is None or made.given is None:
            return without_terms(name, value, is_known=False)
        matrix = f"W_{letter.upper()}"
        terms = [
            times(f"{matrix}[{place},{i}] · x̂[{token}{i}]", w, x)
            for i, (w, x) in enumerate(zip(made.weight[place], made.given[index], strict=True))
        ]
        formula = f"Σ {matrix}[{place},i] · x̂[{token}i]"
        if made.bias is not None:
            terms.append(single(f"b_{letter.upper()}[{place}]", made.bias[place]))
            formula += f" + b_{letter.upper()}[{place}]"
        factor = made.factor
        formula = formula if factor == 1 else f"({formula}) · {factor:.6g}"
        return summed(name, value, formula, terms, lambda total: total * factor)

    return told


def turned(letter: str, which: str) -> Teller:
    """A number after rotary positions: two numbers times cosine and sine."""

    def told(found: HeadInside, index: int, place: int) -> Account:
        made: Projected = getattr(found, which)
        token = "" if which == "query" else f"{index},"
        name, value = f"{letter}′[{token}{place}]", made.met[index, place]
        if made.rotation is None or made.before is None:
            raise IndexError(place)
        own, partner, angle, sign = _pair(made, index, place)
        before = made.before[index]
        own_name = f"{letter}[{token}{own}]"
        if partner is None:
            return summed(name, value, own_name, [single(own_name, before[own])])
        cosine = times(f"{own_name} · cos θ", before[own], math.cos(angle))
        mark = "−" if sign < 0 else "+"
        sine_name = f"{letter}[{token}{partner}] · sin θ"
        sine = times(sine_name if sign > 0 else f"−{sine_name}", before[partner], sign * math.sin(angle))
        return summed(name, value, f"{cosine.name} {mark} {sine_name}, θ = {angle:.6g}", [cosine, sine])

    return told


def _pair(made: Projected, index: int, place: int) -> tuple[int, int | None, float, int]:
    """A turned number's own place, its partner's (None where it is not turned), the angle, and the sine's sign."""
    assert made.rotation is not None
    for side, other, sign in (
        (made.rotation.first, made.rotation.second, -1),
        (made.rotation.second, made.rotation.first, 1),
    ):
        (pairs,) = np.nonzero(side == place)
        if len(pairs):
            return place, int(other[pairs[0]]), float(made.rotation.angles[index, pairs[0]]), sign
    return place, None, 0.0, 1


def row(letter: str, which: str) -> dict[str, Teller]:
    """A row of a matrix, its input, and their products; index: the row, of the input the token."""

    def weight(found: HeadInside, index: int, place: int) -> Account:
        return without_terms(f"W_{letter}[{index},{place}]", _matrix(found, which)[index, place])

    def the_input(found: HeadInside, index: int, place: int) -> Account:
        if which == "output":
            return mixed(found, 0, place)
        if which == "query" or (found.kind != "cross" and index == found.query_position):
            return read(found, 0, place)
        return without_terms(f"x̂[{index},{place}]", _input(found, which, index)[place], "")

    def the_product(found: HeadInside, index: int, place: int) -> Account:
        row, token = divmod(index, MOST_TOKENS)
        w, x = _matrix(found, which)[row, place], _input(found, which, token)[place]
        right = f"z[{place}]" if which == "output" else f"x̂[{place}]" if which == "query" else f"x̂[{token},{place}]"
        left = f"W_{letter}[{row},{place}]"
        return single_product(f"{left} · {right}", (left, float(w)), (right, float(x)), float(w * x))

    small = letter.lower()
    return {f"w{small}": weight, f"x{small}": the_input, f"p{small}": the_product}


MOST_TOKENS = 10_000
"""A product's index holds its row of the matrix and its token: row * MOST_TOKENS + token."""


def _matrix(found: HeadInside, which: str) -> np.ndarray:
    weight: np.ndarray | None = found.output_weight if which == "output" else getattr(found, which).weight
    if weight is None:
        raise IndexError(which)
    return weight


def _input(found: HeadInside, which: str, token: int) -> np.ndarray:
    if which == "output":
        return found.steps.z
    rows: np.ndarray | None = getattr(found, which).given
    if rows is None:
        raise IndexError(which)
    row: np.ndarray = rows[token]
    return row
