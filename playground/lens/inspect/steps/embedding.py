"""Embedding and position: from the token's row of the table to what enters the first block.

Vaswani et al. 2017, sections 3.4 and 3.5; Devlin et al. 2019 (segments, and a norm of the sum).
"""

import numpy as np

from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, SumOfTerms, Vector
from playground.text import _


def embedding_step(inputs: StepInputs) -> InsideStep:
    """e: the embedding; x: what enters the first block."""
    head = inputs.head
    embedded = Vector(name="e[{column}]", values=head.embedded, note=_("the token's row of the embedding table"))
    rows = [Row(symbol="e", label=_("embedding"), vector=embedded)]
    explanation = _("This model adds no positions to its embeddings: the embedding itself enters the first block.")
    formula = r"x = e_{\text{token}}"
    if not np.array_equal(head.embedded, head.entered):
        rows.append(Row(symbol="x", label=_("input of the first block"), vector=entered_vector(head)))
        explanation = _(
            "The query token's embedding, and what enters the first block: with its position, if one is added."
        )
        formula += r" + p_{\text{position}}"
    label = _("Embedding and input of the first block")
    return InsideStep(
        name="embedding",
        title=_("Embedding and position"),
        formula=formula,
        explanation=explanation,
        tables=(StepTable(label=label, rows=tuple(rows), role="stream", is_scaled_by_row=True),),
        code=(in_transformer("Stack.residual", "embedding", "position"),),
    )


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
        # The embedding stands last: Gemma multiplies it by the root of the width.
        embedded = head.embedded.astype(float)
        factors = (embedded, np.full_like(embedded, entering.scale))
        scaled = f"e[{{column}}] · {entering.scale:.6g}"
        terms[-1] = NamedTerm(name=scaled, values=embedded * entering.scale, factors=factors)
    if entering.norm is None:
        return SumOfTerms(name=name, values=head.entered, terms=tuple(terms))
    total = SumOfTerms(name="s[{column}]", values=entering.vectors.sum(0), terms=tuple(terms))
    return NormedVector(name=name, values=head.entered, norm=entering.norm, letter="s", input=total)
