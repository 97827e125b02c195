"""Output: from a head's z through its columns of the output projection into the residual stream.

Elhage et al. 2021: heads are independent, and what they write adds up.
"""

import numpy as np

from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.gate_step import gated_vector
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.norm import stream_vector
from playground.lens.inspect.steps.projection import matrix_row
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, SumOfProducts, SumOfTerms, Vector
from playground.lens.tolerances import ADDED
from playground.text import _


def output_step(inputs: StepInputs) -> InsideStep:
    """o: what this head writes; then one row of W_O with its products."""
    head, z = inputs.head, inputs.head.received
    label = _("head {head}").format(head=head.head)
    row = Row(symbol="o", label=label, vector=_head_output_vector(head))
    letter = "z" if head.gate is None else "z′"
    z_row = Row(symbol="xo", label=letter, vector=gated_vector(head))
    traced = matrix_row("O", head.output_weight, z, z_row, inputs.dimension, f"{letter}[{{column}}]", "head")
    function = "CrossAttention.forward" if head.kind == "cross" else "Attention.forward"
    return InsideStep(
        name="output",
        title=_("Output projection of this head"),
        formula=r"o_h = W_O^{(h)} z_h",
        explanation=_("The columns of the output projection that belong to this head, times z."),
        tables=(StepTable(label=_("Output of this head"), rows=(row,), role="head", is_scaled_by_row=True), traced),
        code=(in_transformer(function, "output"),),
    )


def _head_output_vector(head: HeadInside) -> SumOfProducts:
    return SumOfProducts(
        name="o[{column}]",
        values=head.head_output,
        # W_O [32, 8 of this head] times z [8]: 32 sums of 8 products.
        left=head.output_weight,
        right=np.broadcast_to(head.received, head.output_weight.shape),
        term_name="W_O[{column},{term}] · z[{term}]",
        formula="Σ W_O[{column},i] · z[i]",
    )


def residual_step(inputs: StepInputs) -> InsideStep:
    """r, o, h, d, u: the stream before the layer, this head, all heads, what is added, the stream after."""
    head = inputs.head
    rows = [
        Row(symbol="r", label=_("before"), vector=stream_vector(head)),
        Row(symbol="o", label=_("this head"), vector=_head_output_vector(head)),
        Row(symbol="h", label=_("all heads"), vector=_all_heads_vector(head)),
    ]
    if not _adds_output(head):
        rows.append(Row(symbol="d", label=_("all heads, as added"), vector=_added_vector(head)))
    before = NamedTerm(name="r[{column}]", values=head.residual)
    added = NamedTerm(name="d[{column}]", values=head.added)
    rows.append(
        Row(
            symbol="u",
            label=_("after"),
            vector=SumOfTerms(name="r′[{column}]", values=head.after, terms=(before, added)),
        )
    )
    explanation = _("What all heads of the layer wrote is added to the residual stream.")
    if head.factor != 1:
        explanation += " " + _("This model multiplies it by {factor:g} first.").format(factor=head.factor)
    if not head.is_additive:
        explanation += " " + _("What leaves the block is not this sum: most such models norm it afterwards.")
    return InsideStep(
        name="residual",
        title=_("Into the residual stream"),
        formula=r"r' = r + \sum_h o_h + b_O",
        explanation=explanation,
        tables=(StepTable(label=_("Residual stream before and after the layer"), rows=tuple(rows), role="head"),),
        code=(in_transformer("pre_norm" if head.is_additive else "post_norm", "residual", "drop"),),
    )


def _all_heads_vector(head: HeadInside) -> SumOfProducts:
    bias = head.output_bias
    return SumOfProducts(
        name="o[{column}] of all heads",
        values=head.attention_output,
        left=head.head_outputs.T,
        term_name="o_{term}[{column}]",
        formula="Σ o_h[{column}]",
        bias=None if bias is None else NamedTerm(name="b_O[{column}]", values=bias),
    )


def _adds_output(head: HeadInside) -> bool:
    """Whether the stream receives what the heads wrote as it is."""
    return bool(np.allclose(head.added, head.attention_output, atol=ADDED))


def _added_vector(head: HeadInside) -> Vector:
    """What the layer's norm or multiplier made of all heads' output (Gemma 2, Granite)."""
    name = "d[{column}]"
    if np.allclose(head.added, head.factor * head.attention_output, atol=ADDED):
        written = NamedTerm(name=f"{head.factor:g} · o[{{column}}]", values=head.added)
        return SumOfTerms(name=name, values=head.added, terms=(written,))
    if head.added_norm is None or head.factor != 1:
        return Vector(name=name, values=head.added, is_known=False)
    normed = Vector(name="o[{column}]", values=head.attention_output)
    return NormedVector(name=name, values=head.added, norm=head.added_norm, letter="o", input=normed)
