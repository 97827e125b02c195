"""Training as an iterator: one optimiser step for each `next`.

Every random stream is derived from the seed, the step's number and the part of the step alone, so a run that is
stopped and resumed sees the very same batches and drops the very same units as one that was not.
"""

import copy
import json
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.tasks.task import Batch, Task
from playground.text import N_
from playground.training.config import DeviceName, RunSettings
from playground.training.objective import loss_of
from playground.training.optimizers import learning_rate
from playground.transformer import Transformer

Built = TypeVar("Built")


@dataclass(kw_only=True)
class TrainingState:
    """The state of a run between two steps."""

    model: Transformer
    """In evaluation mode between steps."""
    optimizer: torch.optim.Optimizer
    step: int = 0
    """Steps done."""
    tokens: int = 0
    """Tokens read."""
    rate_factor: float = 1.0
    """Multiplies the schedule's learning rate; may change between two steps."""

    def weights(self) -> dict[str, Tensor]:
        """The weights that a checkpoint keeps, by name; shared ones (a tied head) once."""
        return model_tensors(self.model)

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Take a checkpoint's weights. Raises ValueError or RuntimeError for those of another model."""
        if weights.keys() != self.weights().keys():
            raise ValueError("other weights")
        self.model.load_state_dict(weights, strict=False)

    @property
    def weights_file(self) -> str:
        """The name of the file that holds them in a checkpoint."""
        return "model.safetensors"

    def describe(self, tokenizer: Any) -> dict[str, str]:
        """What `load` needs beside the weights, by the file's name: the model's configuration and its tokenizer."""
        config = json.dumps(self.model.config.to_dict(), indent=2, ensure_ascii=False) + "\n"
        return {"config.json": config, "tokenizer.json": tokenizer.to_str()}


@dataclass(frozen=True, kw_only=True)
class Step:
    """The report of one step."""

    step: int
    loss: float
    """In nats per token."""
    learning_rate: float
    gradient_norm: float
    """Over all parameters, before clipping."""
    tokens: int
    """Of all steps so far."""
    evaluation: dict[str, float] | None
    """The task's measures on held-out data, at the steps that evaluate."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """The loss of one optimiser step in nats, and the gradient's norm before clipping."""

    loss: float
    gradient_norm: float


def start_state(config: RunSettings, task: Task | None = None) -> TrainingState:
    """The state before the first step, decided by the seed. Raises UserError for a device that is not there.

    task: whose labels a fine-tuning's new head has; read again where it is not given.
    """
    return config.start(choose_device(config), task)


def seeded(seed: int, build: Callable[[], Built]) -> Built:
    """What `build` makes of the random numbers of a seed; the process's own stream stays where it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The weights by name, shared ones (a tied head) once."""
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            tensors[name] = tensor.contiguous()
    return tensors


def train(config: RunSettings, task: Task, *, state: TrainingState | None = None) -> Iterator[Step]:
    """Yield one Step per optimiser step until config.steps are done, from `state` if it is given.

    Raises UserError for a task that the model does not fit, and when the loss is no longer a finite number.
    """
    config.check_task(task)
    state = start_state(config, task) if state is None else state
    while state.step < config.steps:
        yield _train_step(config, task, state)


def _train_step(config: RunSettings, task: Task, state: TrainingState) -> Step:
    """Take one step and report it."""
    step = state.step + 1
    rate = learning_rate(config, step) * state.rate_factor
    update = take_step(config, task, state, rate=rate)
    due = step % config.evaluate_every == 0 or step == config.steps
    return Step(
        step=step,
        loss=update.loss,
        learning_rate=rate,
        gradient_norm=update.gradient_norm,
        tokens=state.tokens,
        evaluation=evaluate_state(config, task, state) if due else None,
    )


def evaluate_state(config: RunSettings, task: Task, state: TrainingState) -> dict[str, float]:
    """The task's measures of the model as it is now, on held-out data."""
    return task.evaluate(model_at_rest(state), rows=config.evaluate_rows, length=config.row_length)


def model_at_rest(state: TrainingState) -> Transformer:
    """The model for evaluation, samples and film: on the CPU, without dropout; a copy if it trains elsewhere."""
    return state.model if device_of(state.model).type == "cpu" else copy.deepcopy(state.model).cpu()


