"""Thirty visitors on one hosted server: `python -m benchmarks.load`; with --soak longer, to see whether memory grows.

A server of its own on loopback, spoken to as Streamlit's front end does (`benchmarks.seat`): thirty visitors think 5
to 15 seconds, type (six in ten a text of the lesson), choose heads, open pages and watch runs, while four trainings
run; then thirty others arrive within 20 seconds. Server, trainings and visitors share the machine. Writes
benchmarks/results/load.json, or soak.json, which the README quotes. `--quick`: a few seconds, to see that it works.
"""

import argparse
import dataclasses
import json
import random
import re
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from streamlit.proto.Button_pb2 import Button
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.hosted_app import HostedApp, hosted_app
from benchmarks.machine import RESULTS, measured_on
from benchmarks.seat import Seat
from benchmarks.visitor import OTHER_PAGES, Ledger, Visitor

PACKAGES = ("streamlit", "torch", "transformers", "websockets")
PRESETS = ("tales", "induction", "translation", "documentation")
STEPS = 100_000
"""Of each training: more than any measurement lasts."""
SAMPLE_SECONDS = 5.0
WARM_UP_SECONDS = 900.0
"""Of a soak: a text's trace is kept for ten minutes after it was looked at (`ui.cache`)."""
CALM_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many visitors, for how long."""

    visitors: int = 30
    seconds: float = 300.0
    think: tuple[float, float] = (5.0, 15.0)
    arrival_seconds: float = 20.0
    trainings: int = 4
    warm_up_seconds: float = 0.0
    """How much of the visit passes before memory is looked at; for a soak."""
    threads: int = 2
    seed: int = 0
    note: str = ""
    """What else the machine did meanwhile."""


QUICK: dict[str, Any] = {"visitors": 3, "seconds": 6.0, "think": (0.2, 0.8), "arrival_seconds": 1.0, "trainings": 1}


@dataclass(kw_only=True)
class Memory:
    """The server's memory over time."""

    app: HostedApp
    samples: list[tuple[float, float]] = field(default_factory=list)
    """(seconds, megabytes)."""
    _done: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Take a sample every few seconds, until `end`."""
        began = time.monotonic()
        while True:
            self.samples.append((round(time.monotonic() - began, 1), round(self.app.megabytes(), 1)))
            if self._done.wait(SAMPLE_SECONDS):
                return

    def end(self) -> None:
        """Let `watch` return."""
        self._done.set()


def measure(plan: Plan, *, arrivals: bool = True) -> dict[str, Any]:
    """Everything, on a fresh server."""
    environment = {"PLAYGROUND_SLOTS": str(max(1, plan.trainings)), "PLAYGROUND_MINUTES": "600"}
    with hosted_app(environment, threads=plan.threads) as app:
        runs = start_trainings(app, plan.trainings)
        warm(app)
        results = visit(app, plan, runs)
        if arrivals:
            results["arrival"] = arrive(app, plan)
        results["tracebacks"] = app.tracebacks()
        if (running := app.trainings()) != plan.trainings:
            raise RuntimeError(f"{running} of {plan.trainings} trainings lasted to the end.")
    return results


def start_trainings(app: HostedApp, count: int) -> list[str]:
    """Start runs as visitors do, each from a browser of its own; returns their ids."""
    runs = []
    for number in range(count):
        seat = Seat(app.address, headers={"Cookie": f"playground_visitor=trainer{number}"})
        preset = PRESETS[number % len(PRESETS)]
        seen = seat.open("train", preset=preset, changes=json.dumps({"train": {"steps": STEPS}}))
        starts = [element for element in seen.elements if isinstance(element, Button)]
        (start,) = (button.id for button in starts if button.id.endswith(f"-start_{preset}"))
        seat.send([WidgetState(id=start, trigger_value=True)])
        runs.extend(parse_qs(seat.query)["run"])
        seat.close()
    return runs


def warm(app: HostedApp) -> None:
    """One visitor opens every page, so that what the server keeps for all is there before memory is counted."""
    seat = Seat(app.address)
    for page in ("", *OTHER_PAGES):
        seat.open(page)
    seat.open(model="books-encoder")
    seat.close()
    time.sleep(CALM_SECONDS)


def visit(app: HostedApp, plan: Plan, runs: Sequence[str]) -> dict[str, Any]:
    """All visitors for the whole time; how long things took them, and what the server's memory did."""
    ledger, before, memory = Ledger(), app.megabytes(), Memory(app=app)
    watching = threading.Thread(target=memory.watch)
    watching.start()
    end = time.monotonic() + plan.seconds
    dice = random.Random(plan.seed)

    def stay(number: int) -> Callable[[], None]:
        wait, seed = dice.uniform(0, plan.think[1]), plan.seed + number

        def visitor() -> None:
            time.sleep(min(wait, plan.seconds / 4))
            person = Visitor(Seat(app.address), seed=seed, ledger=ledger, runs=runs)
            person.arrive()
            person.stay(end, plan.think)

        return visitor

    in_threads([stay(number) for number in range(plan.visitors)], ledger)
    memory.end()
    watching.join()
    return {
        "seconds": {kind: summary(values) for kind, values in sorted(ledger.seconds.items())},
        "errors": ledger.errors,
        "megabytes": {"before": before, "after": app.megabytes(), "samples": memory.samples},
        "megabytes_per_seat": (app.megabytes() - before) / plan.visitors,
        "growth_megabytes": growth(memory.samples, plan.warm_up_seconds),
    }


