"""A text, a task and a configuration small enough to train in a test."""

from pathlib import Path

from playground.tasks.text import TextTask, TextTaskConfig, prepare_text
from playground.training import TrainConfig
from playground.transformer import TransformerConfig

TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 30
SHAPE = {"vocabulary": 32, "context": 16, "width": 16, "layers": 1, "n_heads": 2, "hidden": 24}


def write_text(folder: Path, text: str = TEXT) -> Path:
    """The text as a file in the folder."""
    path = folder / "text.txt"
    path.write_text(text, encoding="utf-8")
    return path


def task_config(folder: Path, **changes) -> TextTaskConfig:
    """The task of that file, in characters."""
    given = {"sources": (str(write_text(folder)),), "vocabulary": "characters", "vocabulary_size": 32}
    return TextTaskConfig(**{**given, **changes})


def train_config(folder: Path, shape: dict | None = None, **changes) -> TrainConfig:
    """A run of six steps."""
    given = {"steps": 6, "batch": 2, "warm_up": 2, "evaluate_every": 3, "evaluate_rows": 2, "learning_rate": 0.01}
    model = TransformerConfig(**{**SHAPE, **(shape or {})})
    return TrainConfig(task=task_config(folder), model=model, **{**given, **changes})


def task_of(config: TrainConfig) -> TextTask:
    """The task of a configuration, prepared."""
    return prepare_text(config.task)
