"""Several fine-tunings from one click: over LoRA's rank, or over the number of labels, pre-trained and from scratch."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from playground.errors import UserError
from playground.tasks.finetune.labels import LabelsConfig
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.result import final_measures
from playground.training.run.folder import read_run_config

RANKS = (1, 2, 4, 8, 16, 32, 64)
MOST_CELLS = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepCell:
    """One finished fine-tuning of a sweep."""

    config: FinetuneConfig
    measures: dict[str, float]
    """Of the last evaluation, with its step and seconds."""

    @property
    def right(self) -> int:
        """Held-out texts with the right label."""
        return round(self.measures["accuracy"] * self.measures["held_out_rows"])


def rank_configs(config: FinetuneConfig, ranks: Sequence[int] = RANKS) -> tuple[FinetuneConfig, ...]:
    """The same fine-tuning with LoRA of each rank; alpha keeps its ratio to the rank.

    Raises UserError for a fine-tuning without LoRA, and for ranks that are none.
    """
    if config.parts.method != "lora":
        raise UserError("Ranks are those of LoRA; choose it first.")
    ratio = config.parts.alpha / config.parts.rank
    return tuple(
        dataclasses.replace(config, parts=dataclasses.replace(config.parts, rank=rank, alpha=ratio * rank))
        for rank in dict.fromkeys(ranks)
    )


def label_configs(
    config: FinetuneConfig, counts: Sequence[int], seeds: Sequence[int] = (0,)
) -> tuple[FinetuneConfig, ...]:
    """The same fine-tuning on each number of labels, with the base's weights and with random ones, for each seed.

    Raises UserError for a task without labels, and for more than MOST_CELLS runs.
    """
    task = config.task
    if not isinstance(task, LabelsConfig):
        raise UserError("Labels are counted where texts are classified; choose such a task.")
    n = 2 * len(counts) * len(seeds)
    if n > MOST_CELLS:
        raise UserError("That would be {n} runs; at most {most} are started at once.", n=n, most=MOST_CELLS)
    return tuple(
        dataclasses.replace(config, task=dataclasses.replace(task, labels=labels), from_scratch=from_scratch, seed=seed)
        for from_scratch in (False, True)
        for labels in counts
        for seed in seeds
    )


def finished_cells(folders: Sequence[Path]) -> tuple[SweepCell, ...]:
    """The runs among these folders that have been trained to their last step."""
    cells = []
    for folder in folders:
        config = read_run_config(folder / "config.json")
        measures = final_measures(folder)
        if isinstance(config, FinetuneConfig) and measures.get("step") == config.steps:
            cells.append(SweepCell(config=config, measures=measures))
    return tuple(cells)