def take_step(config: RunSettings, task: Task, state: TrainingState, *, rate: float) -> Update:
    """One optimiser step at a learning rate, on the batches of the state's next step.

    Raises UserError where loss or gradient is no finite number; the state is then still that of the step before.
    """
    step = state.step + 1
    parameters = list(state.model.parameters())
    for parameter in parameters:
        parameter.grad = None
    batches = _batches(config, task, state.model, step)
    loss = _accumulate(config, state.model, batches, step)
    norm = gradient_norm(parameters)
    if not math.isfinite(loss) or not math.isfinite(norm):
        if not math.isfinite(loss):
            template = N_("The loss of step {step} is not a finite number; train again with a lower learning rate.")
        else:
            template = N_("The gradient of step {step} is not a finite number; train again with a lower learning rate.")
        raise UserError(template, step=step)
    if norm > config.clip:
        torch._foreach_mul_([p.grad for p in parameters if p.grad is not None], config.clip / (norm + 1e-6))
    for group in state.optimizer.param_groups:
        group["lr"] = rate * group["rate_share"]
    state.optimizer.step()
    state.step = step
    state.tokens += sum(tokens_in(batch) for batch in batches)
    return Update(loss=loss, gradient_norm=norm)


def _batches(config: RunSettings, task: Task, model: Transformer, step: int) -> list[Batch]:
    """The batches of a step, each from its own random stream, on the model's device."""
    # The stream depends on seed, step and batch alone: a resumed run sees the same batches.
    first = np.random.SeedSequence((config.seed, step))
    streams = [np.random.default_rng(seed) for seed in (first, *first.spawn(config.accumulation - 1))]
    batches = [task.batch(stream, rows=config.batch, length=config.row_length, step=step) for stream in streams]
    return [_to_device(batch, device_of(model)) for batch in batches]


def _to_device(batch: Batch, device: torch.device) -> Batch:
    if device.type == "cpu":
        return batch
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    moved: dict[str, Any] = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
    return replace(batch, **moved)


def _accumulate(config: RunSettings, model: Transformer, batches: list[Batch], step: int) -> float:
    """Accumulate the mean gradient of the batches in the parameters; returns the mean loss."""
    losses = []
    with _dropout(config, model, step):
        for batch in batches:
            with _precision(config, device_of(model)):
                loss = loss_of(model, batch)
            (loss if len(batches) == 1 else loss / len(batches)).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
    return float(torch.stack(losses).mean()) if len(losses) > 1 else float(losses[0])


@contextmanager
def _train_mode(model: Transformer, seed: int) -> Iterator[None]:
    device = device_of(model)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model.train()
        try:
            yield
        finally:
            model.eval()


def _dropout(config: RunSettings, model: Transformer, step: int) -> AbstractContextManager[None]:
    """Training mode with a dropout mask decided by seed and step; nothing to do without dropout."""
    if not config.drops:
        return nullcontext()
    [seed] = np.random.SeedSequence((config.seed, step)).generate_state(1, np.uint64)
    return _train_mode(model, int(seed))


def _precision(config: RunSettings, device: torch.device) -> AbstractContextManager[object]:
    if config.precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def gradient_norm(parameters: list[torch.nn.Parameter]) -> float:
    """The norm of all gradients as one vector."""
    gradients: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients))


def tokens_in(batch: Batch) -> int:
    """How many tokens the model reads in a batch, padding included."""
    return batch.ids.numel() + (0 if batch.target_ids is None else batch.target_ids.numel())


def choose_device(config: RunSettings) -> torch.device:
    """The device that the config names; auto takes the fastest one.

    Raises UserError for a device that this machine lacks, and for bfloat16 on a CPU, where it only slows the run down.
    """
    device = torch.device(_fastest_device() if config.device == "auto" else config.device)
    if not _is_available(device.type):
        raise UserError("This machine has no {type} device; choose auto or cpu.", type=device.type)
    config.check_precision(device.type)
    return device


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's weights."""
    return next(model.parameters()).device


def _fastest_device() -> DeviceName:
    return next((name for name in ("cuda", "mps") if _is_available(name)), "cpu")


def _is_available(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    return kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available())
