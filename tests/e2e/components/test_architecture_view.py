"""The drawing of an architecture in a real browser: boxes are chosen by pointer and keyboard; it is saved."""

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
    """The address of the page with drawings."""
    return serve(HERE / "architecture_app.py")


def test_a_box_is_chosen_and_the_drawing_is_saved(open_page: Open, address: str, tmp_path: Path) -> None:
    page = open_page(address)
    chosen, shown = page.locator(".st-key-chosen"), page.locator(".st-key-shown")
    box = chosen.get_by_role("button", name="Self-attention").first
    expect(box).to_be_visible()
    box.hover()
    expect(chosen.get_by_role("tooltip")).to_contain_text("encoder.blocks.0.attention.query_key_value.weight: 72 × 24")
    expect(chosen.get_by_role("tooltip")).to_contain_text("Click: its numbers")
    assert box.evaluate(
        "node => (node.dispatchEvent(new MouseEvent('click', { bubbles: true })), node.classList.contains('pressed'))"
    )
    expect(page.get_by_text("encoder encoder.blocks.0.attention", exact=True)).to_be_visible()
    chosen.get_by_role("button", name="Cross-attention").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_text("decoder blocks.0.cross_attention_norm", exact=True)).to_be_visible()
    expect(shown.get_by_role("img", name="Cross-attention")).to_be_visible()
    with page.expect_download() as download:
        chosen.get_by_role("button", name="Download SVG").click()
    assert download.value.suggested_filename == "two-stacks.svg"
    download.value.save_as(tmp_path / "drawing.svg")
    picture = ElementTree.parse(tmp_path / "drawing.svg").getroot()
    texts = ["".join(node.itertext()) for node in picture.iter(f"{SVG}text")]
    assert texts[-1] == "model: <none>"
    assert "light-dark" not in "".join(picture.find(f"{SVG}style").itertext())
    with page.expect_download() as download:
        chosen.get_by_role("button", name="Download PNG").click()
    download.value.save_as(tmp_path / "drawing.png")
    assert (tmp_path / "drawing.png").read_bytes().startswith(b"\x89PNG")
    page.set_viewport_size({"width": 390, "height": 900})
    expect(chosen.locator("svg")).to_have_attribute("width", "330")  # the decoder below the encoder
