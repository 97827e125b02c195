"""What a fine-tuning leaves: an adapter in peft's format, or the whole model as a folder, each with a card."""

from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.folders import CHECKPOINTS, step_name
from playground.models import load
from playground.models.adapters.finetuned import LORA_A, RECORD, TRAINED, FinetunedRecord, merge, read_record, tunable
from playground.models.loading import LoadedModel
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.peft_format import TASK_TYPES, write_adapter
from playground.training.finetune.result_card import write_result_card
from playground.training.run.folder import read_run_config
from playground.training.run.paths import checkpoint_folders, write_json
from playground.transformer import Transformer


def before_and_after(run: Path, step: int | None = None) -> tuple[str, str]:
    """The names under which `load` finds the base and what became of it; of the last checkpoint without a step.

    Raises UserError for a run that is no fine-tuning, or has no such checkpoint.
    """
    folder = _checkpoint(run, step)
    base = _config_of(run).base
    from playground.folders import runs_folder
    from playground.models.cache import shipped_folder

    if shipped_folder(run.name).resolve() == folder.resolve():
        return base, run.name
    is_here = run.resolve().parent == runs_folder().resolve()
    return base, f"run/{run.name}/{int(folder.name)}" if is_here else str(folder)


def export_adapter(run: Path, out: Path) -> Path:
    """Write the last checkpoint as a LoRA adapter that peft loads, with a card; returns the folder.

    Raises UserError for a run without LoRA, and where the folder cannot be written.
    """
    config, checkpoint = _config_of(run), _checkpoint(run, None)
    trained = load_file(checkpoint / TRAINED)
    if not any(name.endswith(LORA_A) for name in trained):
        raise UserError("This run trained no LoRA, so there is no adapter; export the whole model.")
    base = load(config.base, revision=config.revision, device="cpu", dtype="float32")
    try:
        write_adapter(
            out,
            trained,
            base=config.base,
            rank=config.parts.rank,
            alpha=config.parts.alpha,
            task_type=None if base.is_own else TASK_TYPES[config.task_name],
        )
        write_result_card(run, out, config=config, step=int(checkpoint.name))
    except OSError as error:
        raise _cannot_write(out, error) from error
    return out


def export_merged(run: Path, out: Path) -> Path:
    """Write the last checkpoint as a whole model with its tokenizer and a card; returns the folder.

    transformers loads a folder of its families, `load` also one of ours. Raises UserError where the folder cannot be
    written.
    """
    config, checkpoint = _config_of(run), _checkpoint(run, None)
    record = read_record(checkpoint, run.name)
    base = load(record.base, revision=record.revision, device="cpu", dtype="float32")
    made = tunable(base, record.labels, record.padding)
    merge(made.whole, load_file(checkpoint / TRAINED), record.scale)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if isinstance(made.whole, Transformer):
            _write_own(made.whole, base, record, out)
        else:
            whole: Any = made.whole
            whole.save_pretrained(out)
            base.tokenizer.save_pretrained(out)
        write_result_card(run, out, config=config, step=int(checkpoint.name))
    except OSError as error:
        raise _cannot_write(out, error) from error
    return out


def export_for_hub(run: Path, out: Path) -> Path:
    """Write the last checkpoint in transformers' format, whatever the base; returns the folder.

    An own encoder's classifier lies beside its encoder, with a script that uses both (`hub_classifiers`). Raises
    UserError for an own shape that no family of transformers has, and where the folder cannot be written.
    """
    from playground.training.run.hub_format import export_for_transformers

    config, checkpoint = _config_of(run), _checkpoint(run, None)
    record = read_record(checkpoint, run.name)
    base = load(record.base, revision=record.revision, device="cpu", dtype="float32")
    if not base.is_own:
        return export_merged(run, out)
    made = tunable(base, record.labels, record.padding)
    merge(made.whole, load_file(checkpoint / TRAINED), record.scale)
    assert isinstance(made.whole, Transformer)
    export_for_transformers(made.whole, base.tokenizer, out, labels=record.labels)
    try:
        write_result_card(run, out, config=config, step=int(checkpoint.name))
    except OSError as error:
        raise _cannot_write(out, error) from error
    return out


def _write_own(whole: Transformer, base: LoadedModel, record: FinetunedRecord, out: Path) -> None:
    from playground.training.trainer import model_tensors

    save_file(model_tensors(whole), out / "model.safetensors", metadata={"format": "pt"})
    labels = {"id2label": {str(index): name for index, name in enumerate(record.labels)}} if record.labels else {}
    write_json(out / "config.json", {**whole.config.to_dict(), **labels})
    base.tokenizer.save(str(out / "tokenizer.json"))


def export_trained(run: Path, out: Path) -> Path:
    """Write only what was trained, with a card: a folder that `load` opens where it finds the base."""
    config, checkpoint = _config_of(run), _checkpoint(run, None)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in (RECORD, TRAINED, "config.json"):
            (out / name).write_bytes((checkpoint / name).read_bytes())
        write_result_card(run, out, config=config, step=int(checkpoint.name))
    except OSError as error:
        raise _cannot_write(out, error) from error
    return out


def final_measures(run: Path) -> dict[str, float]:
    """The measures of a run's last evaluation, with its step and seconds; empty before the first."""
    from playground.training.run.metrics import read_metrics
    from playground.training.run.status import read_status

    metrics, _offset = read_metrics(run)
    if not len(metrics.evaluation_steps):
        return {}
    values = {name: float(column[-1]) for name, column in metrics.evaluations.items()}
    return {**values, "step": float(metrics.evaluation_steps[-1]), "seconds": read_status(run).seconds}


def _config_of(run: Path) -> FinetuneConfig:
    config = read_run_config(run / "config.json")
    if not isinstance(config, FinetuneConfig):
        raise UserError("This run is no fine-tuning: it began with random weights.")
    return config


def _checkpoint(run: Path, step: int | None) -> Path:
    folders = checkpoint_folders(run)
    if not folders:
        raise UserError("{run} has no checkpoint yet; let it train for longer.", run=run.name)
    if step is None:
        return folders[-1]
    folder = run / CHECKPOINTS / step_name(step)
    if folder not in folders:
        raise UserError("The run has no checkpoint of step {step}; choose a step that was saved.", step=step)
    return folder


def _cannot_write(out: Path, error: OSError) -> UserError:
    return UserError(
        "The folder {out} cannot be written ({reason}); choose another.", out=out, reason=error.strerror or error
    )
