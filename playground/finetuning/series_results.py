"""What the runs of a series have reached: the points of the label curve and of the rank sweep."""

from collections.abc import Callable, Sequence
from pathlib import Path

from playground.evaluation.resampling import Spread
from playground.evaluation.wilson import share_spread
from playground.finetuning.label_curve import LabelBaselines, LabelPoint, label_baselines
from playground.finetuning.low_rank_change import trained_numbers
from playground.finetuning.model_pair import ModelPair
from playground.finetuning.rank_sweep import RankPoint, rank_point
from playground.finetuning.weight_drift import model_drift
from playground.models.loading import LoadedModel, load
from playground.progress import OnProgress, no_progress
from playground.tasks.finetune.labels import LabelsConfig
from playground.tasks.finetune.rows import read_split
from playground.training.finetune.result import before_and_after
from playground.training.finetune.sweeps import SweepCell, finished_cells


def label_points(folders: Sequence[Path]) -> list[LabelPoint]:
    """A point for each finished run on labelled texts."""
    return [
        LabelPoint(
            start="scratch" if cell.config.from_scratch else "pretrained",
            labels=cell.config.task.labels,
            seed=cell.config.seed,
            right=cell.right,
            rows=int(cell.measures["held_out_rows"]),
        )
        for cell in finished_cells(folders)
        if isinstance(cell.config.task, LabelsConfig)
    ]


def text_baselines(folders: Sequence[Path], on_progress: OnProgress = no_progress) -> LabelBaselines:
    """TF-IDF and the most frequent label on the texts of the runs.

    Other seeds and random weights have the same texts: one run counts for each number of labels.
    """
    by_count = {len(split.train): split for split in map(read_split, folders)}
    return label_baselines(list(by_count.values()), on_progress)


def rank_points(
    folders: Sequence[Path], on_progress: OnProgress = no_progress, *, load: Callable[[str], LoadedModel] = load
) -> list[RankPoint]:
    """A point for each finished run with LoRA: its held-out score, and how far the weights moved."""
    points = []
    for done, folder in enumerate(folders):
        on_progress(done, len(folders))
        for cell in finished_cells([folder]):
            before, after = (load(name) for name in before_and_after(folder))
            drift = model_drift(ModelPair(before=before, after=after))
            points.append(rank_point(cell.config.parts.rank, trained_numbers(after.folder), _score(cell), drift))
    return points


def _score(cell: SweepCell) -> Spread:
    rows = int(cell.measures.get("held_out_rows", 0))
    if "accuracy" in cell.measures:
        return share_spread(cell.right, rows)
    loss = cell.measures["held_out_loss"]
    return Spread(value=loss, low=loss, high=loss, n=1)
