"""samples.jsonl: what the model produced at each evaluation, one line each. Reading needs no torch."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.training.run.paths import SAMPLES, json_objects

if TYPE_CHECKING:
    from playground.tasks.task import Sample

TAIL_BYTES = 2**22
"""Only so much of the file's end is read."""
MAX_SAMPLES = 200


def append_samples(folder: Path, step: int, samples: "Sequence[Sample]") -> None:
    """Append the samples of a step as one line."""
    line = json.dumps({"step": step, "samples": [asdict(sample) for sample in samples]}, ensure_ascii=False)
    with (folder / SAMPLES).open("a", encoding="utf-8", newline="\n") as file:
        file.write(line + "\n")


def read_samples(folder: Path, last: int = MAX_SAMPLES) -> list[dict[str, Any]]:
    """The samples of the last evaluations, oldest first: {"step": …, "samples": [{"kind": …}, …]}."""
    try:
        with (folder / SAMPLES).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - TAIL_BYTES))
            entries = json_objects(file.read(TAIL_BYTES))
    except OSError:
        return []
    return [entry for entry in entries if isinstance(entry.get("samples"), list)][-last:]
