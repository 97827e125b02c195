"""The runs of each study: sizes, seeds, steps. A run takes between seconds and two minutes on one core."""

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
"""Learning rates are tuned at this width; narrower models take larger ones (`learning_rate_for`)."""


@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """One run of a study."""

    name: str
    config: TrainConfig


@dataclass(frozen=True, kw_only=True)
class Study:
    """Runs that are compared."""

    name: StudyName
    runs: tuple[StudyRun, ...]
    live: str
    """Name of the run that the page offers to train live."""

    def run(self, name: str) -> StudyRun:
        """The run of that name. Raises UserError where there is none."""
        for study_run in self.runs:
            if study_run.name == name:
                return study_run
        raise UserError(
            "The study {study} has no run {name!r}; choose {runs}.",
            study=self.name,
            name=name,
            runs=", ".join(study_run.name for study_run in self.runs),
        )


def addition_study() -> Study:
    """Three-digit addition, learnt by decoders of six widths."""
    runs = tuple(StudyRun(name=f"addition-{width}", config=addition_config(width)) for width in ADDITION_WIDTHS)
    return Study(name="addition", runs=runs, live="addition-32")


def addition_config(width: int, seed: int = 0) -> TrainConfig:
    """Training of a two-layer decoder on addition."""
    shape = {"width": width, "layers": 2, "n_heads": n_heads_for(width), "positions": "learned"}
    return config_for(
        AdditionConfig(digits=3),
        shape=shape,
        steps=1500,
        batch=64,
        learning_rate=learning_rate_for(4e-3, width),
        warm_up=100,
        evaluate_every=250,
        evaluate_rows=256,
        checkpoint_every=50,
        frames=0,
        seed=seed,
    )


def translation_study() -> Study:
    """English to French and Chinese, learnt by encoder-decoders of eight widths."""
    runs = tuple(
        StudyRun(name=f"translation-{width}", config=translation_config(width)) for width in TRANSLATION_WIDTHS
    )
    return Study(name="translation", runs=runs, live="translation-32")


def translation_config(width: int, seed: int = 0) -> TrainConfig:
    """Training of an encoder-decoder, one layer each, on translation."""
    shape = {"width": width, "layers": 1, "n_heads": n_heads_for(width), "feed_forward": "gelu", "norm": "layer"}
    return config_for(
        TranslationConfig(),
        shape={**shape, "positions": "learned", "bias": True},
        steps=600,
        batch=64,
        learning_rate=learning_rate_for(3e-3, width),
        warm_up=60,
        evaluate_every=200,
        evaluate_rows=64,
        checkpoint_every=20,
        frames=0,
        seed=seed,
    )


def induction_study() -> Study:
    """Attention-only decoders: two layers form induction heads, one layer cannot."""
    base = dataclasses.replace(induction_heads(), steps=600, evaluate_every=100, checkpoint_every=10, frames=0)
    one_layer = dataclasses.replace(base, model=dataclasses.replace(base.model, layers=1))
    runs = (StudyRun(name="two-layers", config=base), StudyRun(name="one-layer", config=one_layer))
    return Study(name="induction", runs=runs, live="two-layers")


def grokking_study() -> Study:
    """Addition modulo 53 with weight decay, and without."""
    base = dataclasses.replace(grokking(), evaluate_every=250, checkpoint_every=25, frames=0)
    without = dataclasses.replace(base, weight_decay=0.0)
    runs = (StudyRun(name="with-decay", config=base), StudyRun(name="without-decay", config=without))
    return Study(name="grokking", runs=runs, live="with-decay")


def n_heads_for(width: int) -> int:
    """Number of heads for a width: one for every 8 dimensions, at least one and at most four."""
    return max(1, min(4, width // 8))


def learning_rate_for(rate: float, width: int) -> float:
    """Scale a learning rate tuned at TUNED_WIDTH with 1/sqrt(width), rounded to two digits."""
    return float(f"{rate * (TUNED_WIDTH / width) ** 0.5:.2g}")


STUDIES: dict[StudyName, Callable[[], Study]] = {
    "addition": addition_study,
    "translation": translation_study,
    "induction": induction_study,
    "grokking": grokking_study,
}


def study_of(name: str) -> Study:
    """Look up a study. Raises UserError where there is none of that name."""
    for known, study in STUDIES.items():
        if known == name:
            return study()
    raise UserError("There is no study {name!r}; choose {studies}.", name=name, studies=", ".join(STUDIES))


def study_for(task: TaskConfig) -> StudyName:
    """The study whose metrics apply to a task's runs. Raises UserError for a task that has none."""
    by_task: dict[type, StudyName] = {
        AdditionConfig: "addition",
        TranslationConfig: "translation",
        InductionConfig: "induction",
        ModularConfig: "grokking",
    }
    if type(task) not in by_task:
        raise UserError("Only addition, translation, induction and modular addition are measured here.")
    return by_task[type(task)]
