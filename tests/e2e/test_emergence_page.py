"""The Emergence page in a real browser: the metric is switched, and a run is trained and measured now."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.settling import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], runs: Path) -> str:
    return serve(ROOT / "app.py", environment={"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "1"})


def curves(page: Page, measure: str, count: int) -> list[list[float | None]]:
    """The values of each curve of the measure's picture as plotly holds them, once it has as many curves."""
    picture = page.get_by_role("figure", name=f"addition: {measure}")
    expect(picture).to_have_count(1)
    script = "(node, count) => node.data?.length === count ? node.data.map(trace => Array.from(trace.y)) : null"
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        found: list[list[float | None]] | None = picture.evaluate(script, count)
        if found is not None:
            return found
        page.wait_for_timeout(100)
    pytest.fail(f"The picture of {measure} never had {count} curves.")


@pytest.mark.slow
def test_the_metric_is_switched_and_a_run_is_trained_now(server, runs, browser: Browser):
    trouble: list[str] = []
    page = browser.new_context(viewport={"width": 1300, "height": 1200}).new_page()
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(f"{server}/emergence?over=training&cell=addition-8")
    steep = curves(page, "Exact match", 2)[0]
    page.get_by_role("radio", name="Token accuracy").click()
    page.wait_for_url(re.compile("measure=token_accuracy"))
    even = curves(page, "Token accuracy", 1)[0]
    assert len(even) == len(steep)
    assert all(one >= other for one, other in zip(even, steep, strict=True))
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_have_count(1)
    start.click()
    page.wait_for_url(re.compile("run="))
    curves(page, "Token accuracy", 2)
    expect(page.get_by_text(re.compile(r"[1-9]\d* checkpoints measured"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("^The run was stopped after step"))).to_be_visible()
    (folder,) = (path for path in runs.iterdir() if path.is_dir())
    assert json.loads((folder / "status.json").read_text())["state"] == "stopped"
    page.close()
    assert trouble == []
