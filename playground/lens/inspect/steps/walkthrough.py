"""The steps in their order, from the embedding to the probabilities, and the derivation of any number."""

from collections.abc import Callable, Sequence

from playground.errors import UserError
from playground.lens.inspect.steps.derivation import Derivation, Number
from playground.lens.inspect.steps.embedding import embedding_step
from playground.lens.inspect.steps.feed_forward_norm import feed_forward_norm_step
from playground.lens.inspect.steps.feed_forward_residual import feed_forward_residual_step
from playground.lens.inspect.steps.feed_forward_rows import activation_step, down_step, up_step
from playground.lens.inspect.steps.gate_step import gate_step
from playground.lens.inspect.steps.mixture_step import router_step
from playground.lens.inspect.steps.neuron_step import neurons_step
from playground.lens.inspect.steps.norm import norm_step
from playground.lens.inspect.steps.output import output_step, residual_step
from playground.lens.inspect.steps.output_head_step import output_head_step
from playground.lens.inspect.steps.output_steps import final_norm_step, logit_step, probabilities_step
from playground.lens.inspect.steps.projection import projection_step
from playground.lens.inspect.steps.rotation import rotation_step
from playground.lens.inspect.steps.scores import mask_step, scaling_step, scores_step
from playground.lens.inspect.steps.softmax import softmax_step
from playground.lens.inspect.steps.step import InsideStep, StepInputs
from playground.lens.inspect.steps.stream_step import stream_step
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.weighted_sum import weighted_sum_step

STEPS: tuple[Callable[[StepInputs], InsideStep | None], ...] = (
    embedding_step,
    norm_step,
    projection_step,
    rotation_step,
    scores_step,
    scaling_step,
    mask_step,
    softmax_step,
    weighted_sum_step,
    gate_step,
    output_step,
    residual_step,
)


TOKEN_STEPS: tuple[Callable[[TokenInputs], InsideStep | None], ...] = (
    feed_forward_norm_step,
    router_step,
    up_step,
    activation_step,
    down_step,
    feed_forward_residual_step,
    neurons_step,
    stream_step,
    final_norm_step,
    output_head_step,
    logit_step,
    probabilities_step,
)


def token_walkthrough(inputs: TokenInputs) -> tuple[InsideStep, ...]:
    """Every step after attention that this model has, from the feed-forward layer to the probabilities."""
    steps = (make(inputs) for make in TOKEN_STEPS)
    return tuple(step for step in steps if step is not None)


def walkthrough(inputs: StepInputs) -> tuple[InsideStep, ...]:
    """Every step that this head has: one without rotary positions has no rotation."""
    steps = (make(inputs) for make in STEPS)
    return tuple(step for step in steps if step is not None)


def derive(steps: Sequence[InsideStep], number: Number) -> Derivation:
    """How a listed number came about. Raises UserError for one that is not there."""
    tables = (table for step in steps for table in step.tables)
    for table in tables:
        cell = table.cell(number)
        if cell is not None:
            row, column = cell
            return table.rows[row].derive(column)
    raise UserError("There is no number {number} here; point at one and click it.", number=number.address)
