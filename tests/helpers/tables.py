"""Tables and sweeps planted on a known law, for the scaling page to read. They are made in tests alone."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np

from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.results import CellResult, CurvePoint
from tests.helpers.planted_points import scattered
from tests.helpers.small_sweep import sweep_config

SMALL_LAW = {"E": 2.0, "A": 20.0, "B": 60.0, "alpha": 0.4, "beta": 0.5}


def table_of(points: Points) -> str:
    """Points as somebody would bring them."""
    lines = ["run,params,tokens,loss"]
    rows = zip(points.params.tolist(), points.tokens.tolist(), points.loss.tolist(), strict=True)
    lines += [f"run {number},{n:.0f},{d:.0f},{loss:.6f}" for number, (n, d, loss) in enumerate(rows)]
    return "\n".join(lines) + "\n"


def noisy_table(count: int = 40) -> str:
    """Forty runs around the replication's law, half a percent off."""
    return table_of(scattered(count=count, noise=0.005))


def planted_grid() -> Points:
    """Ten sizes on seven token budgets each, no three of one compute, on the replication's law."""
    params, tokens = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e10, 10), np.geomspace(2e8, 3e11, 7)))
    loss = LAWS["chinchilla"].predict(BESIROGLU.parameters, params=params, tokens=tokens)
    return Points(params=params, tokens=tokens, loss=loss)


def wide_sweep() -> SweepConfig:
    """Enough sizes and budgets to fit Chinchilla's law."""
    return sweep_config(sizes=((8, 1), (16, 1), (24, 2), (32, 2)), tokens=(512, 1024, 2048, 4096))


def plant_sweep(folder: Path, config: SweepConfig | None = None) -> None:
    """A sweep's folder as it looks when all its cells are done, with losses of a known law instead of trained ones."""
    config = config or wide_sweep()
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_text(json.dumps(config.to_dict()))
    points, curves = [], []
    for cell in cells(config):
        steps = [cell.config.steps // 2, cell.config.steps]
        each = cell.tokens // cell.config.steps
        losses = LAWS["chinchilla"].predict(SMALL_LAW, params=[cell.parameters] * 2, tokens=[s * each for s in steps])
        curves += [
            CurvePoint(run=cell.name, step=step, tokens=step * each, loss=float(loss))
            for step, loss in zip(steps, losses, strict=True)
        ]
        points.append(
            CellResult(
                run=cell.name,
                params=cell.parameters,
                params_without_embeddings=cell.parameters_without_embeddings,
                tokens=cell.tokens,
                flops=cell.flops,
                loss=float(losses[-1]),
                seed=cell.config.seed,
                width=cell.config.model.width,
                layers=cell.config.model.layers,
                learning_rate=cell.config.learning_rate,
                floor=1.0,
            )
        )
    _write(folder / "points.csv", points)
    _write(folder / "curves.csv", curves)


def _write(path: Path, records: list) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(records[0])])
        writer.writerows(dataclasses.astuple(record) for record in records)
