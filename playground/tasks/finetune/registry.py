"""What a model can be fine-tuned on, by name."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.errors import UserError
from playground.models.adapters.finetuned import ONE_STACK
from playground.models.catalogue import Kind
from playground.tasks.finetune.labels import LabelsConfig, encode_labels, read_labels
from playground.tasks.finetune.next_token import NEEDS_DECODER
from playground.tasks.finetune.pairs import NEEDS_BOTH, PairsConfig, encode_pairs, read_pairs
from playground.tasks.finetune.passages import PassagesConfig, encode_passages, read_passages
from playground.tasks.finetune.prompts import PromptsConfig, encode_prompts, read_prompts
from playground.tasks.finetune.reader import Reader
from playground.tasks.finetune.rows import SplitRows
from playground.tasks.task import Task

FinetuneTaskConfig = LabelsConfig | PassagesConfig | PromptsConfig | PairsConfig


@dataclass(frozen=True, kw_only=True)
class FinetuneTaskKind:
    """A task by name."""

    name: str
    config: type[Any]
    """The class of its config."""
    read: Callable[[Any], SplitRows]
    """Reads its sources."""
    encode: Callable[[SplitRows, Reader, int], Task]
    """Encodes them for a base, rows of at most so many tokens."""
    right: str
    """What counts as right, in one sentence."""
    takes: tuple[Kind, ...]
    """The kinds of models that can learn it."""
    refusal: str
    """What is said of another kind, as `UserError` takes it."""


FINETUNE_TASKS: dict[str, FinetuneTaskKind] = {
    kind.name: kind
    for kind in (
        FinetuneTaskKind(
            name="labels",
            config=LabelsConfig,
            read=read_labels,
            encode=encode_labels,
            right="The label of the text.",
            takes=("encoder", "decoder"),
            refusal=ONE_STACK,
        ),
        FinetuneTaskKind(
            name="passages",
            config=PassagesConfig,
            read=read_passages,
            encode=encode_passages,
            right="The token that stands next in the text.",
            takes=("decoder",),
            refusal=NEEDS_DECODER,
        ),
        FinetuneTaskKind(
            name="prompts",
            config=PromptsConfig,
            read=read_prompts,
            encode=encode_prompts,
            right="The next token of the answer; the prompt does not count.",
            takes=("decoder",),
            refusal=NEEDS_DECODER,
        ),
        FinetuneTaskKind(
            name="pairs",
            config=PairsConfig,
            read=read_pairs,
            encode=encode_pairs,
            right="The reference, by BLEU.",
            takes=("encoder-decoder",),
            refusal=NEEDS_BOTH,
        ),
    )
}


def finetune_kind_of(config: FinetuneTaskConfig) -> FinetuneTaskKind:
    """The kind of task that a config belongs to."""
    return next(kind for kind in FINETUNE_TASKS.values() if type(config) is kind.config)


def finetune_task_to_dict(config: FinetuneTaskConfig) -> dict[str, Any]:
    """A task's config as saved in a run's config.json, with the task's name."""
    return {"name": finetune_kind_of(config).name, **dataclasses.asdict(config)}


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
