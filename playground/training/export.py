"""A run's last snapshot as a model folder that `load` reads, with a card that says how it came about."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.training.card import write_card
from playground.training.run_folder import open_run, read_config, snapshots, write_json


def export_model(run: Path, out: Path, *, name: str, licence: str | None = None) -> None:
    """Write config.json, model.safetensors (float16), tokenizer.json and card.md.

    Raises UserError where the run has no snapshot yet.
    """
    config = read_config(run / "config.json")
    found = snapshots(run)
    if not found:
        raise UserError(f"{run} has no snapshot yet; let it train for longer.")
    step = int(found[-1].name)
    weights = load_file(found[-1] / "model.safetensors")
    out.mkdir(parents=True, exist_ok=True)
    halves = {key: tensor.to(torch.float16) for key, tensor in weights.items()}
    save_file(halves, out / "model.safetensors", metadata={"format": "pt"})
    write_json(out / "config.json", config.model.to_dict())
    (out / "tokenizer.json").write_bytes((run / "tokenizer.json").read_bytes())
    task, tokens = open_run(config, run), tokens_read(run, step)
    write_card(out, name=name, config=config, task=task, step=step, tokens=tokens, licence=licence)


def tokens_read(run: Path, step: int) -> int:
    """How many tokens were read up to a step, from the run's metrics."""
    with (run / "metrics.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            report = json.loads(line)
            if report["step"] == step:
                return int(report["tokens"])
    raise UserError(f"{run}/metrics.jsonl says nothing about step {step}; the run folder is damaged.")
