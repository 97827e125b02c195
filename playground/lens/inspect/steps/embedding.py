"""Embedding and position: from the token's row of the table to what enters the first block.

Vaswani et al. 2017, sections 3.4 and 3.5; Devlin et al. 2019 (segments, and a norm of the sum); Lan et al. 2020 (a
table of a width of its own, and a matrix to the model's).
"""

import numpy as np

from playground.lens.capture.inputs import Entering, TableMatrix
from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, Products, SumOfProducts, SumOfTerms, Vector
from playground.text import _


def embedding_step(inputs: StepInputs) -> InsideStep:
    """e: the embedding; es: what is normed; ef: what a matrix makes or receives; x: what enters the first block."""
    head = inputs.head
    rows = [Row(symbol="e", label=_("embedding"), vector=embedded_vector(head)), *_rows_between(head)]
    if not np.array_equal(head.embedded, head.entered):
        rows.append(Row(symbol="x", label=_("input of the first block"), vector=entered_vector(head)))
    label = _("Embedding and input of the first block")
    return InsideStep(
        name="embedding",
        title=_("Embedding and position"),
        formula=_entered_formula(head) + _embedded_formula(head),
        explanation=" ".join(_sentences(head)),
        tables=(StepTable(label=label, rows=tuple(rows), role="stream", is_scaled_by_row=True),),
        code=(in_transformer("Stack.residual", "embedding", "position"),),
    )


def embedded_vector(head: HeadInside) -> Vector:
    """The embedding: a row of the table, or a multiple of it."""
    name, row = "e[{column}]", head.table_row
    if row is None:
        return Vector(name=name, values=head.embedded, note=_("as the embedding's module returned it"), is_known=False)
    if row.scale == 1:
        return Vector(name=name, values=head.embedded, note=_("the token's row of the embedding table"))
    learned = NamedTerm(name=f"E[{row.id},{{column}}]", values=row.values)
    factor = NamedTerm(name=f"{row.scale:.6g}", values=np.full_like(row.values, row.scale))
    return Products(name=name, values=head.embedded, left=learned, right=factor)


def _entered_formula(head: HeadInside) -> str:
    """What enters the first block, of the embedding."""
    embedded, entering = r"e_{\text{token}}", head.entering
    if np.array_equal(head.embedded, head.entered):
        return f"x = {embedded}"
    if entering is None:
        return rf"x = {embedded} + p_{{\text{{position}}}}"
    if entering.before_sum is not None:
        embedded = rf"(W_E\, {embedded}{_plus_bias(entering.before_sum)})"
    total = embedded if entering.scale == 1 else rf"{entering.scale:.4g}\, {embedded}"
    total += r" + p_{\text{position}}" if len(entering.names) > 1 else ""
    if entering.norm is not None:
        total = rf"\mathrm{{norm}}({total})"
    elif entering.after_norm is not None and len(entering.names) > 1:
        total = f"({total})"
    return f"x = {total}" if entering.after_norm is None else rf"x = W_E\, {total}{_plus_bias(entering.after_norm)}"


def _plus_bias(matrix: TableMatrix) -> str:
    return "" if matrix.bias is None else " + b_E"


def _embedded_formula(head: HeadInside) -> str:
    """The embedding, of its row of the table; nothing where it is the row."""
    row = head.table_row
    if row is None or row.scale == 1:
        return ""
    return rf",\quad e_{{\text{{token}}}} = {row.scale:.4g}\, E_{{\text{{token}}}}"


def _sentences(head: HeadInside) -> list[str]:
    row, entering, sentences = head.table_row, head.entering, []
    if row is not None and row.scale != 1:
        template = _("The embedding is the token's row of the embedding table times {scale:.6g}.")
        sentences.append(template.format(scale=row.scale))
    if entering is not None and len(head.embedded) != len(head.entered):
        template = _("The rows of the embedding table have {narrow} numbers; a matrix makes {width} of them.")
        sentences.append(template.format(narrow=len(head.embedded), width=len(head.entered)))
    if np.array_equal(head.embedded, head.entered):
        rest = _("This model adds no positions to its embeddings: the embedding itself enters the first block.")
    elif entering is not None and len(entering.names) == 1 and _is_multiple(entering):
        template = _("This model adds no positions: the embedding times {scale:.6g} enters the first block.")
        rest = template.format(scale=entering.scale)
    else:
        rest = _("The query token's embedding, and what enters the first block: with its position, if one is added.")
    return [*sentences, rest]


