"""Softmax: from masked scores to attention weights. Vaswani et al. 2017, equation 1."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.inspect.steps.code_lines import in_attention
from playground.lens.inspect.steps.derivation import Derivation, Term, sum_of
from playground.lens.inspect.steps.scores import hidden_as_infinity
from playground.lens.inspect.steps.step import InsideStep, StepInputs, key_table
from playground.lens.inspect.steps.vectors import Origin, Vector
from playground.text import _, subtracted


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftmaxWeights(Vector):
    """values = exp(masked) / sum of exp(masked); the largest score is subtracted first, so that none overflows."""

    masked: Float[np.ndarray, "key"]
    sink: float | None
    """One more score, whose weight goes nowhere."""

    @property
    def largest(self) -> float:
        """The largest score; 0 where every key is hidden."""
        return float(self.masked.max()) if np.isfinite(self.masked).any() else 0.0

    def derive(self, column: int) -> Derivation:
        """Every exponential of the denominator."""
        largest, below = self.largest, subtracted(self.largest)
        terms = [
            Term(name=f"exp(m[{key}] {below})", factors=(float(m),), value=math.exp(m - largest))
            for key, m in enumerate(self.masked)
        ]
        numerator = terms[column].value
        if self.sink is not None:
            terms.append(Term(name="exp(sink)", factors=(self.sink,), value=math.exp(self.sink - largest)))
        total = sum_of(terms)
        formula = f"exp(m[{column}] {below}) / Σ exp(m[j] {below})"
        return self._derived(column, formula, terms, numerator / total if total else 0.0)

    def origin(self, first: int = 0) -> Origin:
        """Each exponential and the denominator."""
        total = np.exp(self.masked - self.largest).sum() + (
            0 if self.sink is None else math.exp(self.sink - self.largest)
        )
        text = f"= exp({{{first}}} {subtracted(self.largest, 3)}) / {{{first + 1}}}"
        return text, [self.masked, np.full(len(self.masked), total)]


def softmax_step(inputs: StepInputs) -> InsideStep:
    """a: the weight of each key."""
    row = inputs.head.attention
    total = float(row.weights.sum())
    explanation = _("All {keys:,} weights sum to {total:.6f}.").format(keys=len(row.weights), total=total)
    if total < 0.999:
        explanation += " " + _("The rest goes to a learned attention sink.")
    weights = SoftmaxWeights(name="a[{column}]", values=row.weights, masked=hidden_as_infinity(row), sink=row.sink)
    return InsideStep(
        name="softmax",
        title=_("Softmax"),
        formula=r"a_j = \frac{e^{m_j}}{\sum_i e^{m_i}}",
        explanation=explanation,
        tables=(key_table(inputs, "a", weights, _("Weight of each key")),),
        code=(in_attention("pattern", "logits", "softmax"),),
    )
