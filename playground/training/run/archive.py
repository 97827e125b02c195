"""A run as one .zip: weights, settings, metrics, samples, and two ways to repeat it. Needs no torch."""

import io
import json
import zipfile
from pathlib import Path

from playground.errors import UserError
from playground.folders import CHECKPOINTS, step_name
from playground.training.run.paths import CONFIG, METRICS, RATES, SAMPLES, checkpoint_steps
from playground.training.run.runs import Run, read_run

MAX_BYTES_ZIPPED = 512 * 2**20
MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json", "finetuned.json", "trained.safetensors")


def zip_run(folder: Path, step: int | None = None) -> bytes:
    """The .zip of a run, with the weights of one checkpoint (the last one, or that of `step`).

    Raises UserError if there is no such checkpoint, or the file would be too large to download.
    """
    run, steps = read_run(folder), checkpoint_steps(folder)
    chosen = step if step is not None else (steps[-1] if steps else None)
    if chosen not in steps or chosen is None:
        raise UserError("There is no checkpoint to export yet; let the run continue, or choose a step that was saved.")
    try:
        return _zip(run, chosen)
    except OSError as error:
        raise UserError("The run cannot be zipped: {reason}.", reason=error.strerror or error) from error


def _zip(run: Run, step: int) -> bytes:
    checkpoint = run.folder / CHECKPOINTS / step_name(step)
    # The metrics may be growing; each file is read once, whole.
    files = {f"model/{name}": checkpoint / name for name in MODEL_FILES}
    files |= {name: run.folder / name for name in (CONFIG, METRICS, SAMPLES, RATES)}
    present = {name: path for name, path in files.items() if path.is_file()}
    if sum(path.stat().st_size for path in present.values()) > MAX_BYTES_ZIPPED:
        raise UserError(
            "The run is larger than {largest} MB; copy its folder {folder} instead.",
            largest=MAX_BYTES_ZIPPED >> 20,
            folder=run.folder,
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in present.items():
            archive.writestr(name, path.read_bytes())
        archive.writestr("repeat.py", FINETUNING_SCRIPT if run.base else SCRIPT)
        archive.writestr("README.md", _readme(run, step))
    return buffer.getvalue()


def _readme(run: Run, step: int) -> str:
    sources = run.config.get("task", {}).get("sources")
    texts = f"\nThe task reads {json.dumps(sources, ensure_ascii=False)}; put them there first.\n" if sources else ""
    fork = (
        f"\nIt was forked from step {run.parent[1]} of another run; to repeat it, repeat that run first.\n"
        if run.parent
        else ""
    )
    return f"""# {run.name}

Task {run.task}, after step {step} of {run.steps}. The weights are in model/, which the playground loads by the
folder's name: `python -m playground trace model "some text" --out trace.npz`.

The same training again, from a checkout of the playground:

    python -m playground {"finetune" if run.base else "train"} --config config.json --out again

or step by step in Python: `python repeat.py`. Both give the same weights, bit for bit, on one CPU thread with the
same version of torch. If the learning rate was changed by hand, rates.jsonl says when; repeat.py follows it, the
command does not.
{texts}{fork}"""


SCRIPT = '''"""Repeat this run, step by step: python repeat.py [this folder], from a checkout of the playground."""

import json
import sys
from pathlib import Path

import torch

from playground.tasks.registry import task_kind_of
from playground.training import TrainConfig, train
from playground.training.trainer import start_state

torch.set_num_threads(1)
here = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
config = TrainConfig.from_dict(json.loads((here / "config.json").read_text(encoding="utf-8")))
task = task_kind_of(config.task).prepare(config.task)

rates = {}
if (here / "rates.jsonl").exists():
    lines = (here / "rates.jsonl").read_text(encoding="utf-8").splitlines()
    rates = {line["step"]: line["factor"] for line in map(json.loads, lines)}

state = start_state(config)
state.rate_factor = rates.get(1, 1.0)
for step in train(config, task, state=state):
    print(step.step, round(step.loss, 4), step.evaluation or "")
    state.rate_factor = rates.get(step.step + 1, state.rate_factor)

torch.save(state.model.state_dict(), "again.pt")
'''
"""What the app does, in as few lines as it takes."""

FINETUNING_SCRIPT = '''"""Repeat this fine-tuning step by step, from a checkout of the playground."""

import json
import sys
from pathlib import Path

import torch

from playground.training.finetune import FinetuneConfig, finetune

torch.set_num_threads(1)
here = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
config = FinetuneConfig.from_dict(json.loads((here / "config.json").read_text(encoding="utf-8")))
for step in finetune(config):
    print(step.step, round(step.loss, 4), step.evaluation or "")
'''
