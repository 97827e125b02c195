"""Training as an iterator, and a run as a folder.

config.py      TrainConfig: task, model, optimiser, schedule, limits, all in one frozen record
schedule.py    the learning rate of each step
optimizers.py  AdamW, SGD, Muon;  device.py  where a run computes;  objective.py  what is minimised
trainer.py     train(config, task) -> Iterator[Step]
finder.py      a learning rate by trying
estimate.py    what a run will cost;  sizes.py  by counting;  calibration.py  how fast this machine is
run_folder.py  config, metrics, samples and snapshots on disk; resuming
command.py     `python -m playground train`;  options.py  its options, made of the config records
export.py      a run as a model folder, ours or transformers' (hub_format.py)
card.py        what an exported model learnt and does;  heads.py  what its heads do
"""

from playground.training.config import TrainConfig
from playground.training.trainer import Step, train

__all__ = ["Step", "TrainConfig", "train"]
