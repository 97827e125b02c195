"""Fine-tuning: a model learns on, all of it or a part, as a run like any other.

finetune_config.py  FinetuneConfig: base, task, what is trained, steps and rates in one frozen record
trained_parts.py    head, last layers, LoRA, biases, everything: which parameters learn
base.py             the base opened for training; a run's state, of which only the trained part is kept
finetuning.py       finetune(config) -> Iterator[Step]
cost.py             parameters, memory and time before the start
pace.py             one step and one reading, timed here
peft_format.py      adapters in the files of the library peft
result.py           what it leaves: adapter, whole model, or only what was trained
result_card.py      the card of each
sweeps.py           the same over LoRA's rank, or over the number of labels
example.py          the run that ships
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.training.finetune.finetune_config import FinetuneConfig
    from playground.training.finetune.finetuning import finetune
    from playground.training.finetune.trained_parts import TrainedParts

__all__ = ["FinetuneConfig", "TrainedParts", "finetune"]


def __getattr__(name: str) -> Any:
    """Import torch only when somebody fine-tunes."""
    if name == "FinetuneConfig":
        from playground.training.finetune.finetune_config import FinetuneConfig

        return FinetuneConfig
    if name == "TrainedParts":
        from playground.training.finetune.trained_parts import TrainedParts

        return TrainedParts
    if name == "finetune":
        from playground.training.finetune.finetuning import finetune

        return finetune
    raise AttributeError(f"module 'playground.training.finetune' has no attribute {name!r}")
