"""Which runs' validation losses can stand on one axis. Needs no torch."""

from collections.abc import Sequence
from typing import Any

from playground.training.run.runs import Run

TRAINING_ONLY = ("repeats", "copying_first", "copying_rows", "copying_beside", "labels")
"""Fields of a task that change what is trained on, not what is measured."""
MEASURED_BY_MODEL = ("kind", "vocabulary", "classes")
"""Fields of the model that decide what a loss counts: nats per token of this vocabulary, or per class."""
MEASURED_BY_BASE = ("base", "revision", "length")
"""Fields of a fine-tuning that do so: the base's tokenizer cuts the texts into tokens, `length` into rows."""
PER_TEXT = "labels"
"""The fine-tuning whose loss is in nats per text: no tokenizer changes what it counts."""


def loss_basis(config: dict[str, Any]) -> tuple[str, ...]:
    """What a validation loss is measured on; equal for two runs whose losses can be compared.

    A loss in nats per token is comparable only on the same data and vocabulary (Kaplan et al. 2020, section 2.3).
    Of two bases it is not known, without loading them, that they share a tokenizer.
    """
    task, model = config.get("task", {}), config.get("model", {})
    measured = [f"{name}={value}" for name, value in sorted(task.items()) if name not in TRAINING_ONLY]
    by_model = [f"{name}={model.get(name)}" for name in MEASURED_BY_MODEL]
    by_base = [] if task.get("name") == PER_TEXT else [f"{name}={config.get(name)}" for name in MEASURED_BY_BASE]
    return (*measured, *by_model, *by_base)


def split_comparable(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """The largest group of comparable runs (of equal ones the first), and those that are left out."""
    bases = [loss_basis(run.config) for run in runs]
    if not bases:
        return [], []
    shared = max(dict.fromkeys(bases), key=bases.count)
    kept = [run for run, basis in zip(runs, bases, strict=True) if basis == shared]
    return kept, [run for run in runs if run not in kept]
