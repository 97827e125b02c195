"""The derivation of a number: its formula, every term of its sum with the term's factors, and what they give."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Number:
    """The name of a number: k.3.17 is number 17 of key 3."""

    symbol: str
    index: int = 0
    """The token, head or matrix row that the vector belongs to; 0 where there is only one such vector."""
    column: int = 0

    @property
    def address(self) -> str:
        """The name as it stands in an address.

        >>> Number(symbol="k", index=3, column=17).address
        'k.3.17'
        """
        return f"{self.symbol}.{self.index}.{self.column}"


def parse_number(address: str) -> Number | None:
    """The number with that address; None for anything else.

    >>> parse_number("k.3.17") == Number(symbol="k", index=3, column=17), parse_number("k.3")
    (True, None)
    """
    symbol, *rest = address.split(".")
    if not symbol.isalpha() or len(rest) != 2 or not all(part.isdecimal() and len(part) < 9 for part in rest):
        return None
    return Number(symbol=symbol, index=int(rest[0]), column=int(rest[1]))


@dataclass(frozen=True, kw_only=True)
class Term:
    """One term of a sum, and the named factors that it is the product of, where it is one."""

    name: str
    factors: tuple[float, ...] = ()
    value: float


def product_term(name: str, left: float, right: float) -> Term:
    """A term that is the product of two factors."""
    return Term(name=name, factors=(left, right), value=left * right)


def sum_of(terms: Iterable[Term]) -> float:
    """The sum to the last digit; NaN where infinities cancel each other.

    >>> sum_of([Term(name="a", value=math.inf), Term(name="b", value=-math.inf)])
    nan
    """
    values = [term.value for term in terms]
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Derivation:
    """How a number came about. Without terms it is learned, or (is_known False) no module shows how it was made."""

    name: str
    value: float
    """The model's own number, unless it is recomputed."""
    formula: str = ""
    terms: tuple[Term, ...] = ()
    result: float
    """What the formula makes of the terms."""
    is_known: bool = True
    is_recomputed: bool = False
    """Whether no module returned the value, so that it was computed here from what the modules returned."""

    @property
    def total(self) -> float:
        """The sum of all terms."""
        return sum_of(self.terms)

    @property
    def difference(self) -> float:
        """How far the formula's result is from the model's number."""
        return 0.0 if self.result == self.value else abs(self.result - self.value)


@dataclass(frozen=True, kw_only=True, eq=False)
class Summary:
    """One sentence for all numbers of a vector, and what fills its blanks {0}, {1:d}, … for each of them."""

    template: str
    numbers: Float[np.ndarray, "column blank"]
