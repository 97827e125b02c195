"""Training as an iterator, and a run as a folder.

config.py       TrainConfig: task, model, optimiser, schedule in one frozen record
presets.py      runs to start with
trainer.py      train(config, task) -> Iterator[Step]; the device of a run
optimizers.py   AdamW, SGD, Muon; the learning-rate schedule
objective.py    the loss
lr_finder.py    learning-rate range test
estimate.py     the cost of a run: parameters, compute, memory, time
sizes.py        parameters, FLOPs and activations of a shape, by counting
throughput.py   how fast this machine trains
residual_study.py  runs with and without residual connections and norms
lora.py         LoRA by hand: a narrow detour beside a matrix
finetune/       a model learns on, all of it or a part
run/            a run on disk
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.training.config import TrainConfig
    from playground.training.trainer import Step, train

__all__ = ["Step", "TrainConfig", "train"]


def __getattr__(name: str) -> Any:
    """Import torch only when somebody trains: who reads a run folder does not need it."""
    if name == "TrainConfig":
        from playground.training.config import TrainConfig

        return TrainConfig
    if name in ("Step", "train"):
        from playground.training import trainer

        return getattr(trainer, name)
    raise AttributeError(f"module 'playground.training' has no attribute {name!r}")
