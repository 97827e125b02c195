"""What a forked run trained with before its own settings."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.training.config import TrainConfig
from playground.training.layout import CONFIG
from playground.training.runs import read_run


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """Settings, and the last step that was trained with them."""

    config: TrainConfig
    last_step: int


def earlier_chapters(run: Path) -> list[Chapter]:
    """The runs that this one goes back to, the oldest first; they are looked for beside it.

    Raises UserError where one of them is gone: nobody could then say what the weights were trained with.
    """
    chapters: list[Chapter] = []
    parent = read_run(run).parent
    while parent is not None:
        name, step = parent
        folder = run.parent / name
        try:
            values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"The run was forked from {name}, whose settings are not at {folder / CONFIG}; put that folder back."
            ) from error
        chapters.append(Chapter(config=TrainConfig.from_dict(values), last_step=step))
        parent = read_run(folder).parent
    return chapters[::-1]


def differences(before: TrainConfig, after: TrainConfig) -> dict[str, Any]:
    """The fields of `before`, its task's included, that are otherwise in `after`."""
    pairs = [(before, after), (before.task, after.task)]
    return {
        field.name: getattr(one, field.name)
        for one, other in pairs
        for field in dataclasses.fields(one)  # type: ignore[arg-type]
        if field.name not in ("task", "model") and getattr(one, field.name) != getattr(other, field.name, None)
    }
