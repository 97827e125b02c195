"""Compared lines and the moving threshold in a real browser."""

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
    return serve(HERE / "measures_app.py")


def test_lines_are_marked_linked_and_lit_together(open_page: Open, address: str, tmp_path: Path) -> None:
    page = open_page(address)
    lines = page.get_by_role("group", name="Lines")
    chips = lines.get_by_role("listitem")
    expect(chips).to_have_count(5)
    expect(chips.nth(1)).to_have_accessible_name("the, clipped")
    expect(chips.nth(1)).to_have_css("text-decoration-line", "line-through")
    expect(chips.nth(2)).to_have_text("<img␣src=x>")
    expect(page.locator(".links line")).to_have_count(1)
    chips.nth(3).hover()
    expect(lines.locator(".same")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download SVG").first.click()
    download.value.save_as(tmp_path / "lines.svg")
    picture = ElementTree.parse(tmp_path / "lines.svg").getroot()
    assert len(list(picture.iter(f"{SVG}line"))) == 1
    assert picture.find(f"{SVG}desc").text.startswith("line: 1\nlink: http://127.0.0.1:")


def test_an_alignment_has_a_column_for_each_step(open_page: Open, address: str) -> None:
    page = open_page(address)
    columns = page.get_by_role("group", name="Columns").get_by_role("list")
    expect(columns).to_have_count(2)
    expect(columns.nth(1).get_by_role("listitem").nth(1)).to_have_accessible_name("b, inserted")


def test_the_threshold_moves_in_the_browser_and_is_told_once_it_rests(open_page: Open, address: str) -> None:
    page = open_page(address)
    slider = page.get_by_role("slider", name="Threshold")
    expect(slider).to_have_attribute(
        "aria-valuetext", "Predicted “good” where the score is at least 0.8000", timeout=150_000
    )
    counts = page.locator("[data-count]")
    expect(counts).to_have_text(["1", "1", "1", "1"])
    # A drag tells nothing: the counts follow at once, and the script has not run again.
    slider.evaluate("node => { node.value = 1; node.dispatchEvent(new Event('input')); }")
    expect(counts).to_have_text(["1", "1", "0", "2"])
    expect(page.locator("[data-score=precision]")).to_have_text("1.000")
    expect(page.get_by_text("runs 1, threshold 0.5")).to_be_visible()
    slider.evaluate("node => node.dispatchEvent(new Event('change'))")
    expect(page.get_by_text("threshold 0.9")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV: curves").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert rows[0] == "# n: 4"
    assert rows[1].startswith("# link: http://127.0.0.1:")
    assert rows[2:4] == [
        "threshold,true_positives,false_positives,false_negatives,true_negatives,recall,false_positive_rate,precision",
        "inf,0,0,2,2,0,0,",
    ]
    assert rows[-1] == "0.2,2,2,0,0,1,1,0.5"
