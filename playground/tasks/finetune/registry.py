"""What a model can be fine-tuned on, by name."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.tasks.finetune.labels import LabelsConfig, prepare_labels, restore_labels
from playground.tasks.finetune.pairs import PairsConfig, prepare_pairs, restore_pairs
from playground.tasks.finetune.passages import PassagesConfig, prepare_passages, restore_passages
from playground.tasks.finetune.prompts import PromptsConfig, prepare_prompts, restore_prompts
from playground.tasks.finetune.reader import Reader
from playground.tasks.task import Task

FinetuneTaskConfig = LabelsConfig | PassagesConfig | PromptsConfig | PairsConfig


@dataclass(frozen=True, kw_only=True)
class FinetuneTaskKind:
    """A task by name."""

    name: str
    config: type[Any]
    """The class of its config."""
    prepare: Callable[[Any, Reader, int], Task]
    """Reads its sources and encodes them for a base, rows of at most so many tokens."""
    restore: Callable[[Any, Reader, Path, int], Task]
    """Reads what it saved in a run folder."""
    right: str
    """What counts as right, in one sentence."""


FINETUNE_TASKS: dict[str, FinetuneTaskKind] = {
    kind.name: kind
    for kind in (
        FinetuneTaskKind(
            name="labels",
            config=LabelsConfig,
            prepare=prepare_labels,
            restore=restore_labels,
            right="The label of the text.",
        ),
        FinetuneTaskKind(
            name="passages",
            config=PassagesConfig,
            prepare=prepare_passages,
            restore=restore_passages,
            right="The token that stands next in the text.",
        ),
        FinetuneTaskKind(
            name="prompts",
            config=PromptsConfig,
            prepare=prepare_prompts,
            restore=restore_prompts,
            right="The next token of the answer; the prompt does not count.",
        ),
        FinetuneTaskKind(
            name="pairs",
            config=PairsConfig,
            prepare=prepare_pairs,
            restore=restore_pairs,
            right="The reference, by BLEU.",
        ),
    )
}


def kind_of(config: FinetuneTaskConfig) -> FinetuneTaskKind:
    """The kind of task that a config belongs to."""
    return next(kind for kind in FINETUNE_TASKS.values() if type(config) is kind.config)


def finetune_task_to_dict(config: FinetuneTaskConfig) -> dict[str, Any]:
    """A task's config as saved in a run's config.json, with the task's name."""
    return {"name": kind_of(config).name, **dataclasses.asdict(config)}


def finetune_task_from_dict(values: dict[str, Any]) -> FinetuneTaskConfig:
    """The inverse of `finetune_task_to_dict`; lists become tuples. Raises UserError for an unknown task."""
    kind = FINETUNE_TASKS.get(values["name"])
    if kind is None:
        raise UserError(
            "There is no task {value!r}; choose {tasks}.", value=values["name"], tasks=", ".join(FINETUNE_TASKS)
        )
    rest = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    del rest["name"]
    config: FinetuneTaskConfig = kind.config(**rest)
    return config
