"""Train on the characters of Shakespeare, from the command line: `python -m benchmarks.shakespeare FILE`.

FILE is tinyshakespeare (1.1 MB; https://github.com/karpathy/char-rnn, data/tinyshakespeare/input.txt). The shape
and the settings are those of nanoGPT's example for a laptop without a GPU, whose validation loss is 1.88. Writes
benchmarks/results/shakespeare.json; takes two to three minutes on a free core.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS, ROOT, measured_on

EXPECTED, TOLERANCE = 1.88, 0.07
DATA = ["--vocabulary", "characters", "--vocabulary-size", "128", "--held-out", "0.1", "--keep-lines"]
SHAPE = ["--layers", "4", "--heads", "4", "--width", "128", "--context", "64"]
SHAPE += ["--norm", "layer", "--feed-forward", "gelu", "--positions", "learned"]
SETTINGS = ["--steps", "2000", "--batch", "12", "--learning-rate", "1e-3", "--final-learning-rate", "1e-4"]
SETTINGS += ["--schedule", "cosine", "--warm-up", "100", "--betas", "0.9", "0.99", "--weight-decay", "0.1"]
# More windows than there are: every one is read.
EVALUATION = ["--evaluate-every", "1000", "--evaluate-rows", "100000"]


def measure(source: Path, *, seed: int) -> dict[str, Any]:
    """Train once and report the loss on the whole held-out tenth, in nats per character."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        options = ["--source", str(source), "--out", str(run), *DATA, *SHAPE, *SETTINGS, *EVALUATION]
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "playground", "train", *options, "--seed", str(seed)], cwd=ROOT, check=True
        )
        seconds = time.monotonic() - began
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        evaluations = [line for line in map(json.loads, lines) if line["evaluation"] is not None]
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))
        # The file's place on this machine is nobody's business.
        config["task"]["sources"] = [source.name]
    return {
        "data": {"name": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest()},
        "config": config,
        "seconds": round(seconds, 1),
        "evaluations": [{"step": line["step"], **line["evaluation"]} for line in evaluations],
        "held_out_loss": evaluations[-1]["evaluation"]["held_out_loss"],
        "expected": {"held_out_loss": EXPECTED, "tolerance": TOLERANCE},
    }


def main() -> None:
    """Measure, write, and say whether it is what was expected; ends with 1 where it is not."""
    parser = argparse.ArgumentParser(description="Train on the characters of Shakespeare, from the command line.")
    parser.add_argument("source", type=Path, help="tinyshakespeare as a .txt file")
    parser.add_argument("--out", type=Path, default=RESULTS / "shakespeare.json", help="where the JSON goes")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    head = measured_on("shakespeare", threads=1, packages=("torch", "tokenizers", "numpy"))
    head["command"] = f"python -m benchmarks.shakespeare {arguments.source.name}"
    results = {"made": head, **measure(arguments.source, seed=arguments.seed)}
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    loss = results["held_out_loss"]
    print(f"{loss:.4f} nats per character on the held-out tenth; {EXPECTED} ± {TOLERANCE} was expected.")
    sys.exit(abs(loss - EXPECTED) > TOLERANCE)


if __name__ == "__main__":
    main()
