"""Vectors of numbers with how they came about, said once for two readers.

`derive` lists every term of one number; `summary` says in one sentence with blanks how each number came about. Names
and sentences are templates: {column} is the number's position in the vector, {term} the term's, {value} the number
itself, and {0}, {1:d}, … are further numbers.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.capture.norm_step import NormStep
from playground.lens.inspect.steps.derivation import Derivation, Summary, Term, product_term, sum_of
from playground.text import _, subtracted, true_minus

SUMMARISED = 2
"""How many of a sum's largest terms its summary names."""

MOST_TERMS = 6
"""A sum of more terms says how many there are, and not each of them."""

Origin = tuple[str, list[Float[np.ndarray, "column"]]]
"""Where numbers came from: a sentence with blanks, and the numbers in them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Vector:
    """Numbers that nothing computes here: learned ones, and those that no module shows the making of."""

    name: str
    """Such as "k[3,{column}]"."""
    values: Float[np.ndarray, "column"]
    note: str = ""
    """A sentence about all of them."""
    is_known: bool = True
    is_recomputed: bool = False
    """Whether no module returned the numbers."""

    def derive(self, column: int) -> Derivation:
        """The derivation of one number. Raises IndexError for a column that is not there."""
        value = float(self.values[column])
        return Derivation(name=self.name.format(column=column), value=value, result=value, is_known=self.is_known)

    def origin(self, first: int = 0) -> Origin:
        """Where the numbers came from, in one sentence; its blanks are numbered from `first`."""
        return self.note, []

    def summary(self) -> Summary:
        """Name, value and origin of every number."""
        text, columns = self.origin()
        template = f"{self.name} = {{value}}" + (f"<br>{text}" if text else "")
        numbers = np.stack(columns, axis=1) if columns else np.zeros((len(self.values), 0))
        return Summary(template=template, numbers=numbers)

    def _derived(self, column: int, formula: str, terms: list[Term], result: float) -> Derivation:
        name, value = self.name.format(column=column), float(self.values[column])
        return Derivation(
            name=name,
            value=value,
            formula=formula,
            terms=tuple(terms),
            result=result,
            is_recomputed=self.is_recomputed,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedTerm:
    """One term, or factor, of every number of a vector."""

    name: str
    values: Float[np.ndarray, "column"]
    factors: tuple[Float[np.ndarray, "column"], ...] = ()

    def at(self, column: int) -> Term:
        """The term of one number."""
        factors = tuple(float(factor[column]) for factor in self.factors)
        return Term(name=self.name.format(column=column), factors=factors, value=float(self.values[column]))


@dataclass(frozen=True, kw_only=True, eq=False)
class SumOfTerms(Vector):
    """values = the sum of a few terms that each have a name of their own."""

    terms: tuple[NamedTerm, ...]
    formula: str = ""
    """The terms' names with a plus between them, unless it is given."""

    def derive(self, column: int) -> Derivation:
        """All terms, in their order."""
        terms = [term.at(column) for term in self.terms]
        formula = self.formula.format(column=column) or " + ".join(term.name for term in terms).replace("+ −", "− ")
        return self._derived(column, formula, terms, sum_of(terms))

    def origin(self, first: int = 0) -> Origin:
        """All terms, each with its name; how many there are, where they are many."""
        if len(self.terms) > MOST_TERMS:
            return _("the sum of {count:,} terms: click for all of them").format(count=len(self.terms)), []
        parts = [f"{{{blank}}} ({term.name})" for blank, term in enumerate(self.terms, start=first)]
        return f"= {' + '.join(parts)}", [term.values for term in self.terms]


