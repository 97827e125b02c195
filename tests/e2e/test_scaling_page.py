"""The scaling page in a real browser: a pasted table becomes curves; a small sweep is run, reloaded, and looked at."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.tables import noisy_table

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    runs = tmp_path_factory.mktemp("runs")
    return serve(ROOT / "app.py", environment={"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "2"})


@pytest.mark.slow
def test_a_pasted_table_becomes_curves_that_a_link_brings_back(server: str, browser: Browser):
    context = browser.new_context(viewport={"width": 460, "height": 1000})
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(f"{server}/scaling?section=data")
    page.get_by_label("Table", exact=True).fill(noisy_table(), timeout=PATIENCE)
    page.get_by_role("button", name="Use this table").click()
    expect(page.get_by_text(re.compile("40 runs"))).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name="Curves").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Held-out error").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 460
    again = context.new_page()
    again.goto(page.url)
    expect(again.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
    context.close()
    assert trouble == []


@pytest.mark.slow
def test_a_small_sweep_is_watched_through_a_reload_to_its_fit_and_a_run_opens(server: str, browser: Browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(f"{server}/scaling?section=live&sweep_sizes=8x1,16x1&sweep_tokens=30000,60000")
    page.get_by_role("button", name="Run the sweep").click(timeout=PATIENCE)
    page.wait_for_url(re.compile("sweep=[A-Za-z0-9]"), timeout=PATIENCE)
    page.reload()
    expect(page.get_by_text("4 of 4 runs")).to_be_visible(timeout=2 * PATIENCE)
    expect(page.locator(".st-key-sweep_chart .js-plotly-plot")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".st-key-settling_chart .js-plotly-plot")).to_be_visible(timeout=PATIENCE)
    closer = page.get_by_role("link", name="Look closer under Curves").get_attribute("href")
    assert closer is not None
    page.goto(f"{server}/{closer.rpartition('/')[2]}")
    page.get_by_role("radio", name="Training curves").click(timeout=PATIENCE)
    expect(page.locator(".st-key-picture_training-curves .js-plotly-plot")).to_be_visible(timeout=PATIENCE)
    sweep = re.search("sweep=([^&]+)", page.url)
    assert sweep is not None
    page.goto(f"{server}/train?run={sweep[1]}-w8-l1-t60416-s0")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=PATIENCE)
    context.close()
