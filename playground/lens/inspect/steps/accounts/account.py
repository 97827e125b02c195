"""What is told of a number: its terms, their factors, and the formula that they stand in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from playground.lens.capture.norm_step import NormStep
from playground.lens.inspect.steps.layer import HeadInside


@dataclass(frozen=True, kw_only=True)
class Term:
    """One term of a sum, and the factors (or whatever makes it) with their names."""

    name: str
    factors: tuple[float, ...]
    value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """A number, the formula that makes it, and all terms of the formula's sum.

    value: the number as it is shown; result: what the formula gives of the terms. Without terms the number is learned,
    or (is_known False) nothing shows how it was made.
    """

    name: str
    value: float
    formula: str
    terms: tuple[Term, ...] = ()
    result: float
    is_known: bool = True

    @property
    def total(self) -> float:
        """The sum of all terms."""
        return math.fsum(term.value for term in self.terms)

    @property
    def difference(self) -> float:
        """How far the formula's result is from the number."""
        return 0.0 if self.result == self.value else abs(self.result - self.value)


Teller = Callable[[HeadInside, int, int], Account]
"""Tells of a number by its token or row and its place."""


def summed(
    name: str, value: float, formula: str, terms: Sequence[Term], finish: Callable[[float], float] = float
) -> Account:
    total = math.fsum(term.value for term in terms)
    return Account(name=name, value=float(value), formula=formula, terms=tuple(terms), result=finish(total))


def without_terms(name: str, value: float, formula: str = "", *, is_known: bool = True) -> Account:
    return Account(name=name, value=float(value), formula=formula, result=float(value), is_known=is_known)


def single_product(name: str, left: tuple[str, float], right: tuple[str, float], value: float) -> Account:
    """A number that is one product."""
    (left_name, a), (right_name, b) = left, right
    formula = f"{left_name} · {right_name}"
    return summed(name, value, formula, [times(formula, a, b)])


def times(name: str, left: float, right: float) -> Term:
    left, right = float(left), float(right)
    return Term(name=name, factors=(left, right), value=left * right)


def single(name: str, value: float) -> Term:
    return Term(name=name, factors=(), value=float(value))


def normed(name: str, value: float, norm: NormStep, given: np.ndarray, place: int, *, letter: str) -> Account:
    """A number after a norm; the sum is the variance, or the mean square, over the whole vector."""
    count, is_layer = len(given), norm.kind == "layer"
    middle = f"{letter}[i] − μ" if is_layer else f"{letter}[i]"
    terms = [
        Term(name=f"({middle})² / {count}, i = {i}", factors=(float(x),), value=(float(x) - norm.mean) ** 2 / count)
        for i, x in enumerate(given)
    ]
    bias = 0.0 if norm.bias is None else float(norm.bias[place])
    over = f"({letter}[{place}] − μ)" if is_layer else f"{letter}[{place}]"
    formula = f"{over} / √(Σ ({middle})² / {count} + ε) · w[{place}]" + ("" if norm.bias is None else f" + b[{place}]")
    if is_layer:
        formula += f", μ = Σ {letter}[i] / {count} = {norm.mean:.6g}"

    def finish(total: float) -> float:
        above = float(given[place]) - norm.mean
        return above / math.sqrt(total + norm.epsilon) * float(norm.weight[place]) + bias

    return summed(name, value, f"{formula}, ε = {norm.epsilon:.3g}", terms, finish)
