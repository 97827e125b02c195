"""Training as an iterator, and a run as a folder.

config.py      TrainConfig: task, model, optimiser, schedule, limits, all in one frozen record
schedule.py    the learning rate of each step
trainer.py     train(config, task) -> Iterator[Step]
run_folder.py  config, metrics, samples and snapshots on disk; resuming; export to a model folder
"""

from playground.training.config import TrainConfig
from playground.training.trainer import Step, train

__all__ = ["Step", "TrainConfig", "train"]
