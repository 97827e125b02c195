"""Taking apart in a real browser, from a cold server's deep link to a reload; work is cancelled and begun again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90_000
MAP = ".st-key-figure_ablated-decoder-{judge} .heatmaplayer image"


@pytest.mark.slow
def test_a_cold_deep_link_shows_every_head_alone_and_another_measure_stays(
    serve: Callable[..., str], open_page: Callable[[str], Page]
) -> None:
    cold = serve(ROOT / "app.py")
    page = open_page(f"{cold}/ablate?text=The+cat+sat+on+the+mat&by=mean")
    expect(page.locator(MAP.format(judge="divergence"))).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name="change of the watched logit").click()
    expect(page.locator(MAP.format(judge="logit"))).to_be_visible(timeout=PATIENCE)
    page.wait_for_url(re.compile("judge=logit"), timeout=PATIENCE)
    page.reload()
    expect(page.locator(MAP.format(judge="logit"))).to_be_visible(timeout=PATIENCE)
    assert "by=mean" in page.url


@pytest.mark.slow
def test_long_work_can_be_cancelled_and_begun_again(
    serve: Callable[..., str], open_page: Callable[[str], Page]
) -> None:
    cold = serve(ROOT / "app.py")
    text = "+".join(["the+cat+sat+on+the+mat"] * 30)
    page = open_page(f"{cold}/ablate?text={text}&section=flow&method=gradients")
    page.get_by_role("button", name="Cancel").click(timeout=PATIENCE)
    again = page.get_by_role("button", name="Compute it")
    expect(again).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    again.click()
    expect(page.get_by_role("button", name="Cancel").or_(page.locator(".js-plotly-plot")).first).to_be_visible(
        timeout=PATIENCE
    )
