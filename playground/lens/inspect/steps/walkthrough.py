"""The steps of a head in their order, from the embedding to the residual stream, and the derivation of any number."""

from collections.abc import Callable, Sequence

from playground.errors import UserError
from playground.lens.inspect.steps.derivation import Derivation, Number
from playground.lens.inspect.steps.embedding import embedding_step
from playground.lens.inspect.steps.norm import norm_step
from playground.lens.inspect.steps.output import output_step, residual_step
from playground.lens.inspect.steps.projection import projection_step
from playground.lens.inspect.steps.rotation import rotation_step
from playground.lens.inspect.steps.scores import mask_step, scaling_step, scores_step
from playground.lens.inspect.steps.softmax import softmax_step
from playground.lens.inspect.steps.step import HeadStep, StepInputs
from playground.lens.inspect.steps.weighted_sum import weighted_sum_step

STEPS: tuple[Callable[[StepInputs], HeadStep | None], ...] = (
    embedding_step,
    norm_step,
    projection_step,
    rotation_step,
    scores_step,
    scaling_step,
    mask_step,
    softmax_step,
    weighted_sum_step,
    output_step,
    residual_step,
)


def walkthrough(inputs: StepInputs) -> tuple[HeadStep, ...]:
    """Every step that this head has: one without rotary positions has no rotation."""
    steps = (make(inputs) for make in STEPS)
    return tuple(step for step in steps if step is not None)


def derive(steps: Sequence[HeadStep], number: Number) -> Derivation:
    """How a listed number came about. Raises UserError for one that is not there."""
    tables = (table for step in steps for table in step.tables)
    for table in tables:
        cell = table.cell(number)
        if cell is not None:
            row, column = cell
            return table.rows[row].derive(column)
    raise UserError("There is no number {number} here; point at one and click it.", number=number.address)
