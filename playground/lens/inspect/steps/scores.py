"""Scores: from query and keys to each key's score, scaled, biased and masked. Vaswani et al. 2017, equation 1."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.inspect.steps.code_lines import in_attention
from playground.lens.inspect.steps.derivation import Derivation, product_term
from playground.lens.inspect.steps.head import AttentionRow, HeadInside
from playground.lens.inspect.steps.projection import key_rows
from playground.lens.inspect.steps.step import InsideStep, StepInputs, StepTable, key_table
from playground.lens.inspect.steps.vectors import NamedTerm, Origin, Products, SumOfProducts, SumOfTerms, Vector
from playground.lens.tolerances import FACTOR, NO_BIAS
from playground.text import _

HIDDEN = -1e4
"""Scores below this are masked: some families subtract a huge number instead of infinity."""
SCORES_CODE = in_attention("scores", "query", "key", "scaling")


def scores_step(inputs: StepInputs) -> InsideStep:
    """qk: the products of query and key by dimension; s: their sums, one score for each key."""
    row = inputs.head.attention
    q, k = _symbols(inputs.head)
    scores = SumOfProducts(
        name="s[{column}]",
        values=row.products,
        left=np.broadcast_to(row.query, row.keys.shape),
        right=row.keys,
        term_name=f"{q}[{{term}}] · {k}[{{column}},{{term}}]",
        formula=f"Σ {q}[i] · {k}[{{column}},i]",
    )
    rows = key_rows(inputs, "qk", lambda key: _score_products(inputs.head, key))
    products = StepTable(label=_("Query–key products by dimension"), rows=rows, role="key")
    return InsideStep(
        name="scores",
        title=_("Scores"),
        formula=r"s_j = \q \cdot \k_j = \sum_i \q_i \k_{j,i}",
        explanation=_(
            "Above, the product of query and key in each dimension; below, their sum: the score of each key."
        ),
        tables=(products, key_table(inputs, "s", scores, _("Score of each key"))),
        code=(SCORES_CODE,),
    )


def _symbols(head: HeadInside) -> tuple[str, str]:
    """Query and key as they meet: with a stroke where positions rotated them."""
    return "q′" if head.query.rotates else "q", "k′" if head.keys.rotates else "k"


def _score_products(head: HeadInside, key: int) -> Products:
    row, (q, k) = head.attention, _symbols(head)
    return Products(
        name=f"p[{key},{{column}}]",
        values=row.query.astype(float) * row.keys[key].astype(float),
        left=NamedTerm(name=f"{q}[{{column}}]", values=row.query),
        right=NamedTerm(name=f"{k}[{key},{{column}}]", values=row.keys[key]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaledScores(Vector):
    """values = products · scaling, soft-capped in some families (Gemma 2, section 2 of arXiv:2408.00118)."""

    products: Float[np.ndarray, "key"]
    scaling: float
    softcap: float | None

    def derive(self, column: int) -> Derivation:
        """The one product, and its hyperbolic tangent where it is capped."""
        formula = f"s[{column}] · {self.scaling:.6g}"
        term, cap = product_term(formula, float(self.products[column]), self.scaling), self.softcap
        if cap is None:
            return self._derived(column, formula, [term], term.value)
        capped = f"{cap:g} · tanh({formula} / {cap:g})"
        return self._derived(column, capped, [term], cap * math.tanh(term.value / cap))

    def origin(self, first: int = 0) -> Origin:
        """Score and scaling."""
        capped = "" if self.softcap is None else _(", soft-capped")
        return f"= {{{first}}} · {self.scaling:.3g}{capped}", [self.products]


def scaling_step(inputs: StepInputs) -> InsideStep:
    """t: the scaled score of each key."""
    row = inputs.head.attention
    width, cap = len(row.query), row.softcap
    is_root = abs(row.scaling * width**0.5 - 1) < FACTOR
    scaled = rf"\frac{{s_j}}{{\sqrt{{{width}}}}}" if is_root else rf"{row.scaling:.4g}\, s_j"
    explanation = _("Each score times {scaling:.4g}, which keeps the softmax from saturating for large d.")
    values = ScaledScores(
        name="s′[{column}]", values=row.scores, products=row.products, scaling=row.scaling, softcap=cap
    )
    return InsideStep(
        name="scaling",
        title=_("Scaling"),
        formula=rf"s'_j = {scaled}" if cap is None else rf"s'_j = c\,\tanh\left(\frac1c {scaled}\right)",
        explanation=explanation.format(scaling=row.scaling),
        tables=(key_table(inputs, "t", values, _("Scaled score of each key")),),
        code=(SCORES_CODE,),
    )


def mask_step(inputs: StepInputs) -> InsideStep:
    """m: the score of each key after bias and mask."""
    row = inputs.head.attention
    hidden = row.masked < HIDDEN
    # A masked key's bias is minus infinity, whatever huge number the family subtracts.
    bias = np.where(hidden, -np.inf, row.masked.astype(float) - row.scores.astype(float))
    terms = NamedTerm(name="s′[{column}]", values=row.scores), NamedTerm(name="b[{column}]", values=bias)
    masked = SumOfTerms(name="m[{column}]", values=hidden_as_infinity(row), terms=terms)
    return InsideStep(
        name="mask",
        title=_("Bias and mask"),
        formula=r"m_j = s'_j + b_j + \begin{cases}0\\-\infty\end{cases}",
        explanation=_mask_explanation(hidden, bias[~hidden]),
        tables=(key_table(inputs, "m", masked, _("Score of each key after bias and mask")),),
        code=(in_attention("masked_scores", "scores", "mask"),),
    )


def hidden_as_infinity(row: AttentionRow) -> Float[np.ndarray, "key"]:
    """The masked scores in float64, minus infinity at every hidden key."""
    return np.where(row.masked < HIDDEN, -np.inf, row.masked.astype(float))


def _mask_explanation(hidden: np.ndarray, biases: np.ndarray) -> str:
    keys, visible = len(hidden), int((~hidden).sum())
    has_bias = bool(biases.size and np.abs(biases).max() > NO_BIAS)
    if keys == 1:
        template = _("This query has one key; bias by distance.")
        return template if has_bias else _("This query has one key; no bias.")
    if visible == keys:
        template = _("All {keys:,} keys are visible to this query; bias by distance.")
        return (template if has_bias else _("All {keys:,} keys are visible to this query; no bias.")).format(keys=keys)
    template = _("{visible:,} of {keys:,} keys are visible to this query; bias by distance.")
    template = template if has_bias else _("{visible:,} of {keys:,} keys are visible to this query; no bias.")
    return template.format(visible=visible, keys=keys)
