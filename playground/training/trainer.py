"""Training as an iterator: one optimiser step for each `next`.

The random stream of a step is derived from the seed and the step's number alone, so a run that is stopped
and resumed sees the very same batches as one that was not.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from playground.errors import UserError
from playground.tasks.task import Batch, Task
from playground.training.config import TrainConfig
from playground.training.objective import loss_of
from playground.training.schedule import learning_rate
from playground.transformer import Transformer


@dataclass(kw_only=True)
class TrainingState:
    """What a run holds between two steps: the model, the optimiser, how many steps are done, how many tokens seen.

    rate_factor multiplies the schedule's learning rate: a person may change it between two steps.
    """

    model: Transformer
    optimizer: torch.optim.Optimizer
    step: int = 0
    tokens: int = 0
    rate_factor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one step reports. Losses in nats; `evaluation` is None except where the held-out text was read."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    evaluation: dict[str, float] | None


def start_state(config: TrainConfig) -> TrainingState:
    """A fresh model and optimiser, decided by the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = Transformer(config.model)
    return TrainingState(model=model, optimizer=make_optimizer(config, model))


def make_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    """AdamW that decays matrices and leaves vectors (norms and biases) alone. Loshchilov and Hutter 2019."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)


def train(config: TrainConfig, task: Task, *, state: TrainingState | None = None) -> Iterator[Step]:
    """Yield one Step per optimiser step until config.steps are done; `state` is where to go on from.

    Raises UserError for a task that the model does not fit, and when the loss is no longer a finite number.
    """
    task.check_fits(config.model)
    state = start_state(config) if state is None else state
    while state.step < config.steps:
        yield _advance(config, task, state)


def _advance(config: TrainConfig, task: Task, state: TrainingState) -> Step:
    """Take one step and report it."""
    step = state.step + 1
    rate = learning_rate(config, step) * state.rate_factor
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    generator = np.random.default_rng((config.seed, step))
    batch = task.batch(generator, rows=config.batch, length=config.model.context, step=step)
    loss, norm = _update(state, batch, config.clip)
    if not math.isfinite(loss):
        raise UserError(f"The loss of step {step} is not a finite number; train anew with a lower learning rate.")
    state.step = step
    state.tokens += tokens_in(batch)
    due = step % config.evaluate_every == 0 or step == config.steps
    return Step(
        step=step,
        loss=loss,
        learning_rate=rate,
        gradient_norm=norm,
        tokens=state.tokens,
        evaluation=task.evaluate(state.model, rows=config.evaluate_rows, length=config.model.context) if due else None,
    )


def tokens_in(batch: Batch) -> int:
    """How many tokens the model reads in a batch, padding included."""
    return batch.ids.numel() + (0 if batch.target_ids is None else batch.target_ids.numel())


def _update(state: TrainingState, batch: Batch, clip: float) -> tuple[float, float]:
    """One backward pass and one optimiser step; returns the loss and the gradient's norm before clipping."""
    state.optimizer.zero_grad(set_to_none=True)
    loss = loss_of(state.model, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), clip)
    state.optimizer.step()
    return float(loss.detach()), float(norm)