def _is_multiple(entering: Entering) -> bool:
    """Whether nothing but a factor stands between the embedding and the first block."""
    return entering.norm is None and entering.before_sum is None and entering.after_norm is None


def _rows_between(head: HeadInside) -> list[Row]:
    """What stands between the embedding and what enters, where a norm or a matrix does."""
    entering = head.entering
    if entering is None:
        return []
    rows = []
    if entering.before_sum is not None:
        vector = _product(entering.before_sum, "f[{column}]", "e")
        rows.append(Row(symbol="ef", label=_("embedding times the matrix"), vector=vector))
    if entering.norm is not None and (len(entering.names) > 1 or entering.scale != 1):
        rows.append(Row(symbol="es", label=_("sum before the norm"), vector=_sum(head, entering, "s[{column}]")))
    if entering.after_norm is not None:
        vector = _before_matrix(head, entering, "f[{column}]", entering.after_norm.received)
        rows.append(Row(symbol="ef", label=_("input of the matrix"), vector=vector))
    return rows


def entered_vector(head: HeadInside, symbol: str = "x") -> Vector:
    """What enters the first block: the sum of the embedding and what was added to it, in some families normed.

    In some it is a matrix times that.
    """
    name, entering = f"{symbol}[{{column}}]", head.entering
    if entering is None:
        note = _("position, segment, scale or norm, depending on the family")
        return Vector(name=name, values=head.entered, note=note, is_known=False)
    if entering.after_norm is not None:
        return _product(entering.after_norm, name, "f")
    return _before_matrix(head, entering, name, head.entered)


def _product(matrix: TableMatrix, name: str, letter: str) -> Vector:
    """What the matrix between the table's width and the model's makes of a vector."""
    return SumOfProducts(
        name=name,
        values=matrix.returned,
        left=matrix.weight,
        right=np.broadcast_to(matrix.received, matrix.weight.shape),
        term_name=f"W_E[{{column}},{{term}}] · {letter}[{{term}}]",
        formula=f"Σ W_E[{{column}},i] · {letter}[i]",
        bias=None if matrix.bias is None else NamedTerm(name="b_E[{column}]", values=matrix.bias),
    )


def _before_matrix(head: HeadInside, entering: Entering, name: str, values: np.ndarray) -> Vector:
    """The sum of the embedding and what was added to it, normed where there is a norm."""
    if entering.norm is None:
        return _sum(head, entering, name, values)
    total = _sum(head, entering, "s[{column}]")
    return NormedVector(name=name, values=values, norm=entering.norm, letter="s", input=total)


def _sum(head: HeadInside, entering: Entering, name: str, values: np.ndarray | None = None) -> SumOfTerms:
    """The embedding and what was added to it; recomputed where no values of the model's are given."""
    # The embedding stands last.
    matrix = entering.before_sum
    names = entering.names if matrix is None else (*entering.names[:-1], "f")
    terms = [
        NamedTerm(name=f"{term}[{{column}}]", values=vector)
        for term, vector in zip(names, entering.vectors, strict=True)
    ]
    if entering.scale != 1:
        # Granite multiplies it outside its module.
        embedded = (head.embedded if matrix is None else matrix.returned).astype(float)
        factors = (embedded, np.full_like(embedded, entering.scale))
        scaled = f"{'e' if matrix is None else 'f'}[{{column}}] · {entering.scale:.6g}"
        terms[-1] = NamedTerm(name=scaled, values=embedded * entering.scale, factors=factors)
    total = entering.vectors.sum(0) if values is None else values
    return SumOfTerms(name=name, values=total, terms=tuple(terms), is_recomputed=values is None)
