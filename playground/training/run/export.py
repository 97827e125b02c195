"""A run's last checkpoint as a model folder: ours, with a card that says how it was trained, or transformers'."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.training.run.card import write_card
from playground.training.run.folder import open_task, read_train_config
from playground.training.run.hub_format import export_for_transformers
from playground.training.run.lineage import earlier_chapters
from playground.training.run.paths import checkpoint_folders, write_json
from playground.transformer import Transformer


def export_model(run: Path, out: Path, *, name: str, licence: str | None = None) -> None:
    """Write config.json, model.safetensors (float16), tokenizer.json and card.md.

    Raises UserError if the run has no checkpoint yet, or the folder cannot be written.
    """
    config, checkpoint = read_train_config(run / "config.json"), last_checkpoint(run)
    weights = load_file(checkpoint / "model.safetensors")
    task = open_task(config, run)
    half_precision = {key: tensor.to(torch.float16) for key, tensor in weights.items()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        save_file(half_precision, out / "model.safetensors", metadata={"format": "pt"})
        write_json(out / "config.json", {**config.model.to_dict(), **_stated_labels(task.class_names)})
        (out / "tokenizer.json").write_bytes((run / "tokenizer.json").read_bytes())
    except OSError as error:
        raise UserError(
            "The folder {out} cannot be written ({reason}); choose another.", out=out, reason=error.strerror or error
        ) from error
    step = int(checkpoint.name)
    tokens = tokens_read(run, step)
    earlier = earlier_chapters(run)
    write_card(out, name=name, config=config, task=task, step=step, tokens=tokens, licence=licence, earlier=earlier)


def _stated_labels(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """The classes' names under the key where transformers keeps them; nothing without classes."""
    return {"id2label": {str(number): name for number, name in enumerate(names)}} if names else {}


def export_to_transformers(run: Path, out: Path) -> None:
    """Write the last checkpoint as a folder that `AutoModelForCausalLM.from_pretrained` loads (float32).

    Raises UserError if the run has no checkpoint yet, or transformers has no such model.
    """
    config, checkpoint = read_train_config(run / "config.json"), last_checkpoint(run)
    model = Transformer(config.model)
    model.load_state_dict(load_file(checkpoint / "model.safetensors"), strict=False)
    tokenizer = Tokenizer.from_str((run / "tokenizer.json").read_text(encoding="utf-8"))
    export_for_transformers(model.eval(), tokenizer, out)


def last_checkpoint(run: Path) -> Path:
    """The folder of a run's last checkpoint. Raises UserError if there is none."""
    folders = checkpoint_folders(run)
    if not folders:
        raise UserError("{run} has no checkpoint yet; let it train for longer.", run=run)
    return folders[-1]


def tokens_read(run: Path, step: int) -> int:
    """The number of tokens read up to a step, from the run's metrics."""
    with (run / "metrics.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            report = json.loads(line)
            if report["step"] == step:
                return int(report["tokens"])
    raise UserError("{run}/metrics.jsonl has no line for step {step}; the run folder is damaged.", run=run, step=step)
