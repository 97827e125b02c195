"""Projection: from the layer input to query, keys and values. Vaswani et al. 2017, section 3.2.2."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.head import HeadInside, ProjectedVectors
from playground.lens.inspect.steps.norm import layer_input_vector
from playground.lens.inspect.steps.step import InsideStep, Role, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, Products, SumOfProducts, Vector
from playground.text import _, fill

MOST_TOKENS = 10_000
"""The index of a product names the matrix row and the token: row * MOST_TOKENS + token."""


def projection_step(inputs: StepInputs) -> InsideStep:
    """q, k, v: query, keys and values before rotary positions; then one row of each matrix, with its products."""
    head = inputs.head
    query = Row(symbol="q", label="q", vector=projected_vector("q", head.query, 0, ""), token=inputs.query_label)
    tables = [StepTable(label=_("The query of the token"), rows=(query,), role="query", is_scaled_by_row=True)]
    for symbol, vectors, role, label in _shared_projections(head):
        rows = key_rows(inputs, symbol, lambda key, s=symbol, v=vectors: projected_vector(s, v, key, f"{key},"))  # type: ignore[misc]
        tables.append(StepTable(label=label, rows=rows, role=role))
    function = "CrossAttention.forward" if head.kind == "cross" else "Attention.forward"
    return InsideStep(
        name="projection",
        title=_("Query, keys and values"),
        formula=r"\q = W_Q\hat{x} + b_Q \\ \k_j = W_K\hat{x}_j + b_K \\ \v_j = W_V\hat{x}_j + b_V",
        explanation=f"{sharing(head)} {_('Point at a number for its largest products; click it for all of them.')}",
        tables=(*tables, *_traced_rows(inputs)),
        code=(in_transformer(function, "key_value" if head.kind == "cross" else "query_key_value"),),
    )


def _shared_projections(head: HeadInside) -> list[tuple[str, ProjectedVectors, Role, str]]:
    return [("k", head.keys, "key", _("The keys")), ("v", head.values, "value", _("The values"))]


def key_rows(inputs: StepInputs, symbol: str, vector_of: Callable[[int], Vector]) -> tuple[Row, ...]:
    """A row for each listed key."""
    return tuple(
        Row(symbol=symbol, index=key, label=label, vector=vector_of(key), token=label)
        for key, label in zip(inputs.keys, inputs.labels, strict=True)
    )


def projected_vector(symbol: str, vectors: ProjectedVectors, token: int, prefix: str) -> Vector:
    """A query, key or value before rotary positions; prefix: the token's index in the name of each number."""
    name, values = f"{symbol}[{prefix}{{column}}]", vectors.projected[token]
    matrix, note = f"W_{symbol.upper()}", _("This family norms it after its matrix.")
    if vectors.before_norm is not None and vectors.norm is not None:
        before = vectors.before_norm[token]
        is_layer = vectors.norm.kind == "layer"
        return NormedVector(
            name=name,
            values=values,
            note=note,
            norm=replace(vectors.norm, mean=float(before.mean())) if is_layer else vectors.norm,
            input=Vector(name="u[{column}]", values=before),
            letter="u",
            offset=vectors.norm_offset,
            factor=vectors.factor,
            suffix=", u = W x̂",
        )
    if vectors.clip is not None:
        note = _("This family cuts it to ±{clip:g} after its matrix.").format(clip=vectors.clip)
    if vectors.weight is None or vectors.inputs is None:
        return Vector(name=name, values=values, note=note, is_known=False)
    return SumOfProducts(
        name=name,
        values=values,
        # Row `column` of the matrix meets the same input: weight [8, 32], inputs [32] -> 8 sums of 32 products.
        left=vectors.weight,
        right=np.broadcast_to(vectors.inputs[token], vectors.weight.shape),
        term_name=f"{matrix}[{{column}},{{term}}] · x̂[{prefix}{{term}}]",
        formula=f"Σ {matrix}[{{column}},i] · x̂[{prefix}i]",
        bias=None if vectors.bias is None else NamedTerm(name=f"b_{symbol.upper()}[{{column}}]", values=vectors.bias),
        factor=vectors.factor,
    )


def sharing(head: HeadInside) -> str:
    """Which query heads share keys and values (grouped-query attention, Ainslie et al. 2023), this one's in colour."""
    size = len(head.shared_by)
    if size == 1:
        return _("Head {head} has keys and values of its own.").format(head=head.head)
    shared = head.shared_by[0] // size
    template = _("Grouped-query attention: heads {heads} share one set of keys and values, key/value head {shared}.")
    badges = []
    for group in range(len(head.head_outputs) // size):
        queries = " ".join(f"q{query}" for query in range(group * size, (group + 1) * size))
        badges.append(f":{'orange' if group == shared else 'gray'}-badge[{queries} → k{group} v{group}]")
    heads = ", ".join(map(str, head.shared_by))
    return " ".join([template.format(heads=heads, shared=shared), *badges])


def _traced_rows(inputs: StepInputs) -> list[StepTable]:
    """The rows of W_Q, W_K and W_V that make the traced dimension; none where the family norms in between."""
    head, key, row = inputs.head, inputs.keys[-1], inputs.dimension
    projections: Sequence[tuple[str, ProjectedVectors, int, Role]] = [
        ("Q", head.query, 0, "query"),
        ("K", head.keys, key, "key"),
        ("V", head.values, key, "value"),
    ]
    tables = []
    for letter, vectors, token, role in projections:
        if vectors.weight is None or vectors.inputs is None or row >= len(vectors.weight):
            continue
        input_name = "x̂[{column}]" if letter == "Q" else f"x̂[{token},{{column}}]"
        is_query = letter == "Q" or (head.kind != "cross" and token == head.query_position)
        vector = layer_input_vector(head) if is_query else Vector(name=input_name, values=vectors.inputs[token])
        label = f"x̂ ({inputs.query_label if letter == 'Q' else inputs.key_labels[key]})"
        row_input = Row(symbol=f"x{letter.lower()}", index=token, label=label, vector=vector)
        tables.append(matrix_row(letter, vectors.weight, vectors.inputs[token], row_input, row, input_name, role))
    return tables


def matrix_row(
    letter: str, weight: np.ndarray, numbers: np.ndarray, row_input: Row, row: int, input_name: str, role: Role
) -> StepTable:
    """A row of a matrix, its input, and the product of each pair: all products together are one number."""
    matrix, products = f"W_{letter}", weight[row] * numbers
    weights = Vector(name=f"{matrix}[{row},{{column}}]", values=weight[row], note=_("learned"))
    factors = NamedTerm(name=weights.name, values=weight[row]), NamedTerm(name=input_name, values=numbers)
    product = Products(
        name=f"{weights.name} · {input_name}", values=products, left=factors[0], right=factors[1], says_formula=False
    )
    label = _("Row {row} of {matrix}, its input, and their products, which sum to {total:.3g}")
    index = row * MOST_TOKENS + row_input.index
    rows = (
        Row(symbol=f"w{letter.lower()}", index=row, label=f"{matrix}[{row}]", vector=weights),
        row_input,
        Row(symbol=f"p{letter.lower()}", index=index, label=_("product"), vector=product, token=row_input.label),
    )
    label = fill(label, row=row, matrix=matrix, total=float(products.sum()))
    return StepTable(label=label, rows=rows, role=role, is_scaled_by_row=True)
