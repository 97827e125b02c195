"""The page inside a head in a real browser, from a deep link to a reload."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.pretrained_folders import build, save_tokenizer
from tests.helpers.settling import settle


@pytest.mark.slow
def test_a_deep_link_shows_its_step_and_the_keys_and_the_map_lead_on(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/inside?text=The+cat+sat&head=1.2&query=2&step=mask")
    expect(page.get_by_text(re.compile(r"(All 3|3 of \d+) keys are visible"))).to_be_visible()
    expect(page.get_by_text(re.compile("Verified: max. error")).first).to_be_visible()
    current = page.locator("button[aria-current=step]")
    expect(current).to_have_text("7 Mask")
    page.keyboard.press("ArrowRight")
    expect(current).to_have_text("8 Softmax")
    page.keyboard.press("ArrowLeft")
    expect(current).to_have_text("7 Mask")
    expect(page.get_by_role("heading", name="7. Bias and mask")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(current).to_have_text("8 Softmax")
    softmax = page.get_by_role("figure", name="Weight of each key")
    expect(softmax.locator(".heatmaplayer image").first).to_be_visible()
    page.wait_for_url(re.compile("step=softmax"))
    page.locator("[class*=st-key-bar_token] input").click()
    page.get_by_role("option").nth(1).click()
    page.wait_for_url(re.compile("query=1"))
    settle(page)
    page.get_by_role("button", name="7 Mask").click()
    expect(page.get_by_text(re.compile(r"2 of \d+ keys are visible"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile(r"2 of \d+ keys are visible"))).to_be_visible()
    page.get_by_role("button", name="Probabilities").click()
    expect(page.get_by_role("heading", name=re.compile("21. Probabilities"))).to_be_visible()
    expect(page.get_by_text(re.compile("Verified: logits to")).first).to_be_visible()
    expect(page.get_by_role("button", name="Next step")).to_be_disabled()
    page.get_by_role("radio", name="Toy example").click()
    expect(page.get_by_text(re.compile("weights of 1 cat sum to 1.000000"))).to_be_visible()
    expect(page.get_by_role("figure", name="From scores to weights")).to_be_visible()


@pytest.mark.slow
def test_the_left_key_ends_at_the_first_step_and_stays_in_a_field(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/inside?text=The+cat+sat&head=1.2&query=2&step=norm")
    current = page.locator("button[aria-current=step]")
    expect(current).to_have_text("2 Norm")
    settle(page)
    # In a field the key moves the caret.
    page.locator("[class*=st-key-bar_token] input").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    expect(current).to_have_text("2 Norm")
    page.evaluate("document.activeElement.blur()")
    for _press in range(2):
        page.keyboard.press("ArrowLeft")
        expect(current).to_have_text("1 Embedding")
    expect(page.get_by_role("button", name="Previous step")).to_be_disabled()
    page.wait_for_url(re.compile("^((?!step=norm).)*$"))
    expect(page.get_by_role("heading", name="1. Embedding and position")).to_be_visible()


@pytest.mark.slow
def test_a_number_that_is_clicked_lists_its_terms_and_a_reload_brings_them_back(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/inside?text=The+cat+sat&head=1.2&step=projection")
    keys = page.get_by_role("figure", name="The keys", exact=True)
    expect(keys.locator(".heatmaplayer image").first).to_be_visible()
    keys.scroll_into_view_if_needed()
    area = keys.locator(".nsewdrag").bounding_box()
    assert area is not None
    page.mouse.click(area["x"] + 0.5 / 32 * area["width"], area["y"] + 0.3 * area["height"])
    listed = re.compile("The 192 terms below sum to")
    expect(page.get_by_text(listed)).to_be_visible()
    page.wait_for_url(re.compile(r"numbers=projection(:|%3A)k\.1\.0"))
    page.reload()
    expect(page.get_by_text(listed)).to_be_visible()
    page.locator(".st-key-close_projection button").first.click()
    expect(page.get_by_text(listed)).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 390])
def test_every_weight_is_readable_and_the_page_is_no_wider_than_the_window(
    app_server: str, open_page: Callable[[str], Page], width: int
) -> None:
    page = open_page(f"{app_server}/inside?head=1.2&step=softmax")
    page.set_viewport_size({"width": width, "height": 900})
    for name, numbers in (("Weight of each key", 20), ("z: the sum of the weighted values", 32)):
        if name.startswith("z"):
            page.get_by_role("button", name="Weighted sum").click()
        figure = page.get_by_role("figure", name=name)
        expect(figure.locator(".heatmaplayer image").first).to_be_visible()
        upright = figure.locator(".annotation-text")
        written = figure.locator(".textpoint text")
        page.wait_for_function(
            "([figure, count]) => figure.querySelectorAll('.annotation-text, .textpoint text').length === count",
            arg=[figure.element_handle(), numbers],
        )
        sizes = [*upright.evaluate_all(SIZES), *written.evaluate_all(SIZES)]
        assert all(size >= 11 for size in sizes)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


SIZES = "nodes => nodes.map((node) => parseFloat(getComputedStyle(node).fontSize))"


@pytest.mark.slow
def test_a_mixtures_router_is_reached_by_key_and_a_row_of_its_neurons_is_traced(
    app_server: str, open_page: Callable[[str], Page], tmp_path: Path
) -> None:
    build("mixtral").save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    page = open_page(f"{app_server}/inside?model={quote(str(tmp_path))}&text=the+cat+sat&step=feed_forward_norm")
    current = page.locator("button[aria-current=step]")
    expect(current).to_have_text("12 Norm")
    page.keyboard.press("ArrowRight")
    expect(current).to_have_text("13 Router")
    expect(page.get_by_text(re.compile(r"goes through 2 of 4 experts: \d \([\d.]+%\), \d \([\d.]+%\)"))).to_be_visible()
    shares = page.get_by_role("figure", name="Scores of all experts, and the shares of those chosen")
    expect(shares.locator(".heatmaplayer image").first).to_be_visible()
    page.get_by_role("button", name="18 Neurons").click()
    expect(page.get_by_role("figure", name=re.compile("Activation of neuron"))).to_be_visible()
    settle(page)
    # The table is a canvas: the box that selects the third row, below the headings.
    page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 3.5 * 35})
    page.wait_for_url(re.compile("neuron="))
    (chosen,) = parse_qs(urlparse(page.url).query)["neuron"]
    shown = re.compile(f"Activation of neuron {re.escape(chosen)} times its expert's share")
    expect(page.get_by_role("figure", name=shown)).to_be_visible()
    expect(page.get_by_label("Neuron to trace")).to_have_value(chosen.split(".")[1])
