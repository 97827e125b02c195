"""Training as an iterator, and a run as a folder.

config.py      TrainConfig: task, model, optimiser, schedule, limits, all in one frozen record
schedule.py    the learning rate of each step
optimizers.py  AdamW, SGD, Muon;  device.py  where a run computes;  objective.py  what is minimised
trainer.py     train(config, task) -> Iterator[Step]
finder.py      a learning rate by trying
estimate.py    what a run will cost;  sizes.py  by counting;  calibration.py  how fast this machine is
run_folder.py  training into a folder and going on from it: snapshots.py, film.py, recording.py, status.py, control.py
layout.py      what lies where in a run folder
runs.py        reading runs while they grow, without torch;  deleting.py, forks.py, zip_run.py
command.py     `python -m playground train`;  options.py  its options, made of the config records
export.py      a run as a model folder, ours or transformers' (hub_format.py)
card.py        what an exported model learnt and does;  heads.py  what its heads do
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
