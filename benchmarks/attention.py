"""Measure the attention page and its peers, side by side in one go: `python -m benchmarks.attention`.

Writes benchmarks/results/attention.json and prints the README's table. Needs Linux, Chromium, and the models
(`python -m playground fetch smollm2-135m`, `python -m playground fetch all-minilm-l6-v2`). Leave the machine alone
meanwhile: it takes about ten minutes.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS, earlier, measured_on
from benchmarks.table import markdown

__all__ = ["markdown", "measure"]

PACKAGES = ("torch", "transformers", "streamlit", "bertviz", "playwright")


def measure(*, quick: bool, threads: int) -> dict[str, Any]:
    """Everything, as it is written; quick is once each, to see that it works."""
    from benchmarks.browser import chromium
    from benchmarks.forward import measure_forward
    from benchmarks.paint import measure_cold_start, measure_paint
    from benchmarks.peer import measure_peer

    rounds, repetitions, trials, colds = (1, 1, 1, 1) if quick else (5, 2, 5, 3)
    forward = measure_forward(rounds=rounds, repetitions=repetitions, threads=threads)
    with chromium() as browser:
        head = describe(quick=quick, threads=threads, chromium=browser.version)
        paint = measure_paint(browser, trials=trials, threads=threads)
        cold = measure_cold_start(browser, trials=colds, threads=threads)
    peer = measure_peer(quick=quick, threads=threads)
    return {"made": head, "forward": forward, "paint": paint, "cold_start": cold, "bertviz": peer}


def describe(*, quick: bool, threads: int, chromium: str) -> dict[str, Any]:
    """When, where and of what a measurement was made."""
    conditions = measured_on("attention", threads=threads, packages=PACKAGES)
    return {**conditions, "quick": quick, "versions": {**conditions["versions"], "Chromium": chromium}}


def _require_models() -> None:
    """End with a sentence where a model is not on this machine."""
    from benchmarks.table import DECODER, ENCODER
    from playground.models import local_folder

    for name in (DECODER, ENCODER):
        if local_folder(name) is None:
            raise SystemExit(f"{name} is not on this machine; run `python -m playground fetch {name}` first.")


def main() -> None:
    """Measure, write, and print the table."""
    parser = argparse.ArgumentParser(description="Measure the attention page and its peers, side by side.")
    parser.add_argument("--quick", action="store_true", help="once each, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS / "attention.json", help="where the JSON goes")
    parser.add_argument("--threads", type=int, default=2, help="torch's threads, in the app too")
    arguments = parser.parse_args()
    _require_models()
    results = measure(quick=arguments.quick, threads=arguments.threads)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(markdown(results, earlier("attention")))


if __name__ == "__main__":
    main()
