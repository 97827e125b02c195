"""The training page in a real browser: a run from the click to its end, two runs at once, a killed worker."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.accessibility import faint_texts, violations
from tests.helpers.contrast import contrast_of
from tests.helpers.settling import settle
from tests.helpers.waiting import until

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"train": {"steps": 60, "evaluate_every": 20, "checkpoint_every": 20, "frames": 12}, "model": {"width": 32}}
ENDLESS = {"train": {"steps": 50_000, "evaluate_every": 50, "checkpoint_every": 50}, "model": {"width": 32}}
SLOW_MILLISECONDS = 1_500
"""Twice the time between two polls of a run."""
SLOW_TIMEOUTS = f"""() => {{
    const soon = setTimeout;
    globalThis.setTimeout = (work, milliseconds = 0, ...rest) =>
        soon(work, Math.max(milliseconds, {SLOW_MILLISECONDS}), ...rest);
}}"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], runs: Path) -> str:
    return serve(ROOT / "app.py", environment={"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "2"})


def start(page: Page) -> str:
    """Press Start and wait until the address names the run."""
    page.locator(".st-key-start button").click()
    page.wait_for_url(re.compile("run="))
    return parse_qs(urlsplit(page.url).query)["run"][0]


def address(server: str, changes: dict) -> str:
    return f"{server}/train?preset=induction&changes={quote(json.dumps(changes))}"


def status(runs: Path, run_id: str) -> dict:
    return json.loads((runs / run_id / "status.json").read_text())


def commands(runs: Path, run_id: str) -> list[str]:
    """What a run was told to do, in order."""
    return [json.loads(line)["action"] for line in (runs / run_id / "control.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_a_run_is_watched_to_its_end_and_found_again(server, runs, open_page):
    page = open_page(address(server, QUICK))
    # The chart library is fetched while the settings are read, so that the first curve need not wait for it.
    page.wait_for_function("globalThis.Plotly")
    run_id = start(page)
    expect(page.get_by_text("Finished").first).to_be_visible()
    expect(page.get_by_text("step 60 of 60").first).to_be_visible()
    expect(page.locator(".st-key-loss_chart .js-plotly-plot")).to_be_visible()
    expect(page.locator(".st-key-film canvas").first).to_be_visible()
    assert len(list((runs / run_id / "film").glob("*.npz"))) > 5
    again = open_page(page.url)
    expect(again.get_by_text("step 60 of 60").first).to_be_visible()
    doors = again.locator("[data-testid=stMain]")
    expect(doors.get_by_text("Checkpoint at step 60:")).to_be_visible()
    # The film writes its head into the address when it has been fetched, after the texts around it.
    again.wait_for_url(re.compile("film="))
    settle(again)
    assert violations(again) == []
    again.emulate_media(color_scheme="dark")
    settle(again)
    assert faint_texts(again) == []
    head = parse_qs(urlsplit(again.url).query)["film"][0].split(".")
    doors.get_by_role("link", name="Attention").click()
    again.wait_for_url(re.compile("model=run"))
    expect(again.locator("[data-part=heatmap][data-exact=true]").first).to_be_visible()
    query = parse_qs(urlsplit(again.url).query)
    assert query["model"] == [f"run/{run_id}/60"]
    assert query["head"] == [f"{head[2]}.{head[3]}"]
    # The model travels on, and the run is open again on the way back.
    again.get_by_role("link", name="Inside the model").first.click()
    again.wait_for_url(re.compile("/inside"))
    expect(again.get_by_text(f"run/{run_id}/60").first).to_be_visible()
    again.get_by_role("link", name="Train").first.click()
    expect(again.get_by_text("step 60 of 60").first).to_be_visible()


@pytest.mark.slow
def test_two_browsers_with_two_runs_pause_step_and_stop_each_its_own(server, runs, open_page):
    first, second = open_page(address(server, ENDLESS)), open_page(address(server, ENDLESS))
    one, other = start(first), start(second)
    assert one != other
    for run_id in (one, other):
        until(lambda run_id=run_id: status(runs, run_id)["step"] > 0)
    first.get_by_role("button", name="Pause").click()
    until(lambda: status(runs, one)["state"] == "paused")
    halted = status(runs, one)["step"]
    expect(first.get_by_role("button", name="Resume")).to_be_visible()
    # As in a slow browser, the run's next poll goes off between the press and its message.
    first.evaluate(SLOW_TIMEOUTS)
    first.get_by_role("button", name="+1 step", exact=True).click()
    until(lambda: len(commands(runs, one)) > 1, "the command")
    first.wait_for_timeout(3 * SLOW_MILLISECONDS)
    assert commands(runs, one) == ["pause", "step"]
    until(lambda: status(runs, one)["step"] == halted + 1, f"the step after {halted}")
    assert status(runs, other)["state"] == "running"
    for page, run_id in ((first, one), (second, other)):
        page.get_by_role("button", name="Stop").click()
        until(lambda run_id=run_id: status(runs, run_id)["state"] == "stopped")
        expect(page.get_by_text("Stopped").first).to_be_visible()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_said_to_be_and_goes_on(server, runs, open_page):
    page = open_page(address(server, ENDLESS))
    run_id = start(page)
    until(lambda: (status(runs, run_id)["checkpoint"] or 0) >= 50)
    os.kill(status(runs, run_id)["pid"], signal.SIGKILL)
    expect(page.get_by_text(re.compile("signal 9"))).to_be_visible()
    page.get_by_role("button", name="Resume from last checkpoint").click()
    until(lambda: status(runs, run_id)["state"] == "running")
    page.get_by_role("button", name="Stop").click()
    until(lambda: status(runs, run_id)["state"] == "stopped")


def test_a_cold_deep_link_to_the_training_page_keeps_its_settings(serve, open_page, tmp_path):
    cold = serve(ROOT / "app.py", environment={"PLAYGROUND_RUNS": str(tmp_path)})
    page = open_page(f"{cold}/train?preset=grokking&changes={quote(json.dumps({'train': {'steps': 123}}))}")
    expect(page.get_by_text("By step 100 the training pairs")).to_be_visible()
    chosen = page.locator(".st-key-chosen_preset")
    expect(chosen).not_to_be_in_viewport()
    # A card's settings stand below all cards: its button opens them and brings them into sight.
    page.locator(".st-key-choose_grokking button").first.click()
    expect(chosen).to_be_in_viewport()
    expect(page.get_by_label("Task / preset")).to_be_in_viewport()
    field = page.locator("[class*=train-steps] input")
    expect(field).to_have_value("123")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_button_that_starts_a_run_can_be_read(server, open_page, scheme):
    page = open_page(address(server, QUICK))
    page.emulate_media(color_scheme=scheme)
    page.reload()
    button = page.locator(".st-key-start button")
    button.wait_for()
    assert contrast_of(button.locator("p"), button) > 4.5
