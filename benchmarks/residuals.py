"""What residual connections and norms are for: the preset `no-residuals` with and without each, step by step.

    python -m benchmarks.residuals

Writes assets/residuals.json, which the page inside a head shows; some minutes.
"""

import dataclasses
import json
import platform
from pathlib import Path

import torch

from playground.tasks.registry import task_kind_of
from playground.training import train
from playground.training.presets import no_residuals

TARGET = Path(__file__).resolve().parents[1] / "assets" / "residuals.json"
VARIANTS = ((True, "rms"), (True, "none"), (False, "rms"), (False, "none"))
"""Residual connections, norm."""


def main() -> None:
    """Train the four, one after the other, on one thread."""
    torch.set_num_threads(1)
    base, runs = no_residuals(), []
    for residual, norm in VARIANTS:
        model = dataclasses.replace(base.model, residual=residual, norm=norm)  # type: ignore[arg-type]
        config = dataclasses.replace(base, model=model)
        losses = []
        for step in train(config, task_kind_of(config.task).prepare(config.task)):
            losses.append(round(step.loss, 4))
            if step.step % 50 == 0:
                print(residual, norm, step.step, losses[-1], flush=True)
        runs.append({"residual": residual, "norm": norm, "losses": losses})
    shape = {**base.model.to_dict(), "residual": None, "norm": None}
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    content = {"seed": base.seed, "steps": base.steps, "model": shape, "versions": versions, "runs": runs}
    TARGET.write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
