"""Fine-tuning as an iterator: one optimiser step for each `next`, as in `train`."""

from collections.abc import Iterator

from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.trainer import Step, TrainingState, start_state, train


def finetune(config: FinetuneConfig, *, state: TrainingState | None = None) -> Iterator[Step]:
    """Yield one Step per optimiser step until config.steps are done, from `state` if it is given.

    Nothing is written; `playground.training.run.folder.run` does the same into a folder. Raises UserError for a base or
    texts that cannot be read, and when the loss is no longer a finite number.
    """
    task = config.prepare_task()
    return train(config, task, state=start_state(config, task) if state is None else state)
