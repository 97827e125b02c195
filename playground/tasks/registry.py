"""The tasks by name, and their configs as dictionaries."""

import dataclasses
from typing import Any

from playground.errors import UserError
from playground.tasks import addition, classification, induction, masked, modular, rewriting, text, translation
from playground.tasks.tales import tales_task
from playground.tasks.task import TaskConfig, TaskKind

TASKS: dict[str, TaskKind] = {
    kind.name: kind
    for kind in (
        text.KIND,
        tales_task.KIND,
        masked.KIND,
        classification.KIND,
        translation.KIND,
        induction.KIND,
        rewriting.KIND,
        addition.KIND,
        modular.KIND,
    )
}


def task_kind_of(config: TaskConfig) -> TaskKind:
    """The kind of task that a config belongs to."""
    return next(kind for kind in TASKS.values() if type(config) is kind.config)


def task_to_dict(config: TaskConfig) -> dict[str, Any]:
    """A task's config as saved in a run's config.json, with the task's name."""
    return {"name": task_kind_of(config).name, **dataclasses.asdict(config)}  # type: ignore[call-overload]


def task_from_dict(values: dict[str, Any]) -> TaskConfig:
    """The inverse of `task_to_dict`; lists become tuples. Raises UserError for an unknown task."""
    kind = TASKS.get(values["name"])
    if kind is None:
        raise UserError("There is no task {value!r}; choose {tasks}.", value=values["name"], tasks=", ".join(TASKS))
    rest = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    del rest["name"]
    config: TaskConfig = kind.config(**rest)
    return config
