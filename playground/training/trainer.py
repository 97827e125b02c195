"""Training as an iterator: one optimiser step for each `next`.

The random stream of a step is derived from the seed and the step's number alone, so a run that is stopped
and resumed sees the very same batches as one that was not.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.tasks.copying import LENGTH as COPYING_LENGTH
from playground.tasks.copying import copying_rows
from playground.tasks.text import TextTask, next_token_losses
from playground.training.config import TrainConfig
from playground.training.schedule import learning_rate
from playground.transformer import Transformer


@dataclass(kw_only=True)
class TrainingState:
    """What a run holds between two steps: the model, the optimiser and how many steps are done."""

    model: Transformer
    optimizer: torch.optim.Optimizer
    step: int = 0


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


def train(config: TrainConfig, task: TextTask, *, state: TrainingState | None = None) -> Iterator[Step]:
    """Yield one Step per optimiser step until config.steps are done; `state` is where to go on from.

    Raises UserError for a text that is shorter than one row, and when the loss is no longer a finite number.
    """
    task.check_fits(context=config.model.context, vocabulary=config.model.vocabulary)
    state = start_state(config) if state is None else state
    while state.step < config.steps:
        yield _advance(config, task, state)


def _advance(config: TrainConfig, task: TextTask, state: TrainingState) -> Step:
    """Take one step and report it."""
    step = state.step + 1
    rate = learning_rate(config, step)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    generator = np.random.default_rng((config.seed, step))
    loss, norm = _update(state, *_rows(config, task, step, generator), config.clip)
    if not math.isfinite(loss):
        raise UserError(f"The loss of step {step} is not a finite number; train anew with a lower learning rate.")
    state.step = step
    due = step % config.evaluate_every == 0 or step == config.steps
    return Step(
        step=step,
        loss=loss,
        learning_rate=rate,
        gradient_norm=norm,
        tokens=tokens_seen(config, step),
        evaluation=task.evaluate(state.model, config.model.context, config.evaluate_rows) if due else None,
    )


def _rows(
    config: TrainConfig, task: TextTask, step: int, generator: np.random.Generator
) -> tuple[Tensor, Tensor | None]:
    """What a step trains on, and which targets count (None: all)."""
    if step <= config.copying_steps:
        return copying_rows(config.model.vocabulary, config.copying_rows, generator, start=task.start)
    return task.batch(config.batch, config.model.context, generator), None


def tokens_seen(config: TrainConfig, step: int) -> int:
    """How many tokens the steps up to this one have trained on."""
    copying = min(step, config.copying_steps)
    return copying * config.copying_rows * COPYING_LENGTH + (step - copying) * config.batch * config.model.context


def _update(state: TrainingState, rows: Tensor, counted: Tensor | None, clip: float) -> tuple[float, float]:
    """One backward pass and one optimiser step; returns the loss and the gradient's norm before clipping."""
    state.optimizer.zero_grad(set_to_none=True)
    losses = next_token_losses(state.model, rows)
    loss = losses.mean() if counted is None else losses[counted.flatten()].mean()
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), clip)
    state.optimizer.step()
    return float(loss.detach()), float(norm)
