"""Tokens in a real browser, and their picture."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
HERE = Path(__file__).parent
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """The address of the page with tokens."""
    return serve(HERE / "tokens_app.py")


def test_the_text_is_saved_as_it_is_laid_out_with_its_origin(open_page: Open, address: str, tmp_path: Path) -> None:
    page = open_page(address)
    clicked = page.locator(".st-key-named").get_by_role("button", name="no name at all")
    assert clicked.evaluate(
        "node => (node.dispatchEvent(new MouseEvent('click', { bubbles: true })), node.classList.contains('pressed'))"
    )
    save = page.locator(".st-key-text").get_by_role("button", name="Download SVG")
    expect(save).to_be_visible()
    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "a-long-text.svg"
    download.value.save_as(tmp_path / "text.svg")
    picture = ElementTree.parse(tmp_path / "text.svg").getroot()
    texts = ["".join(node.itertext()) for node in picture.iter(f"{SVG}text")]
    assert texts[-3:-1] == ["model: <none>", "text: 'The cat'"]
    assert texts[-1].startswith("link: http://127.0.0.1:")
    for word in ("The", "<b>cat</b>", "猫", "&"):
        assert sum(word in text for text in texts[:-3]) == 30
    boxes = list(picture.iter(f"{SVG}rect"))
    assert sum(box.get("stroke") is not None for box in boxes) == 1
    assert len(boxes) > 150
    assert all(re.fullmatch(r"rgb\(\d+, \d+, \d+\)|none", box.get("fill", "")) for box in boxes)
    assert picture.find(f"{SVG}desc").text.startswith("model: <none>\ntext: 'The cat'\nlink: http://127.0.0.1:")
    lowest = max(float(node.get("y", 0)) for node in picture.iter(f"{SVG}text"))
    assert lowest <= float(picture.get("height", 0))


def test_what_has_no_origin_is_not_offered(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect(page.locator(".st-key-bars").get_by_text("75%")).to_be_visible()
    expect(page.locator(".st-key-bars").get_by_role("button", name="Download SVG")).to_be_hidden()


def test_a_row_has_two_bars_and_a_removed_token_is_crossed_out(open_page: Open, address: str) -> None:
    page = open_page(address)
    rows = page.locator(".st-key-pairs .row.paired:not(.legend)")
    expect(rows.first).to_be_visible()
    expect(page.locator(".st-key-pairs .legend")).to_have_text("modelafter filters")
    widths = "node => [...node.querySelectorAll('.share')].map((share) => share.style.inlineSize)"
    assert rows.nth(0).evaluate(widths) == ["75%", "100%"]
    assert rows.nth(1).evaluate(widths) == ["25%", "0%"]
    crossed = "node => getComputedStyle(node.querySelector('.token')).textDecorationLine"
    assert [rows.nth(index).evaluate(crossed) for index in (0, 1)] == ["none", "line-through"]
    expect(page.get_by_role("button", name="␣no, 25%, removed")).to_be_visible()


def test_a_kind_has_its_colour_and_its_label_and_a_text_its_spaces(open_page: Open, address: str) -> None:
    page = open_page(address)
    chips = page.locator(".st-key-named .chip")
    expect(chips.first).to_be_visible()
    expect(chips.nth(0).locator(".tag")).to_have_text("<i>PER</i>")
    expect(chips.nth(1).locator(".tag")).to_have_count(0)
    colours = [chips.nth(index).evaluate("node => getComputedStyle(node).backgroundColor") for index in range(3)]
    assert len(set(colours)) == 3
    assert chips.nth(2).inner_text() == "no name at all"
    expect(page.get_by_role("button", name="no name at all")).to_be_visible()
