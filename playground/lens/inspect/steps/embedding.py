"""Embedding and position: from the token's row of the table to what enters the first block.

Vaswani et al. 2017, sections 3.4 and 3.5; Devlin et al. 2019 (segments, and a norm of the sum).
"""

import numpy as np

from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, Products, SumOfTerms, Vector
from playground.text import _


def embedding_step(inputs: StepInputs) -> InsideStep:
    """e: the embedding; x: what enters the first block."""
    head = inputs.head
    rows = [Row(symbol="e", label=_("embedding"), vector=embedded_vector(head))]
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
    total = embedded if entering.scale == 1 else rf"{entering.scale:.4g}\, {embedded}"
    total += r" + p_{\text{position}}" if len(entering.names) > 1 else ""
    return f"x = {total}" if entering.norm is None else rf"x = \mathrm{{norm}}({total})"


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
    if np.array_equal(head.embedded, head.entered):
        rest = _("This model adds no positions to its embeddings: the embedding itself enters the first block.")
    elif entering is not None and len(entering.names) == 1 and entering.norm is None:
        template = _("This model adds no positions: the embedding times {scale:.6g} enters the first block.")
        rest = template.format(scale=entering.scale)
    else:
        rest = _("The query token's embedding, and what enters the first block: with its position, if one is added.")
    return [*sentences, rest]


def entered_vector(head: HeadInside, symbol: str = "x") -> Vector:
    """What enters the first block: the sum of the embedding and what was added to it, normed in some families."""
    name, entering = f"{symbol}[{{column}}]", head.entering
    if entering is None:
        note = _("position, segment, scale or norm, depending on the family")
        return Vector(name=name, values=head.entered, note=note, is_known=False)
    terms = [
        NamedTerm(name=f"{term}[{{column}}]", values=values)
        for term, values in zip(entering.names, entering.vectors, strict=True)
    ]
    if entering.scale != 1:
        # The embedding stands last: Granite multiplies it outside its module.
        embedded = head.embedded.astype(float)
        factors = (embedded, np.full_like(embedded, entering.scale))
        scaled = f"e[{{column}}] · {entering.scale:.6g}"
        terms[-1] = NamedTerm(name=scaled, values=embedded * entering.scale, factors=factors)
    if entering.norm is None:
        return SumOfTerms(name=name, values=head.entered, terms=tuple(terms))
    total = SumOfTerms(name="s[{column}]", values=entering.vectors.sum(0), terms=tuple(terms))
    return NormedVector(name=name, values=head.entered, norm=entering.norm, letter="s", input=total)
