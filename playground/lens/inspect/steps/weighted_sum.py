"""Weighted sum: from weights and values to z. Vaswani et al. 2017, equation 1."""

import numpy as np

from playground.lens.inspect.steps.code_lines import in_attention
from playground.lens.inspect.steps.head import AttentionRow
from playground.lens.inspect.steps.projection import key_rows
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, Products, SumOfProducts
from playground.text import _


def weighted_sum_step(inputs: StepInputs) -> InsideStep:
    """av: each value times its weight; z: their sum."""
    row = inputs.head.attention
    rows = key_rows(inputs, "av", lambda key: _weighted_value(row, key))
    z = Row(symbol="z", label="z", vector=z_vector(row))
    return InsideStep(
        name="mix",
        title=_("Weighted sum of values"),
        formula=r"z = \sum_j a_j \v_j",
        explanation=_("Each value times its weight; z is their sum."),
        tables=(
            StepTable(label=_("Weighted values"), rows=rows, role="value"),
            StepTable(label=_("z: the sum of the weighted values"), rows=(z,), role="value", shows_numbers=True),
        ),
        code=(in_attention("z", "pattern", "value"),),
    )


def _weighted_value(row: AttentionRow, key: int) -> Products:
    value, weight = row.values[key], np.full_like(row.values[key], row.weights[key])
    return Products(
        name=f"y[{key},{{column}}]",
        values=weight.astype(float) * value.astype(float),
        left=NamedTerm(name=f"a[{key}]", values=weight),
        right=NamedTerm(name=f"v[{key},{{column}}]", values=value),
    )


def z_vector(row: AttentionRow) -> SumOfProducts:
    """The head's z: every key's weight times its value."""
    return SumOfProducts(
        name="z[{column}]",
        values=row.z,
        # 22 keys and 8 dimensions: weights [22] times values [22, 8] are 8 sums of 22 products.
        left=np.broadcast_to(row.weights, row.values.T.shape),
        right=row.values.T,
        term_name="a[{term}] · v[{term},{column}]",
        formula="Σ a[j] · v[j,{column}]",
    )
