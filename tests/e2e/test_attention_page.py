"""The attention page in a real browser, on cold servers, with the embedded model."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from playground import load, trace
from tests.e2e.components.conftest import cell_position
from tests.helpers.waiting import until

ROOT = Path(__file__).resolve().parents[2]
TEXT = "The cat sat on the mat."
HOSTILE = "<img src=x onerror=alert(1)> </script><script>alert(2)</script>"
HEATMAP = "[data-part=heatmap]"


@pytest.fixture(scope="module")
def server(serve: Callable[..., str]) -> str:
    return serve(ROOT / "app.py")


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Iterator[Page]:
    """A page whose errors and dialogs fail the test."""
    page = new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    # Streamlit looks for its own server below a page's path first, and the browser reports that.
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" and "404" not in m.text else None)
    yield page
    assert trouble == []


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_be_visible()


def place(part: Locator) -> FloatRect:
    """Where a part stands; it must be on the page."""
    rect = part.bounding_box()
    assert rect is not None
    return rect


def has_room(field: FloatRect, menu: FloatRect, width: int) -> bool:
    """Whether a field ends inside the window, and before or above the menu beside it."""
    right, bottom = field["x"] + field["width"], field["y"] + field["height"]
    return right <= width and (right <= menu["x"] or bottom <= menu["y"])


def chosen(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("head", [""])[0]


def hover_value(page: Page, row: int, column: int) -> dict[str, object]:
    """Point at a cell of the heatmap and read what the figure says."""
    page.mouse.move(*cell_position(page, row, column))
    expect(page.locator(".figure")).to_have_attribute("data-hover", re.compile("weight"))
    return json.loads(page.locator(".figure").get_attribute("data-hover") or "{}")


def test_a_cold_deep_link_shows_the_picture_it_names(serve, page):
    address = serve(ROOT / "app.py")
    open_page(page, f"{address}/attention?text={quote(TEXT)}&head=2.3&scale=log&palette=cividis")
    expect(page.locator("h3", has_text="head 2.3")).to_be_visible()
    expect(page.locator("[data-choice=scale]")).to_have_value("log")
    assert chosen(page) == "2.3"


def test_the_value_under_the_pointer_is_numpys(server, page):
    open_page(page, f"{server}/?text={quote(TEXT)}&head=3.1")
    traced = trace(load("books-decoder"), TEXT)
    found = hover_value(page, 5, 2)
    assert (found["query"], found["key"]) == (5, 2)
    assert found["exact"] is True
    assert found["weight"] == pytest.approx(float(traced.attention(3, 1)[5, 2]), abs=1e-6)


def test_the_picture_begins_high_on_a_laptops_screen(server, page):
    page.set_viewport_size({"width": 1400, "height": 900})
    open_page(page, f"{server}/?text={quote(TEXT)}")
    grid = page.locator("[data-part=grid]")
    until(lambda: place(grid)["y"] <= 280, "the model at rest")
    for address, what in (
        (f"?text={quote(' '.join(['The cat sat on the mat.'] * 60))}", "a long text, which scrolls"),
        ("?model=tales-translator", "two texts and three kinds of attention"),
        ("", "the first visit, with its panel"),
    ):
        page.goto(f"{server}/{address}")
        expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_be_visible()
        until(lambda: place(grid)["y"] <= 280, what)
    expect(page.get_by_text("I know transformers")).to_be_visible()


def test_the_table_of_all_heads_has_its_last_column(server, page):
    """With the menu beside it, without, and on a telephone."""
    open_page(page, f"{server}/?text={quote(TEXT)}")
    table = page.locator(".all-heads .table-scroll")
    expect(table.locator("tbody tr")).to_have_count(36)
    for width in (1400, 1900, 1010, 390):
        page.set_viewport_size({"width": width, "height": 900})
        until(lambda: table.evaluate("node => node.scrollWidth <= node.clientWidth"), f"{width} px")


def test_a_long_name_of_a_model_leaves_room_for_the_text(server, page):
    """The text takes a line of its own on a telephone, and reaches under nothing on a narrow window."""
    folder = ROOT / "assets" / "models" / "books-decoder"
    open_page(page, f"{server}/?text={quote(TEXT)}&model={quote(str(folder))}")
    text, examples = page.locator(".st-key-bar_text"), page.locator(".st-key-examples")
    for width in (700, 390):
        page.set_viewport_size({"width": width, "height": 900})
        until(lambda width=width: has_room(place(text), place(examples), width), f"{width} px")


def test_a_pinned_token_keeps_its_position_when_special_tokens_are_hidden(server, page):
    """The start token stands at 0: hidden, it renumbers nothing."""
    open_page(page, f"{server}/?text={quote(TEXT)}&head=1.1&hide_special=true")
    shown = hover_value(page, 2, 1)
    assert (shown["query"], shown["key"]) == (3, 2)
    page.mouse.click(*cell_position(page, 2, 1))
    page.wait_for_url(re.compile("query=3"))
    rows = page.locator("[data-part=links] tbody tr")
    expect(rows.first).to_have_attribute("data-query", "3")
    expect(rows.first.locator("td").first).to_have_text("3␣sat")
    page.get_by_text("Hide special tokens").click()
    expect(page.locator(HEATMAP)).to_have_attribute("data-rows", "8")
    expect(rows.first).to_have_attribute("data-query", "3")
    assert "query=3" in page.url


def test_what_one_sees_is_said_above_the_map(server, page):
    open_page(page, f"{server}/?head=0.1")
    expect(page.locator("[data-part=finding]")).to_contain_text("Previous-token head on this text: 0.93")


def test_the_marks_are_closed_for_the_session(server, page):
    open_page(page, f"{server}/?text={quote(TEXT)}")
    page.get_by_role("button", name="Got it").click()
    expect(page.locator("[data-part=marks]")).to_be_hidden()
    page.get_by_role("link", name="Its numbers").click()
    expect(page.get_by_role("heading", name="Inside the model")).to_be_visible()
    page.get_by_role("link", name="Attention", exact=True).first.click()
    expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_be_visible()
    expect(page.locator("[data-part=marks]")).to_be_hidden()


def test_two_models_of_other_vocabularies_are_compared_by_words(server, page):
    page.goto(f"{server}/?mode=models&other_model=books-encoder&text={quote(TEXT)}&head=1.1")
    expect(page.locator(".st-key-difference .root[data-state=drawn]")).to_be_attached()
    expect(page.get_by_text("The tokens differ, so words are compared")).to_be_visible()
    page.locator(f"{HEATMAP}[data-exact=true]").nth(1).wait_for()
    button = page.locator("[class*=st-key-differs] button").nth(1)
    layer, head = button.inner_text().split()[1].split(".")
    button.click()
    page.wait_for_url(re.compile(rf"other_head={layer}\.{head}"))
    expect(page.locator("h3", has_text=f"head {layer}.{head}")).to_have_count(2)
    # One toolbar sets both sides; each has its own where they are not linked.
    arcs = page.locator("button[data-view=arcs]:visible")
    expect(arcs).to_have_count(1)
    arcs.click()
    expect(page.locator(f"{HEATMAP}:visible")).to_have_count(0)
    page.get_by_text("Link heads", exact=True).click()
    expect(arcs).to_have_count(2)
    arcs.nth(1).locator("xpath=preceding-sibling::button").click()
    expect(page.locator(f"{HEATMAP}:visible")).to_have_count(1)


def test_heads_are_chosen_by_click_and_by_key_and_stand_in_the_address(server, page):
    open_page(page, f"{server}/?text={quote(TEXT)}&head=0.0")
    grid = page.locator("[data-part=grid]")
    grid.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-part=live]")).to_contain_text("head 1.1")
    page.wait_for_url(re.compile(r"head=1\.1"))
    expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_be_visible()


def test_the_picture_follows_the_keys(server, page):
    open_page(page, f"{server}/?text={quote(TEXT)}")
    area = page.locator("textarea").first
    area.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" The dog sat, too.")
    page.wait_for_url(re.compile("dog"))
    count = len(trace(load("books-decoder"), TEXT + " The dog sat, too.").tokens)
    expect(page.locator(HEATMAP)).to_have_attribute("data-rows", str(count))
    expect(area).to_have_value(TEXT + " The dog sat, too.")


def test_an_example_replaces_the_text_and_the_back_of_the_queue_is_the_last_text(server, page):
    open_page(page, f"{server}/?text={quote(TEXT)}")
    page.get_by_role("button", name="Examples").click()
    page.get_by_text("Ambiguous word").click()
    expect(page.locator("textarea").first).to_have_value(re.compile("refused her the loan"))


def test_hostile_tokens_are_text(server, page):
    open_page(page, f"{server}/?text={quote(HOSTILE)}")
    assert page.locator("img[src=x]").count() == 0
    expect(page.locator("[data-part=links]")).to_be_attached()


def test_links_of_a_head_can_be_read_in_a_table(server, page):
    open_page(page, f"{server}/?text={quote(TEXT)}&head=1.2")
    rows = page.locator("[data-part=links] tbody tr")
    expect(rows.first).to_be_attached()
    first = rows.first.inner_text().split()
    strongest = trace(load("books-decoder"), TEXT).attention(1, 2).max()
    assert float(first[-1]) == pytest.approx(float(strongest), abs=1e-3)


def test_the_stand_alone_page_is_offered_and_opens_without_a_server(server, page, tmp_path):
    open_page(page, f"{server}/?text={quote(TEXT)}&head=2.2")
    page.get_by_text("Export: data, HTML, Python").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download HTML").click()
    target = tmp_path / "page.html"
    download.value.save_as(target)
    page.goto(target.as_uri())
    expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_be_visible()
    expect(page.locator("footer")).to_contain_text("model: books-decoder")


def test_two_texts_are_subtracted(server, page):
    page.goto(f"{server}/?mode=Two+texts&text={quote(TEXT)}&other_text={quote('The dog sat on the mat.')}&head=2.1")
    expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_have_count(2)
    expect(page.locator(".st-key-difference canvas").first).to_be_visible()


@pytest.mark.slow
def test_a_model_is_fetched_and_read_as_a_sentence_pair(serve, page, tmp_path):
    """The real download, from whichever source answers."""
    address = serve(ROOT / "app.py", environment={"PLAYGROUND_CACHE": str(tmp_path)})
    page.goto(f"{address}/?model=all-minilm-l6-v2&pair={quote('A dog lay on the rug.')}")
    page.get_by_role("button", name="Download").click()
    expect(page.locator(f"{HEATMAP}[data-exact=true]")).to_be_visible()
    page.locator("[data-choice=pairs]").select_option("a-b")
    page.wait_for_url(re.compile("pairs=a-b"))


def test_cancelling_a_download_leaves_nothing(serve, page, tmp_path):
    address = serve(ROOT / "app.py", environment={"PLAYGROUND_CACHE": str(tmp_path)})
    page.goto(f"{address}/?model=smollm2-135m")
    page.get_by_role("button", name="Download").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    assert [path for path in tmp_path.rglob("*.safetensors") if path.is_file()] == []
