"""The pictures on the Train page's cards: train every preset and keep a small map and its curves.

    python -m benchmarks.preset_pictures FOLDER [PRESET ...]

The runs stay in the folder, and a finished one is not trained again. Writes assets/presets.json; a quarter of an hour.
Where presets are named, the others keep the pictures that they have.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from playground.training.presets import PRESETS
from playground.training.run.film import Frame, alignment_scores, read_frames, read_probe
from playground.training.run.folder import run
from playground.training.run.metrics import Metrics, read_metrics

TARGET = Path(__file__).resolve().parents[1] / "assets" / "presets.json"
CELLS = 24
"""The most cells on a side of a map; longer texts are pooled by their maximum."""
POINTS = 40
LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""A cell's weight: the square root, in 36 levels."""
MAPS = {"induction": ("decoder", "induction"), "reverse": ("cross", "alignment"), "translation": ("cross", "alignment")}
"""The kind of attention, and the score by which its best head is chosen."""
CURVES = {
    "induction": ("induction_score",),
    "reverse": ("exact_match",),
    "translation": ("exact_match",),
    "addition": ("token_accuracy", "exact_match"),
    "grokking": ("train_accuracy", "test_accuracy"),
    "tales": ("held_out_loss", "loss_floor"),
    "masked": ("masked_accuracy",),
    "classification": ("accuracy",),
    "documentation": ("held_out_loss",),
    "own-text": ("held_out_loss",),
    "speedrun": ("held_out_loss",),
    "no-residuals": ("held_out_loss",),
}


def main() -> None:
    """Train what is missing in the folder, and write the pictures."""
    root = Path(sys.argv[1])
    names = sys.argv[2:] or list(PRESETS)
    known: dict[str, Any] = json.loads(TARGET.read_text(encoding="utf-8")) if sys.argv[2:] else {}
    for name in names:
        make = PRESETS[name]
        folder = root / f"preset-{name}"
        for step in run(make(), folder):
            if step.step % 100 == 0:
                print(name, step.step, round(step.loss, 3), flush=True)
        known[name] = picture_of(name, folder)
    pictures = {name: known[name] for name in PRESETS if name in known}
    TARGET.write_text(json.dumps(pictures, separators=(",", ":")) + "\n", encoding="utf-8")


def picture_of(name: str, folder: Path) -> dict[str, Any]:
    """A preset's curves, and the map of its best head where it has one to show."""
    metrics, _offset = read_metrics(folder)
    picture: dict[str, Any] = {"steps": PRESETS[name]().steps, "curves": curves_of(metrics, CURVES[name])}
    if name in MAPS:
        probe = read_probe(folder)
        picture["map"] = map_of(read_frames(folder)[-1], *MAPS[name], probe.alignment if probe else ())
    return picture


def curves_of(metrics: Metrics, names: tuple[str, ...]) -> dict[str, list[list[float]]]:
    """Each measure as points (step, value), thinned evenly."""
    steps = metrics.evaluation_steps
    kept = np.unique(np.linspace(0, len(steps) - 1, POINTS).round().astype(int))
    return {
        name: [[int(steps[index]), round(float(metrics.evaluations[name][index]), 4)] for index in kept]
        for name in names
    }


def map_of(frame: Frame, kind: str, score: str, alignment: tuple[tuple[int, int], ...]) -> list[str]:
    """The best head's map, a string of levels for each query."""
    maps = frame.maps[kind]
    table = alignment_scores(maps, alignment) if score == "alignment" else frame.scores[kind][score]
    layer, head = np.unravel_index(int(np.nanargmax(table)), table.shape)
    codes = pooled(pooled(maps[layer, head], 0), 1)
    levels = (codes.astype(float) / 255 * (len(LEVELS) - 1)).round().astype(int)
    return ["".join(LEVELS[level] for level in row) for row in levels]


def pooled(codes: np.ndarray, axis: int) -> np.ndarray:
    """Maxima over blocks of an axis."""
    count = codes.shape[axis]
    if count <= CELLS:
        return codes
    blocks: np.ndarray = np.maximum.reduceat(codes, [cell * count // CELLS for cell in range(CELLS)], axis=axis)
    return blocks


if __name__ == "__main__":
    main()