@dataclass(frozen=True, kw_only=True, eq=False)
class SumOfProducts(Vector):
    """values[column] = (sum over terms of left[column, term] · right[column, term] + bias[column]) · factor.

    A matrix of 64 rows times a vector of 768 numbers has 64 columns of 768 terms. Without `right`, left are the terms.
    """

    left: Float[np.ndarray, "column term"]
    right: Float[np.ndarray, "column term"] | None = None
    term_name: str
    """Such as "W_K[{column},{term}] · x̂[3,{term}]"."""
    formula: str
    bias: NamedTerm | None = None
    factor: float = 1.0

    def derive(self, column: int) -> Derivation:
        """Every product with its two factors, and the bias."""
        left = self.left[column]
        names = [self.term_name.format(column=column, term=term) for term in range(len(left))]
        if self.right is None:
            terms = [Term(name=name, value=float(a)) for name, a in zip(names, left, strict=True)]
        else:
            pairs = zip(names, left, self.right[column], strict=True)
            terms = [product_term(name, float(a), float(b)) for name, a, b in pairs]
        formula = self.formula
        if self.bias is not None:
            terms.append(self.bias.at(column))
            formula += f" + {self.bias.name}"
        if self.factor != 1:
            formula = f"({formula}) · {self.factor:.6g}"
        total = sum_of(terms)
        return self._derived(column, formula.format(column=column), terms, total * self.factor)

    def origin(self, first: int = 0) -> Origin:
        """The largest terms of each sum, by name, and the bias."""
        terms = self.left if self.right is None else self.left * self.right
        count = min(SUMMARISED, terms.shape[1])
        largest = np.argsort(-np.abs(terms), axis=1, kind="stable")[:, :count]
        heading = _("largest of {count:,} terms:") if self.right is None else _("largest of {count:,} products:")
        lines = [heading.format(count=terms.shape[1])]
        columns: list[np.ndarray] = []
        tables = [terms] if self.right is None else [self.left, self.right, terms]
        for rank in range(count):
            at = largest[:, rank : rank + 1]
            blank = first + len(columns)
            columns += [at[:, 0], *(np.take_along_axis(table, at, 1)[:, 0] for table in tables)]
            name = self.term_name.format(column="{column}", term=f"{{{blank}:d}}")
            numbers = (
                f"{{{blank + 1}}}" if self.right is None else f"{{{blank + 1}}} · {{{blank + 2}}} = {{{blank + 3}}}"
            )
            lines.append(f"{name} = {numbers}")
        if self.bias is not None:
            lines.append(_("bias") + f" {{{first + len(columns)}}}")
            columns.append(self.bias.values)
        return "<br>".join(lines), columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Products(Vector):
    """values = left · right, number by number."""

    left: NamedTerm
    right: NamedTerm
    says_formula: bool = True
    """Whether the name leaves out which factors were multiplied."""

    def derive(self, column: int) -> Derivation:
        """The one product."""
        formula = f"{self.left.name} · {self.right.name}".format(column=column)
        term = product_term(formula, float(self.left.values[column]), float(self.right.values[column]))
        return self._derived(column, formula, [term], term.value)

    def origin(self, first: int = 0) -> Origin:
        """Both factors."""
        formula = f"= {self.left.name} · {self.right.name} " if self.says_formula else ""
        return f"{formula}= {{{first}}} · {{{first + 1}}}", [self.left.values, self.right.values]


@dataclass(frozen=True, kw_only=True, eq=False)
class NormedVector(Vector):
    """values = (input - mean) / √(variance + ε) · weight + bias; without mean and bias for a root mean square.

    The terms of each number are those of the variance (or mean square), which runs over the whole input.
    """

    norm: NormStep
    input: Vector
    letter: str
    """What the formula calls the input."""
    offset: int = 0
    """Where in the normed input the values begin: a norm over all heads' keys makes those of each."""
    factor: float = 1.0
    """What the normed numbers are multiplied by afterwards."""
    suffix: str = ""
    """What the formula says besides, such as what the input is."""

    def derive(self, column: int) -> Derivation:
        """The squares, whose sum and ε stand under the root."""
        at, numbers, norm = self.offset + column, self.input.values, self.norm
        is_layer, count = norm.kind == "layer", len(self.input.values)
        centred = f"{self.letter}[i] − μ" if is_layer else f"{self.letter}[i]"
        terms = [
            Term(
                name=f"({centred})² / {count}, i = {i}", factors=(float(x),), value=(float(x) - norm.mean) ** 2 / count
            )
            for i, x in enumerate(numbers)
        ]
        bias = 0.0 if norm.bias is None else float(norm.bias[at])
        root = math.sqrt(sum_of(terms) + norm.epsilon)
        result = ((float(numbers[at]) - norm.mean) / root * float(norm.weight[at]) + bias) * self.factor
        over = f"({self.letter}[{at}] − μ)" if is_layer else f"{self.letter}[{at}]"
        formula = f"{over} / √(Σ ({centred})² / {count} + ε) · w[{at}]" + ("" if norm.bias is None else f" + b[{at}]")
        formula += f", μ = Σ {self.letter}[i] / {count} = {true_minus(f'{norm.mean:.6g}')}" if is_layer else ""
        return self._derived(column, f"{formula}, ε = {norm.epsilon:.3g}{self.suffix}", terms, result)

    def origin(self, first: int = 0) -> Origin:
        """The quotient and the product of each number, then where the input came from."""
        if self.note:
            return self.note, []
        norm, part = self.norm, slice(self.offset, self.offset + len(self.values))
        columns = [self.input.values[part], norm.weight[part]]
        over = f"{{{first}}}" if norm.kind != "layer" else f"({{{first}}} {subtracted(norm.mean, 3)})"
        text = f"= {over} / {norm.root:.3g} · {{{first + 1}}}"
        if norm.bias is not None:
            text += f" + {{{first + 2}}}"
            columns.append(norm.bias[part])
        origin, more = self.input.origin(first + len(columns))
        return (f"{text}<br>{self.input.name} {origin}" if more else text), [*columns, *more]
