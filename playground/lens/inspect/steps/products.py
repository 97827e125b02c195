"""Vectors of very many products, of which only some numbers are listed: a matrix with thousands of rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.inspect.steps.derivation import Derivation, Term, product_term
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.vectors import NamedTerm, Origin, SumOfProducts, Vector
from playground.text import _


@dataclass(frozen=True, kw_only=True, eq=False)
class ListedProducts(Vector):
    """values[column] = (sum over terms of matrix[column, term] · input[term] + bias[column]) · factor.

    Any number can be derived; only the listed ones say at once where they came from.
    """

    map: LinearMap
    input: Float[np.ndarray, "term"]
    listed: tuple[int, ...]
    term_name: str
    """Such as "W_up[{column},{term}] · x̂[{term}]"."""
    formula: str
    bias_name: str = "b[{column}]"
    factor: float = 1.0

    def derive(self, column: int) -> Derivation:
        """Every product of the row, and the bias."""
        # One row stands alone in its table, at 0: its own number is written into the names first.
        name, term, formula, bias = (
            text.replace("{column}", str(column)) for text in (self.name, self.term_name, self.formula, self.bias_name)
        )
        return self._rows([column], name=name, term_name=term, formula=formula, bias_name=bias).derive(0)

    def origin(self, first: int = 0) -> Origin:
        """The largest products of the listed numbers."""
        rows = list(self.listed)
        text, columns = self._rows(
            rows, name=self.name, term_name=self.term_name, formula=self.formula, bias_name=self.bias_name
        ).origin(first)
        return text, [_scattered(column, rows, len(self.values)) for column in columns]

    def _rows(self, rows: list[int], *, name: str, term_name: str, formula: str, bias_name: str) -> SumOfProducts:
        weight = self.map.weight[rows].float().cpu().numpy()
        bias = None if self.map.bias is None else self.map.bias[rows].float().cpu().numpy()
        return SumOfProducts(
            name=name,
            values=self.values[rows],
            left=weight,
            right=np.broadcast_to(self.input, weight.shape),
            term_name=term_name,
            formula=formula,
            bias=None if bias is None else NamedTerm(name=bias_name, values=bias),
            factor=self.factor,
            is_recomputed=self.is_recomputed,
        )


def _scattered(numbers: np.ndarray, rows: list[int], length: int) -> np.ndarray:
    """The listed numbers at their places in the whole vector, zeros elsewhere: nobody reads these."""
    whole = np.zeros(length)
    whole[rows] = numbers
    return whole


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered(Vector):
    """Numbers of several vectors in one row: each is derived where it comes from."""

    sources: Mapping[int, tuple[Vector, int]]
    """Of each listed number its vector, and its place there."""

    def derive(self, column: int) -> Derivation:
        """As the number's own vector derives it."""
        vector, place = self.sources[column]
        return vector.derive(place)


@dataclass(frozen=True, kw_only=True, eq=False)
class Summand:
    """One set of neurons that a layer's output is a sum over: a dense layer's, or an expert's times its share."""

    map: LinearMap
    activations: Float[np.ndarray, "neuron"]
    share: float = 1.0
    label: str = ""
    """The expert's; empty in a dense layer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NeuronSums(Vector):
    """values[column] = sum over the summands of share · (sum over neurons of W[column, n] · a[n] + bias[column])."""

    summands: tuple[Summand, ...]

    def derive(self, column: int) -> Derivation:
        """A term for each neuron, and the biases."""
        terms: list[Term] = []
        for one in self.summands:
            weights = one.map.weight[column].float().cpu().numpy()
            bias = None if one.map.bias is None else float(one.map.bias[column])
            terms += [
                self._term(one, f"W_down[{column},{neuron}] · a[{neuron}]", float(w), float(a))
                for neuron, (w, a) in enumerate(zip(weights, one.activations, strict=True))
            ]
            if bias is not None:
                terms.append(self._term(one, f"b_down[{column}]", bias, 1.0))
        formula = f"Σ W_down[{column},n] · a[n]"
        formula = formula if self.summands[0].map.bias is None else f"{formula} + b_down[{column}]"
        formula = f"Σ p[e] · ({formula})" if self.summands[0].label else formula
        return self._derived(column, formula, terms, float(sum(term.value for term in terms)))

    def origin(self, first: int = 0) -> Origin:
        """How many terms each number is the sum of."""
        count = sum(len(one.activations) for one in self.summands)
        return _("the sum of {count:,} terms: click for all of them").format(count=count), []

    @staticmethod
    def _term(one: Summand, name: str, weight: float, activation: float) -> Term:
        if not one.label:
            return product_term(name, weight, activation)
        name = f"p[{one.label}] · {one.label}: {name}"
        return Term(name=name, factors=(one.share, weight, activation), value=one.share * weight * activation)
