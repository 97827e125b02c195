"""Heads that answer about a text: labels of the whole text, labels of its tokens, or where an answer stands in it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playground.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

HeadTask = Literal["text", "token", "span"]
"""What is labelled: the whole text, each token, or the first and the last token of an answer."""
Scale = Literal["softmax", "sigmoid", "none"]
"""How logits become scores: one label of several, each label for itself, or a regression's values as they are."""
MOST_LABELS = 100_000
FOLLOWS, RANDOM = "follows", "random"
"""What a next-sentence head answers (Devlin et al. 2019, section 3.1)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelHead:
    """A head on top of a loaded model, which it shares with every other page."""

    task: HeadTask
    labels: tuple[str, ...]
    """One for each logit; start and end for a span."""
    scale: Scale
    answer: "Callable[[Tensor, Tensor], Tensor]"
    """ids and segments [row, token], of one length, to logits: [row, label] for a text, else [row, token, label]."""
    architecture: str
    """The class that it was loaded as."""
    untrained: tuple[str, ...] = ()
    """Its tensors that the checkpoint lacks: random numbers stand in for them."""
    needs_pair: bool = False
    """Whether it was trained on two texts, so that one alone asks it nothing."""

    @property
    def is_trained(self) -> bool:
        """Whether the checkpoint holds all of its weights."""
        return not self.untrained

    def check_label(self, label: int, position: int | None, n_tokens: int) -> None:
        """Raise UserError for a label or a token that is not there; a position is for heads that label tokens."""
        place = 0 if position is None else position
        is_there = 0 <= label < len(self.labels) and 0 <= place < n_tokens
        if not is_there or (self.task == "text") != (position is None):
            raise UserError(
                "Choose a label from 0 to {last_label}, and a token from 0 to {last} only where tokens are labelled.",
                last_label=len(self.labels) - 1,
                last=n_tokens - 1,
            )


def scale_of(problem_type: str | None, n_labels: int) -> Scale:
    """What transformers' text-classification pipeline applies to the logits.

    >>> scale_of(None, 3), scale_of(None, 1), scale_of("regression", 1)
    ('softmax', 'sigmoid', 'none')
    """
    if problem_type == "regression":
        return "none"
    return "sigmoid" if problem_type == "multi_label_classification" or n_labels == 1 else "softmax"


def labels_in(id2label: Any, n_labels: int) -> tuple[str, ...]:
    """The labels of a configuration, by number; one that it does not name is LABEL_n. Raises UserError for none.

    >>> labels_in({"0": "no", 1: "yes"}, 3)
    ('no', 'yes', 'LABEL_2')
    """
    if not 0 < n_labels <= MOST_LABELS:
        raise UserError(
            "The configuration states {n_labels:,} labels; a classifier has 1 to {most:,}.",
            n_labels=n_labels,
            most=MOST_LABELS,
        )
    named = {str(number): str(label) for number, label in id2label.items()} if isinstance(id2label, dict) else {}
    return tuple(named.get(str(number), f"LABEL_{number}") for number in range(n_labels))


def own_labels(folder: Path, config: dict[str, Any], n_labels: int) -> tuple[str, ...]:
    """The labels of a classifier of ours: those of its config.json, or else those of its training run.

    folder: the model's, which of a run's checkpoint lies two levels below the run's. `config`: the model's config.json.
    """
    stated = config.get("id2label")
    run = folder.parent.parent
    if not isinstance(stated, dict):
        names = _json_in(run / "classes.json").get("names")
        if not isinstance(names, list) and _task_of(run) == "masked":
            names = [FOLLOWS, RANDOM]
        stated = dict(enumerate(names)) if isinstance(names, list) else None
    return labels_in(stated, n_labels)


def is_next_sentence(labels: tuple[str, ...], segments: int) -> bool:
    """Whether a classifier of ours says whether a second text follows the first."""
    return segments > 1 and labels == (FOLLOWS, RANDOM)


def _task_of(run: Path) -> str:
    """The name of the task in a run's configuration."""
    task = _json_in(run / "config.json").get("task")
    return str(task.get("name", "")) if isinstance(task, dict) else str(task)


def _json_in(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def rows_at_once(length: int, most_tokens: int = 1024) -> int:
    """How many rows of a length are read in one pass.

    >>> rows_at_once(16), rows_at_once(2048), rows_at_once(9000)
    (64, 1, 1)
    """
    return max(1, min(64, math.floor(most_tokens / length)))
