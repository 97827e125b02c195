"""Run the comparisons in a process for each configuration, and write the table."""

import argparse
import json
import multiprocessing
import os
import re
import resource
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.configurations.building import TASKS, Configuration, all_configurations
from benchmarks.configurations.report import report
from benchmarks.configurations.special_cases import NOT_ALONE
from benchmarks.machine import RESULTS

SECONDS, BYTES = 120, 8 * 2**30
"""What one configuration may take."""
RESULT = RESULTS / "configurations.json"
DOCUMENT = RESULTS.parent.parent / "docs" / "configurations.md"


def run_one(configuration: Configuration) -> dict[str, Any]:
    """Every comparison's verdict and detail, or why the small model could not be built."""
    from benchmarks.configurations.comparing import compare

    with tempfile.TemporaryDirectory() as folder:
        try:
            outcomes = compare(configuration, Path(folder))
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
            reason = NOT_ALONE.get(configuration.family)
            return {"not built": said if reason is None else f"{reason} ({said})"}
    return {name: {**asdict(outcome), "detail": _without(folder, outcome.detail)} for name, outcome in outcomes.items()}


def _without(folder: str, sentence: str) -> str:
    """The sentence with a name for the folder, which is another in every run."""
    return re.sub(re.escape(folder), lambda found: "the model" if found.start() else "The model", sentence)


def _child(configuration: Configuration, connection: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    warnings.filterwarnings("ignore")
    connection.send(run_one(configuration))
    connection.close()


def run_all(configurations: Sequence[Configuration]) -> Iterator[tuple[Configuration, dict[str, Any]]]:
    """Each configuration in a process of its own, which ends with it or after SECONDS."""
    _warm_up()
    context = multiprocessing.get_context("fork")
    for configuration in configurations:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(configuration, sender))
        process.start()
        sender.close()
        try:
            result = receiver.recv() if receiver.poll(SECONDS) else {"not built": f"no answer within {SECONDS} s"}
        except EOFError:
            result = {"not built": "the process ended (memory)"}
        process.kill()
        process.join()
        yield configuration, result


def _warm_up() -> None:
    """Import what every process needs, once, before they are forked: a tenth of the time of each."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for task, family in zip(TASKS, ("gpt2", "bert", "t5"), strict=True):
        run_one(Configuration(task=task, family=family))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", help="by default all; of some, their rows of the table are renewed")
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument(
        "--out", type=Path, help="a JSON file; by default benchmarks/results and docs/configurations.md"
    )
    chosen = parser.parse_args(arguments)
    os.environ["HF_HUB_OFFLINE"] = "1"
    configurations = [
        configuration
        for configuration in all_configurations()
        if (not chosen.families or configuration.family in chosen.families)
        and chosen.task in (None, configuration.task)
    ]
    results, is_part = {}, bool(chosen.families or chosen.task)
    for configuration, result in run_all(configurations):
        results[str(configuration)] = result
        print(f"{configuration}: {_line(result)}", flush=True)
        if chosen.out:
            chosen.out.write_text(json.dumps(results, indent=1) + "\n")
        elif is_part:
            write({**known_results(), str(configuration): result})
    if not (chosen.out or is_part):
        write(results)
    return int(any("wrong" in _line(result) for result in results.values()))


def known_results() -> dict[str, Any]:
    """What was kept of earlier runs: a run of some families renews their rows only."""
    known: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    return known


def write(results: dict[str, Any]) -> None:
    """Keep the results, and write the document that shows them."""
    import transformers

    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    DOCUMENT.write_text(report(results, transformers.__version__))


def _line(result: dict[str, Any]) -> str:
    if "not built" in result:
        return f"not built: {result['not built']}"
    said = [
        f"{name} {outcome['verdict']}" + (f" ({outcome['detail']})" if outcome["detail"] else "")
        for name, outcome in result.items()
        if outcome["verdict"] != "equal"
    ]
    return "; ".join(said) or "equal"


if __name__ == "__main__":
    sys.exit(main())
