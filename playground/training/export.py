"""A run's last snapshot as a model folder that `load` reads, with a card that says how it came about."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.training.card import write_card
from playground.training.run_folder import open_run, read_config, snapshots, write_json


def export_model(run: Path, out: Path, *, name: str) -> None:
    """Write config.json, model.safetensors (float16), tokenizer.json and card.md.

    Raises UserError where the run has no snapshot yet.
    """
    config = read_config(run / "config.json")
    found = snapshots(run)
    if not found:
        raise UserError(f"{run} has no snapshot yet; let it train for longer.")
    weights = load_file(found[-1] / "model.safetensors")
    out.mkdir(parents=True, exist_ok=True)
    halves = {key: tensor.to(torch.float16) for key, tensor in weights.items()}
    save_file(halves, out / "model.safetensors", metadata={"format": "pt"})
    write_json(out / "config.json", config.model.to_dict())
    (out / "tokenizer.json").write_bytes((run / "tokenizer.json").read_bytes())
    write_card(out, name=name, config=config, task=open_run(config, run), step=int(found[-1].name))