def arrive(app: HostedApp, plan: Plan) -> dict[str, Any]:
    """As many again arrive, each at a moment of its own; from the first request to the overview of the first page."""
    ledger, dice = Ledger(), random.Random(plan.seed + 1)
    moments = sorted(dice.uniform(0, plan.arrival_seconds) for _ in range(plan.visitors))
    took: dict[int, float] = {}

    def come(number: int) -> Callable[[], None]:
        def visitor() -> None:
            time.sleep(moments[number])
            began = time.monotonic()
            fetch_front_end(app.address)
            took[number] = Visitor(Seat(app.address), seed=number, ledger=ledger).arrive() - began

        return visitor

    in_threads([come(number) for number in range(plan.visitors)], ledger)
    seconds = [took[number] for number in sorted(took)]
    return {"seconds": summary(seconds), "last": seconds[-1] if seconds else None, "errors": ledger.errors}


def fetch_front_end(address: str) -> None:
    """The page and the scripts, styles and fonts that it names, as a browser without a cache fetches them."""
    page = urllib.request.urlopen(f"{address}/", timeout=60).read().decode()
    for name in re.findall(r'(?:src|href)="\./(static/[^"]+)"', page):
        urllib.request.urlopen(f"{address}/{name}", timeout=60).read()


def in_threads(calls: Sequence[Callable[[], None]], ledger: Ledger) -> None:
    """Each call in a thread of its own; what one raises is an error of the measurement."""

    def run(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # a visitor who is thrown out, however, is a figure and no crash
            ledger.blame(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """How many, their median, 95th percentile and largest."""
    if not seconds:
        return {"count": 0}
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"count": len(ordered), "median": statistics.median(ordered), "95th": last, "largest": ordered[-1]}


def growth(samples: Sequence[tuple[float, float]], warm_up: float) -> float:
    """How many megabytes the last tenth of the samples after the warm-up lies above the first, by their medians."""
    after = [megabytes for seconds, megabytes in samples if seconds >= warm_up]
    if not after:
        return 0.0
    tenth = max(1, len(after) // 10)
    return statistics.median(after[-tenth:]) - statistics.median(after[:tenth])


def main() -> None:
    """Measure, write, and print."""
    parser = argparse.ArgumentParser(description="Thirty visitors on one hosted server.")
    parser.add_argument("--quick", action="store_true", help="three visitors for seconds, to see that it works")
    parser.add_argument("--soak", action="store_true", help="one visit alone, long, to see whether memory grows")
    parser.add_argument("--minutes", type=float, help="how long the visit takes; 5, or 75 for a soak")
    parser.add_argument("--threads", type=int, default=2, help="torch's threads in the server")
    parser.add_argument("--note", default="", help="what else the machine did meanwhile")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    arguments = parser.parse_args()
    minutes = arguments.minutes or (75.0 if arguments.soak else 5.0)
    options: dict[str, Any] = {"seconds": minutes * 60, **(QUICK if arguments.quick else {})}
    plan = Plan(
        **options,
        warm_up_seconds=min(WARM_UP_SECONDS, minutes * 12) if arguments.soak else 0.0,
        threads=arguments.threads,
        note=arguments.note,
    )
    made = {**measured_on("load", threads=plan.threads, packages=PACKAGES), "quick": arguments.quick}
    results = {"made": made, "plan": dataclasses.asdict(plan), **measure(plan, arrivals=not arguments.soak)}
    out = arguments.out or RESULTS / ("soak.json" if arguments.soak else "load.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shown = {**results, "megabytes": {key: results["megabytes"][key] for key in ("before", "after")}}
    print(json.dumps(shown, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
