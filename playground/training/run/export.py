"""A run's last snapshot as a model folder: for `load`, with a card that says how it came about, or for transformers."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.training.run.card import write_card
from playground.training.run.folder import open_run, read_config, snapshots, write_json
from playground.training.run.hub_format import export_for_transformers
from playground.training.run.lineage import earlier_chapters
from playground.transformer import Transformer


def export_model(run: Path, out: Path, *, name: str, licence: str | None = None) -> None:
    """Write config.json, model.safetensors (float16), tokenizer.json and card.md.

    Raises UserError where the run has no snapshot yet, or the folder cannot be written.
    """
    config, snapshot = read_config(run / "config.json"), last_snapshot(run)
    weights = load_file(snapshot / "model.safetensors")
    halves = {key: tensor.to(torch.float16) for key, tensor in weights.items()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        save_file(halves, out / "model.safetensors", metadata={"format": "pt"})
        write_json(out / "config.json", config.model.to_dict())
        (out / "tokenizer.json").write_bytes((run / "tokenizer.json").read_bytes())
    except OSError as error:
        raise UserError(
            "The folder {out} cannot be written ({reason}); choose another.", out=out, reason=error.strerror or error
        ) from error
    step = int(snapshot.name)
    task, tokens = open_run(config, run), tokens_read(run, step)
    earlier = earlier_chapters(run)
    write_card(out, name=name, config=config, task=task, step=step, tokens=tokens, licence=licence, earlier=earlier)


def export_to_transformers(run: Path, out: Path) -> None:
    """Write the last snapshot as a folder that `AutoModelForCausalLM.from_pretrained` loads (float32).

    Raises UserError where the run has no snapshot yet, or transformers has no such model.
    """
    config, snapshot = read_config(run / "config.json"), last_snapshot(run)
    model = Transformer(config.model)
    model.load_state_dict(load_file(snapshot / "model.safetensors"), strict=False)
    tokenizer = Tokenizer.from_str((run / "tokenizer.json").read_text(encoding="utf-8"))
    export_for_transformers(model.eval(), tokenizer, out)


def last_snapshot(run: Path) -> Path:
    """The folder of a run's last snapshot. Raises UserError where there is none."""
    found = snapshots(run)
    if not found:
        raise UserError("{run} has no snapshot yet; let it train for longer.", run=run)
    return found[-1]


def tokens_read(run: Path, step: int) -> int:
    """How many tokens were read up to a step, from the run's metrics."""
    with (run / "metrics.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            report = json.loads(line)
            if report["step"] == step:
                return int(report["tokens"])
    raise UserError(
        "{run}/metrics.jsonl says nothing about step {step}; the run folder is damaged.", run=run, step=step
    )
