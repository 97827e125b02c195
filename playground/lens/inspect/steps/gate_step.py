"""The gate as a step: its argument, the multiplier, and the z that the output projection receives."""

from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import NamedTerm, Products, Vector
from playground.lens.inspect.steps.weighted_sum import z_vector
from playground.text import _

FORMULAS = {
    "sigmoid": r"m = \frac{1}{1 + e^{-g}}, \quad z' = m \odot z",
    "softplus": r"m = \ln(1 + e^{g}), \quad z' = m \odot z",
}


def gate_step(inputs: StepInputs) -> InsideStep | None:
    """g: the gate's argument, m: the multiplier, zg: z times it; None where nothing stands before the projection."""
    head = inputs.head
    if head.gate is None:
        return None
    rows = (
        Row(symbol="g", label="g", vector=Vector(name="g[{column}]", values=head.gate.arguments, is_known=False)),
        Row(symbol="m", label=_("multiplier"), vector=Vector(name="m[{column}]", values=head.gate.values)),
        Row(symbol="zg", label="z′", vector=gated_vector(head)),
    )
    return InsideStep(
        name="gate",
        title=_("Gate"),
        formula=FORMULAS[head.gate.function],
        explanation=_("This family multiplies z by a gate, which a matrix of its own makes of the layer's input."),
        tables=(StepTable(label=_("Gate and gated z"), rows=rows, role="value", shows_numbers=True),),
        code=(),
    )


def gated_vector(head: HeadInside) -> Vector:
    """What the output projection receives of the head: z, or z times the gate."""
    if head.gate is None:
        return z_vector(head.attention)
    left = NamedTerm(name="m[{column}]", values=head.gate.values)
    right = NamedTerm(name="z[{column}]", values=head.attention.z)
    return Products(name="z′[{column}]", values=head.received, left=left, right=right)
