"""A newcomer asks: which head completes "Mary and John", and what happens without it? Six clicks are allowed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.helpers.settling import settle

ALLOWED = 6


class Walk:
    """Clicks, counted."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: Locator) -> None:
        expect(target).to_be_visible()
        target.click()
        self.clicks += 1


@pytest.mark.slow
def test_which_head_completes_mary_and_john_and_what_happens_without_it(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page, walk = open_page(app_server), Walk()
    walk.click(page.get_by_role("button", name="Which head knows the answer?"))
    says = page.get_by_text("Largest contributions to the logit of “␣John”: head 1.4 (+2.54)")
    expect(says).to_be_visible()
    walk.click(page.get_by_role("button", name="Without it"))
    says = page.get_by_text(re.compile(r"As it is: “␣John” 41\.\d%.*Without them: “(?!␣John)"))
    expect(says).to_be_visible()
    logit = page.get_by_test_id("stMetric").filter(has_text="Δ logit of target token")
    expect(logit).to_contain_text(re.compile(r"-3\.\d{4}"))
    expect(page.get_by_title("head 1.4", exact=True)).to_be_visible()
    expect(page.locator(".st-key-bar_head_panel").filter(has_text="Head 1.4").first).to_be_visible()
    assert walk.clicks <= ALLOWED
    assert "parts=decoder.1.4" in page.url


@pytest.mark.slow
def test_a_click_on_a_cell_puts_the_part_into_the_joint_set_and_selects_the_head(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/ablate?text=The+cat+sat+on+the+mat")
    cells = page.locator(".st-key-figure_ablated-decoder-divergence .nsewdrag")
    expect(cells).to_be_visible()
    # Six heads and three larger parts, six layers: head 2.1, and MLP 4.
    click_cell(page, cells, (1.5 / 9, 2.5 / 6))
    expect(page.get_by_title("head 2.1", exact=True)).to_be_visible()
    expect(page.locator(".st-key-bar_head_panel").filter(has_text="Head 2.1").first).to_be_visible()
    click_cell(page, cells, (7.5 / 9, 4.5 / 6))
    expect(page.get_by_title("MLP 4", exact=True)).to_be_visible()
    expect(page.locator(".st-key-bar_head_panel").filter(has_text="Head 2.1").first).to_be_visible()
    page.wait_for_url(re.compile("parts=decoder.2.1(,|%2C)decoder.4.feed_forward"))
    click_cell(page, cells, (1.5 / 9, 2.5 / 6))
    expect(page.get_by_title("head 2.1", exact=True)).to_be_hidden()


def click_cell(page: Page, cells: Locator, share: tuple[float, float]) -> None:
    settle(page, quiet=500)
    box = cells.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"])
    page.wait_for_timeout(200)
    page.mouse.down()
    page.mouse.up()


@pytest.mark.slow
def test_no_option_and_no_text_is_lost_on_the_way_through_the_sections(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/ablate?text=The+cat+sat+on+the+mat&by=zero&answer=+dog&judge=loss")
    text = page.locator(".st-key-bar_text textarea")
    expect(text).to_be_visible()
    text.fill("Anna gave Ben a red hat.")
    text.blur()
    page.wait_for_url(re.compile("Anna"))
    # Faster than a section is drawn: each click ends a run wherever it stands.
    for section in ("Find heads", "Activation patching", "Token attribution", "Interaction effects", "Ablation") * 3:
        page.get_by_role("radio", name=section, exact=True).click()
        page.wait_for_timeout(200)
    expect(text).to_have_value("Anna gave Ben a red hat.")
    expect(page.get_by_role("textbox", name="Target token")).to_have_value(" dog")
    expect(page.get_by_role("radio", name="Zero", exact=True)).to_be_checked()
    expect(page.get_by_role("radio", name="Δ loss (nats)", exact=True)).to_be_checked()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "figure"), [("writes", "figure_writers"), ("heads", "figure_search-decoder-previous")]
)
def test_a_click_on_a_bar_selects_its_head(
    app_server: str, open_page: Callable[[str], Page], section: str, figure: str
) -> None:
    page = open_page(f"{app_server}/ablate?text=The+cat+sat+on+the+mat&section={section}")
    chart = page.locator(f".st-key-{figure}")
    expect(chart.locator(".bars .point path").first).to_be_visible()
    settle(page, quiet=500)
    ticks = [(tick.text_content() or "", tick.bounding_box()) for tick in chart.locator(".ytick text").all()]
    heads = {re.sub("^head ", "", name): box for name, box in ticks if box and re.fullmatch(r"(head )?\d+\.\d+", name)}
    name, tick = min(heads.items(), key=lambda item: item[1]["y"])
    bars = [box for bar in chart.locator(".bars .point path").all() if (box := bar.bounding_box())]
    box = min(bars, key=lambda box: abs(box["y"] + box["height"] / 2 - tick["y"] - tick["height"] / 2))
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)
    page.mouse.down()
    page.mouse.up()
    head = page.locator(".st-key-bar_head_panel").filter(has_text=f"Head {name}").first
    expect(head).to_be_visible()
