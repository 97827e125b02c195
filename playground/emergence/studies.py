"""Which runs are compared: sizes, seeds, steps. Each run takes between seconds and two minutes on one core."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playground.errors import UserError
from playground.tasks.addition import AdditionConfig
from playground.tasks.induction import InductionConfig
from playground.tasks.modular import ModularConfig
from playground.tasks.task import TaskConfig
from playground.tasks.translation import TranslationConfig
from playground.training.config import TrainConfig
from playground.training.presets import config_for, grokking, induction_heads

StudyName = Literal["addition", "translation", "induction", "grokking"]
ADDITION_WIDTHS = (8, 12, 16, 24, 32, 48)
TRANSLATION_WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64)
WIDEST_HEAD = 16
TUNED_WIDTH = 64
"""The learning rates are those that this width learns well with; a narrower model takes larger steps."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a study by name."""

    name: str
    config: TrainConfig


@dataclass(frozen=True, kw_only=True)
class Study:
    """Runs that are compared. live: the name of the run that is trained where somebody wants to see it happen."""

    name: StudyName
    cells: tuple[Cell, ...]
    live: str

    def cell(self, name: str) -> Cell:
        """The run of that name. Raises UserError where there is none."""
        for cell in self.cells:
            if cell.name == name:
                return cell
        raise UserError(
            "The study {name} has no run {name_2!r}; choose {cells}.",
            name=self.name,
            name_2=name,
            cells=", ".join(c.name for c in self.cells),
        )


def addition() -> Study:
    """Sums of numbers with three digits, learnt by decoders of six widths."""
    cells = tuple(Cell(name=f"addition-{width}", config=addition_config(width)) for width in ADDITION_WIDTHS)
    return Study(name="addition", cells=cells, live="addition-32")


def addition_config(width: int, seed: int = 0) -> TrainConfig:
    """A decoder of two layers that learns to add."""
    shape = {"width": width, "layers": 2, "heads": heads_of(width), "positions": "learned"}
    return config_for(
        AdditionConfig(digits=3),
        shape=shape,
        steps=1500,
        batch=64,
        learning_rate=rate_of(4e-3, width),
        warm_up=100,
        evaluate_every=250,
        evaluate_rows=256,
        snapshot_every=50,
        frames=0,
        seed=seed,
    )


def translation() -> Study:
    """English sentences into French and Chinese, learnt by encoder-decoders of eight widths."""
    cells = tuple(Cell(name=f"translation-{width}", config=translation_config(width)) for width in TRANSLATION_WIDTHS)
    return Study(name="translation", cells=cells, live="translation-32")


def translation_config(width: int, seed: int = 0) -> TrainConfig:
    """An encoder-decoder of one layer each that learns to translate."""
    shape = {"width": width, "layers": 1, "heads": heads_of(width), "feed_forward": "gelu", "norm": "layer"}
    return config_for(
        TranslationConfig(),
        shape={**shape, "positions": "learned", "bias": True},
        steps=600,
        batch=64,
        learning_rate=rate_of(3e-3, width),
        warm_up=60,
        evaluate_every=200,
        evaluate_rows=64,
        snapshot_every=20,
        frames=0,
        seed=seed,
    )


def induction() -> Study:
    """Attention-only decoders of two layers, which form induction heads, and of one, which cannot."""
    base = dataclasses.replace(induction_heads(), steps=600, evaluate_every=100, snapshot_every=10, frames=0)
    one = dataclasses.replace(base, model=dataclasses.replace(base.model, layers=1))
    cells = (Cell(name="two-layers", config=base), Cell(name="one-layer", config=one))
    return Study(name="induction", cells=cells, live="two-layers")


def grokking_study() -> Study:
    """Addition modulo 53 under weight decay, and without it."""
    base = dataclasses.replace(grokking(), evaluate_every=250, snapshot_every=25, frames=0)
    without = dataclasses.replace(base, weight_decay=0.0)
    cells = (Cell(name="with-decay", config=base), Cell(name="without-decay", config=without))
    return Study(name="grokking", cells=cells, live="with-decay")


def heads_of(width: int) -> int:
    """As many heads as a width is given: of width 8 or 16 where it divides, and at most four."""
    return max(1, min(4, width // 8))


def rate_of(rate: float, width: int) -> float:
    """The learning rate of a width: it falls with the square root of the width, and is kept to two digits."""
    return float(f"{rate * (TUNED_WIDTH / width) ** 0.5:.2g}")


STUDIES: dict[StudyName, Callable[[], Study]] = {
    "addition": addition,
    "translation": translation,
    "induction": induction,
    "grokking": grokking_study,
}


def study_of(name: str) -> Study:
    """The study of that name. Raises UserError where there is none."""
    for known, make in STUDIES.items():
        if known == name:
            return make()
    raise UserError("There is no study {name!r}; choose {studies}.", name=name, studies=", ".join(STUDIES))


def study_for(task: TaskConfig) -> StudyName:
    """The study whose measures a task's runs are read with. Raises UserError for a task that has none."""
    by_task: dict[type, StudyName] = {
        AdditionConfig: "addition",
        TranslationConfig: "translation",
        InductionConfig: "induction",
        ModularConfig: "grokking",
    }
    if type(task) not in by_task:
        raise UserError("Only addition, translation, induction and modular addition are measured here.")
    return by_task[type(task)]
