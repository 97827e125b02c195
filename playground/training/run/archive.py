"""A run as one .zip file: weights, settings, metrics, samples, and two ways to repeat it. Needs no torch."""

import io
import json
import zipfile
from pathlib import Path

from playground.errors import UserError
from playground.training.run.paths import CONFIG, METRICS, RATES, SAMPLES, SNAPSHOTS, step_name
from playground.training.run.runs import Run, read_run, snapshot_steps

LARGEST = 512 * 2**20
MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")


def take_home(folder: Path, step: int | None = None) -> bytes:
    """The .zip of a run, with the weights of one snapshot (the last one, or that of `step`).

    Raises UserError where there is no such snapshot, or the file would become too large to be downloaded.
    """
    run, steps = read_run(folder), snapshot_steps(folder)
    chosen = step if step is not None else (steps[-1] if steps else None)
    if chosen not in steps or chosen is None:
        raise UserError("There is no snapshot to take home yet; let the run go on, or choose a step that was saved.")
    try:
        return _archive(run, chosen)
    except OSError as error:
        raise UserError("The run cannot be packed: {reason}.", reason=error.strerror or error) from error


def _archive(run: Run, step: int) -> bytes:
    snapshot = run.folder / SNAPSHOTS / step_name(step)
    # The metrics may be growing; each file is read once, whole.
    files = {f"model/{name}": snapshot / name for name in MODEL_FILES}
    files |= {name: run.folder / name for name in (CONFIG, METRICS, SAMPLES, RATES)}
    there = {name: path for name, path in files.items() if path.is_file()}
    if sum(path.stat().st_size for path in there.values()) > LARGEST:
        raise UserError(
            "The run is larger than {largest} MB; copy its folder {folder} instead.",
            largest=LARGEST >> 20,
            folder=run.folder,
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in there.items():
            archive.writestr(name, path.read_bytes())
        archive.writestr("repeat.py", SCRIPT)
        archive.writestr("README.md", _readme(run, step))
    return buffer.getvalue()


def _readme(run: Run, step: int) -> str:
    sources = run.config.get("task", {}).get("sources")
    texts = f"\nThe task reads {json.dumps(sources, ensure_ascii=False)}; put them there first.\n" if sources else ""
    fork = (
        f"\nIt went on from step {run.parent[1]} of another run; to repeat it, repeat that first.\n"
        if run.parent
        else ""
    )
    return f"""# {run.name}

Task {run.task}, after step {step} of {run.steps}. In model/ stand the weights, which the playground loads by the
folder's name: `python -m playground trace model "some text" --out trace.npz`.

The same training again, from a checkout of the playground:

    python -m playground train --config config.json --out again

or step by step in Python: `python repeat.py`. Both give the same weights, bit for bit, on one CPU thread with the
same version of torch. If the learning rate was changed by hand, rates.jsonl says when; repeat.py follows it, the
command does not.
{texts}{fork}"""


SCRIPT = '''"""Repeat this run, step by step: python repeat.py [this folder], from a checkout of the playground."""

import json
import sys
from pathlib import Path

import torch

from playground.tasks.registry import kind_of
from playground.training import TrainConfig, train
from playground.training.trainer import start_state

torch.set_num_threads(1)
here = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
config = TrainConfig.from_dict(json.loads((here / "config.json").read_text(encoding="utf-8")))
task = kind_of(config.task).prepare(config.task)

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
"""The same as the trainer does in the app, in as few lines as it takes."""
