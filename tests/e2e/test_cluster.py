"""Two servers, a proxy and a Ray: a worker and a server are killed, and a visitor's sweep and run come to their end."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from playground.sweeps.progress import read_sweep
from playground.training.run.status import Status, observed_status, read_status
from tests.helpers.ray_cluster import ray_cluster
from tests.helpers.two_servers import Site, two_servers
from tests.helpers.waiting import until

SWEEP = "scaling?section=live&sweep_sizes=8x1&sweep_tokens=120000,500000"
RUN_STEPS = 3_000
"""Begun first, and not at its end when the server is killed."""
BUSY_PATIENCE = 900.0
"""What takes seconds on a quiet machine took 100 s on two busy cores."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ray_cluster() as ray, two_servers(tmp_path_factory, {"PLAYGROUND_SLOTS": "1", "PLAYGROUND_RAY": ray}) as both:
        yield both


def begun(page: Page, key: str, name: str) -> str:
    """Press a button, and read from the address what it began."""
    page.locator(f".st-key-{key} button").click()
    page.wait_for_url(re.compile(f"[?&]{name}=[A-Za-z0-9]"))
    return parse_qs(urlsplit(page.url).query)[name][0]


def learning(sweep: Path) -> list[tuple[Path, Status]]:
    """The runs of a sweep that are at work, and have a step behind them."""
    working = [sweep.parent / cell.run_id for cell in read_sweep(sweep).cells if cell.state == "running"]
    found = [(run, read_status(run)) for run in working]
    return [(run, status) for run, status in found if status.step > 0]


def has_another_worker(cell: Path, killed: int) -> bool:
    status = read_status(cell)
    return status.pid != killed and status.state in ("running", "finished")


def steps_of(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_sweep_and_a_run_outlive_their_worker_and_their_server(site: Site, new_page: Callable[..., Page]):
    sweeping, training = new_page(), new_page()
    sweeping.goto(f"{site.address}/{SWEEP}")
    expect(sweeping.locator(".st-key-start_sweep button")).to_be_enabled()
    changes = json.dumps({"train": {"steps": RUN_STEPS, "checkpoint_every": 100}})
    training.goto(f"{site.address}/train?preset=induction&changes={quote(changes)}")
    run = site.runs / begun(training, "start", "run")
    sweep = site.runs / begun(sweeping, "start_sweep", "sweep")

    until(lambda: learning(sweep), "a step of the sweep", BUSY_PATIENCE)
    (cell, before), *_others = learning(sweep)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: has_another_worker(cell, before.pid), "another worker", BUSY_PATIENCE)

    until(lambda: read_status(run).checkpoint >= 100, "a checkpoint of the run")
    assert read_sweep(sweep).progress.done < len(read_sweep(sweep).cells)
    site.kill_busy()
    until(lambda: observed_status(run).state in ("interrupted", "stopped"), "the run's worker to leave")

    # The pages connect to the other server by themselves.
    for page, label in ((sweeping, "Resume"), (training, "Resume from last checkpoint")):
        button = page.get_by_role("button", name=label)
        button.click()
        expect(button).to_have_count(0)
    expect(sweeping.get_by_text("2 of 2 runs")).to_be_visible(timeout=1_000 * BUSY_PATIENCE)
    expect(training.get_by_text("Finished").first).to_be_visible(timeout=1_000 * BUSY_PATIENCE)
    assert steps_of(run) == list(range(1, RUN_STEPS + 1))
    for each in read_sweep(sweep).cells:
        steps = steps_of(sweep.parent / each.run_id)  # a branch begins where it leaves its trunk
        assert each.state == "finished"
        assert steps == list(range(steps[0], each.cell.config.steps + 1))
