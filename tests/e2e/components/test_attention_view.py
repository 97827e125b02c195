"""The attention view in a real browser, on synthetic maps whose values numpy knows."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.components.conftest import (
    cell_position,
    hover_cell,
    reported,
    thumb_position,
    wait_for_report,
    wait_until_exact,
)
from tests.helpers import synthetic

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def small() -> np.ndarray:
    """The maps of the page's case "small"."""
    return synthetic.attention(12, 12, 64, 64, True)


def pixel(page: Page, selector: str, x: float, y: float) -> list[int]:
    """Return one pixel of a canvas; x and y are shares of its size."""
    script = """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
        Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data]"""
    return list(page.locator(selector).first.evaluate(script, [x, y]))


def first_corner(page: Page) -> tuple[float, float]:
    """Return where the first thumbnail's first weight, which is 1, is painted."""
    width, height = page.locator(".thumbs").evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    return 22.5 / width, 5.5 / height


def test_grid_is_painted(open_view: Open) -> None:
    page = open_view("small")
    script = """canvas => new Set(new Uint32Array(canvas.getContext("2d")
        .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    assert page.locator(".thumbs").evaluate(script) > 50
    assert float(page.locator(".root").get_attribute("data-paint") or "inf") < 300


def test_click_chooses_a_head_and_reports_it(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    page.mouse.click(*thumb_position(page, 3, 7, 12, 12))
    expect(page.locator("h3")).to_have_text("head 3.7")
    expect(page.locator("[data-part=live]")).to_have_text("head 3.7 chosen")
    state = wait_for_report(page, '"layer": 3, "head": 7')
    assert state["selected"] == {"layer": 3, "head": 7, "combine": "head"}
    wait_until_exact(page)
    assert hover_cell(page, 40, 12)["value"] == f"{float(small[3, 7, 40, 12]):#.4g}"


def test_keys_choose_a_head(open_view: Open) -> None:
    page = open_view("small")
    page.locator("[data-part=grid]").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "End", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("h3")).to_have_text("head 1.10")
    expect(page.locator("#active-head")).to_have_text("head 1.10")
    wait_for_report(page, '"layer": 1, "head": 10')


def test_hover_is_exact(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    for row, column in ((10, 3), (63, 0), (33, 32)):
        shown = hover_cell(page, row, column)
        assert (shown["query"], shown["key"], shown["exact"]) == (row, column, True)
        assert np.float32(shown["weight"]) == small[0, 0, row, column]
    assert hover_cell(page, 3, 40)["weight"] is None, "a causal model cannot look ahead"


def test_values_from_the_overview_are_marked(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small", exact=False)
    shown = hover_cell(page, 2, 1)
    assert shown["value"].startswith("≈ ")
    assert shown["weight"] == pytest.approx(float(small[0, 0, 2, 1]), abs=0.01)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("previous > 0.5", lambda scores: scores["previous"] > 0.5),
        ("induction>.5 AND entropy < 2", lambda scores: (scores["induction"] > 0.5) & (scores["entropy"] < 2)),
        ("not (first >= 0.2 or local >= 0.2)", lambda scores: (scores["first"] < 0.2) & (scores["local"] < 0.2)),
    ],
)
def test_filter_counts_what_matches(open_view: Open, small: np.ndarray, text: str, expected: Any) -> None:
    page = open_view("small")
    count = int(expected(synthetic.head_scores(small)).sum())
    assert 0 < count < 144
    page.locator("[data-part=filter]").fill(text)
    expect(page.locator(".filter-result")).to_have_text(f"{count} of 144 heads match")
    expect(page.locator(".heads tr.dim")).to_have_count(144 - count)
    assert wait_for_report(page, json.dumps(text))["settings"]["filter"] == text


def test_filter_dims_thumbnails(open_view: Open) -> None:
    page = open_view("small")
    x, y = first_corner(page)
    before = pixel(page, ".thumbs", x, y)
    page.locator("[data-part=filter]").fill("layer > 5")
    expect(page.locator(".filter-result")).to_have_text("72 of 144 heads match")
    after = pixel(page, ".thumbs", x, y)
    assert sum(after[:3]) > sum(before[:3]) + 200, "the corner of head 0 is full weight: dark, then dimmed"


@pytest.mark.parametrize("text", ["induction >", "bogus > 1", "previous 0.5", "(previous > 1", "previous > 1 first"])
def test_filter_explains_what_is_wrong(open_view: Open, text: str) -> None:
    page = open_view("small")
    page.locator("[data-part=filter]").fill(text)
    expect(page.locator(".filter-result.error")).not_to_be_empty()
    expect(page.locator("[data-part=filter]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".heads tr.dim")).to_have_count(0)


def test_pin_by_click_and_escape(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    page.mouse.click(*cell_position(page, 20, 5))
    state = wait_for_report(page, '"index": 20')
    assert state["settings"]["pin"] == {"axis": "query", "index": 20, "also": []}
    rows = page.locator("[data-part=links] tbody tr")
    order = np.argsort(-small[0, 0, 20])[:20]
    assert [int(row.get_attribute("data-key") or -1) for row in rows.all()] == order.tolist()
    assert {row.get_attribute("data-query") for row in rows.all()} == {"20"}
    page.keyboard.press("Escape")
    assert wait_for_report(page, '"pin": null')["settings"]["pin"] is None


def label_position(page: Page, axis: str, cell: int) -> tuple[float, float]:
    """The place just outside the plot where a row's or a column's label stands."""
    x, y = cell_position(page, cell if axis == "query" else 0, cell if axis == "key" else 0)
    box = page.locator("[data-part=heatmap]").first.bounding_box()
    data = page.locator("[data-part=heatmap]").first.evaluate("node => ({...node.dataset})")
    assert box is not None
    return (box["x"] + float(data["left"]) - 14, y) if axis == "query" else (x, box["y"] + float(data["top"]) - 4)


def listed(page: Page) -> list[str]:
    """The weights in the table of links."""
    return [cell.inner_text() for cell in page.locator("[data-part=links] tbody td.numeric").all()]


def largest(weights: np.ndarray) -> list[str]:
    return [f"{float(weight):#.4g}" for weight in np.sort(weights)[::-1][:3]]


def test_several_queries_are_chosen_by_a_drag_by_modifiers_and_by_clicks_alone(
    open_view: Open, small: np.ndarray
) -> None:
    page = open_view("small")
    page.mouse.move(*label_position(page, "query", 20))
    page.mouse.down()
    page.mouse.move(*label_position(page, "query", 22))
    page.mouse.move(*label_position(page, "query", 23))
    page.mouse.up()
    pin = wait_for_report(page, '"also": [21, 22, 23]')["settings"]["pin"]
    assert pin == {"axis": "query", "index": 20, "also": [21, 22, 23]}
    expect(page.locator("[data-part=chosen]")).to_contain_text("4 queries chosen: the mean of their weights.")
    expect(page.locator("[data-part=links] h4")).to_have_text("Attention from 4 tokens, mean")
    assert listed(page)[:3] == largest(small[0, 0, 20:24].mean(0))
    page.keyboard.down("Control")
    page.mouse.click(*label_position(page, "query", 22))
    page.keyboard.up("Control")
    page.locator("[data-choice=gather]").select_option("sum")
    expect(page.locator("[data-part=links] h4")).to_have_text("Attention from 3 tokens, sum")
    assert listed(page)[:3] == largest(small[0, 0, [20, 21, 23]].sum(0))
    page.locator("[data-part=several]").click()
    page.mouse.click(*cell_position(page, 40, 3))
    assert wait_for_report(page, '"also": [21, 23, 40]')["settings"]["gather"] == "sum"
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[data-part=chosen]")).to_be_hidden()


def test_several_keys_are_chosen_by_shift_and_by_keyboard(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    page.mouse.click(*label_position(page, "key", 2))
    page.keyboard.down("Shift")
    page.mouse.click(*label_position(page, "key", 4))
    page.keyboard.up("Shift")
    wait_for_report(page, '"axis": "key", "index": 2, "also": [3, 4]')
    expect(page.locator("[data-part=links] h4")).to_have_text("Attention to 3 tokens, sum")
    assert listed(page)[:3] == largest(small[0, 0][:, 2:5].sum(1))
    page.mouse.move(*cell_position(page, 10, 5))
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    pin = wait_for_report(page, '"also": [11, 12]')["settings"]["pin"]
    assert pin == {"axis": "query", "index": 10, "also": [11, 12]}
    expect(page.locator("[data-part=live]")).to_contain_text("3 queries chosen")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    wait_for_report(page, '"also": [11, 12, 14]')


def test_words_put_their_pieces_together(open_view: Open, small: np.ndarray) -> None:
    """Words of three tokens each, and a last one of one."""
    page = open_view("small", words="1", state={"settings": {"pin": {"axis": "query", "index": 31, "also": [35]}}})
    page.locator("[data-units=words]").click()
    heatmap = page.locator("[data-part=heatmap]")
    expect(heatmap).to_have_attribute("data-rows", "22")
    groups = [range(start, min(start + 3, 64)) for start in range(0, 64, 3)]
    maps = np.array([[small[0, 0][np.ix_(query, key)].sum(1).mean() for key in groups] for query in groups])
    found = hover_cell(page, 9, 4)
    assert (found["query"], found["key"]) == (27, 12)
    assert found["weight"] == pytest.approx(maps[9, 4], rel=1e-5)
    assert listed(page)[:3] == largest(maps[[10, 11]].mean(0))
    expect(page.locator(".notes")).to_contain_text("By word: attention to a word is the sum over its tokens")
    assert wait_for_report(page, '"units": "words"')["settings"]["pin"]["also"] == [35]
    page.locator("[data-view=arcs]").click()
    expect(page.locator("[data-part=links] h4")).to_have_text("Attention from 2 tokens, mean")


def test_scores_follow_a_picture_that_keeps_their_places(open_view: Open) -> None:
    page = open_view("small", scores="later")
    heads = page.locator("[data-part=heads]")
    expect(heads.locator(".note")).to_have_text("The head scores are being computed …")
    expect(page.locator("[data-score=induction] .number")).to_have_text("…")
    before = heads.bounding_box()
    page.locator("[data-part=filter]").fill("previous > 0.5")
    expect(page.locator(".filter-result")).to_have_text("The head scores are being computed …")
    # A button is pressed for one run: a report that comes after it would begin another.
    wait_for_report(page, "previous > 0.5")
    page.get_by_role("button", name="Send the scores").click()
    expect(heads.locator("tbody tr")).to_have_count(144)
    expect(page.locator(".filter-result")).to_contain_text("of 144 heads match")
    expect(page.locator("[data-part=finding]")).to_have_text("Head 0.0, in a sentence.")
    after = heads.bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] == pytest.approx(before["height"], abs=3)


def test_keyboard_reads_cells_and_pins(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    page.locator("[data-part=heatmap]").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    value = f"{float(small[0, 0, 2, 1]):#.4g}"
    expect(page.locator("[data-part=live]")).to_contain_text(value)
    page.keyboard.press("Enter")
    wait_for_report(page, '"index": 2')


def test_strongest_links_are_the_strongest(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    shown = [float(text) for text in page.locator("[data-part=links] tbody td.numeric").all_inner_texts()]
    expected = np.sort(small[0, 0].ravel())[::-1][:20]
    assert shown == pytest.approx(expected.tolist(), rel=1e-3)


def test_table_sorts_and_chooses(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    page.locator("[data-sort=entropy]").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("entropy")
    layer, head = np.unravel_index(np.argmax(synthetic.head_scores(small)["entropy"]), (12, 12))
    page.locator(".heads tbody tr").first.click()
    expect(page.locator("h3")).to_have_text(f"head {layer}.{head}")
    expect(page.locator(".heads tr[aria-selected=true]")).to_have_count(1)


def test_zoom_by_wheel_and_keys(open_view: Open) -> None:
    page = open_view("small")
    heatmap = page.locator("[data-part=heatmap]")
    page.mouse.move(*cell_position(page, 30, 10))
    page.mouse.wheel(0, -240)
    expect(heatmap).not_to_have_attribute("data-frame", "0,0,1,1")
    heatmap.focus()
    page.keyboard.press("0")
    expect(heatmap).to_have_attribute("data-frame", "0,0,1,1")
    page.keyboard.press("+")
    expect(page.locator(".minimap")).to_be_visible()
    page.mouse.dblclick(*cell_position(page, 30, 10))
    expect(heatmap).to_have_attribute("data-frame", "0,0,1,1")


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("layer mean", lambda maps: maps[2].mean(0)),
        ("all max", lambda maps: maps.max((0, 1))),
    ],
)
def test_aggregates(open_view: Open, small: np.ndarray, combine: str, expected: Any) -> None:
    page = open_view("small", state={"selected": {"layer": 2, "head": 5}})
    page.locator("[data-choice=combine]").select_option(combine)
    wait_for_report(page, combine)
    wait_until_exact(page)
    assert hover_cell(page, 30, 7)["weight"] == pytest.approx(float(expected(small)[30, 7]), rel=1e-6)


def test_hostile_tokens_are_text(open_view: Open) -> None:
    page = open_view("hostile")
    assert hover_cell(page, 0, 0)["exact"]
    expect(page.locator(".tip .token").first).to_have_text("<img␣src=x␣onerror=alert(1)>")
    page.locator("[data-view=arcs]").click()
    page.locator("[data-part=arcs]").wait_for()
    assert page.locator(".root img").count() == 0
    assert page.locator(".links .token", has_text="<img").count() > 0


def test_state_restores_everything(open_view: Open) -> None:
    state = {
        "selected": {"layer": 4, "head": 9, "combine": "head"},
        "settings": {
            "scale": "log",
            "range": "row",
            "palette": "cividis",
            "view": "arcs",
            "pin": {"axis": "key", "index": 6, "also": [9, 11]},
            "filter": "first > 0.2",
            "pairs": "all",
            "units": "words",
            "gather": "mean",
        },
    }
    page = open_view("small", state=state, words="1")
    expect(page.locator("h3")).to_have_text("head 4.9")
    expect(page.locator("[data-units=words]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-view=arcs]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-choice=scale]")).to_have_value("log")
    expect(page.locator("[data-part=filter]")).to_have_value("first > 0.2")
    expect(page.locator("[data-part=links] h4")).to_contain_text("Attention to")
    assert reported(page) == state


def test_python_can_move_the_view(open_view: Open) -> None:
    page = open_view("small")
    page.mouse.click(*thumb_position(page, 8, 8, 12, 12))
    wait_for_report(page, '"layer": 8, "head": 8')
    page.get_by_role("button", name="Choose layer 1, head 2").click()
    expect(page.locator("h3")).to_have_text("head 1.2")
    wait_for_report(page, '"layer": 1, "head": 2')


def test_a_new_text_keeps_zoom_pin_and_choice(open_view: Open, small: np.ndarray) -> None:
    page = open_view("small")
    page.mouse.click(*thumb_position(page, 2, 3, 12, 12))
    page.mouse.click(*cell_position(page, 20, 5))
    wait_for_report(page, '"index": 20')
    page.keyboard.press("+")
    heatmap = page.locator("[data-part=heatmap]")
    expect(heatmap).not_to_have_attribute("data-frame", "0,0,1,1")
    frame = heatmap.get_attribute("data-frame") or ""
    page.get_by_role("button", name="Other text").click()
    page.locator(".root[data-trace=small-view-1]").wait_for()
    wait_until_exact(page)
    expect(page.locator("h3")).to_have_text("head 2.3")
    expect(heatmap).to_have_attribute("data-frame", frame)
    weights = page.locator("[data-part=links] tbody td.numeric").all_inner_texts()
    assert float(weights[0]) == pytest.approx(float(small[2, 8, 20].max()), rel=1e-3)


def test_a_click_costs_one_head(open_view: Open, open_page: Open) -> None:
    page = open_page("about:blank")
    sizes: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sizes.append(len(frame))))
    other = open_view("small")
    page.goto(other.url)
    page.locator("[data-part=heatmap][data-exact=true]").wait_for()
    page.locator(".st-key-report [data-testid=stText]").wait_for()
    assert max(sizes) > 144 * 64 * 65 // 2
    sizes.clear()
    page.mouse.click(*thumb_position(page, 5, 5, 12, 12))
    wait_for_report(page, '"layer": 5, "head": 5')
    assert max(sizes) < 4 * 64 * 65 // 2 + 12_000


def test_pairs_filter_and_captions(open_view: Open) -> None:
    page = open_view("pair")
    expect(page.locator(".notes")).to_contain_text("First token excluded")
    page.locator("[data-choice=pairs]").select_option("a-b")
    wait_for_report(page, "a-b")
    assert hover_cell(page, 2, 15)["weight"] is not None
    assert hover_cell(page, 15, 2)["weight"] is None
    rows = page.locator("[data-part=links] tbody tr").all()
    assert all(int(row.get_attribute("data-query") or -1) < 12 for row in rows)
    assert all(int(row.get_attribute("data-key") or -1) >= 12 for row in rows)


def test_long_text_starts_pooled_and_becomes_exact(open_view: Open) -> None:
    page = open_view("long", exact=False)
    heatmap = page.locator("[data-part=heatmap]")
    expect(heatmap).to_have_attribute("data-rows", "48")
    expect(page.locator(".notes")).to_contain_text("21 × 21 tokens")
    page = open_view("long")
    expect(page.locator("[data-part=heatmap]")).to_have_attribute("data-rows", "1000")
    expect(page.locator(".minimap")).to_be_visible()
    page.locator("[data-view=arcs]").click()
    assert page.locator(".arcs-canvas").evaluate("canvas => canvas.clientHeight") <= 600
    assert page.locator(".arcs-spacer").evaluate("node => node.clientHeight") > 10_000


@pytest.mark.parametrize(("case", "width"), [("small", 600), ("wide", 600), ("pair", 480), ("long", 700)])
def test_narrow_pages_do_not_overflow(open_view: Open, case: str, width: int) -> None:
    page = open_view(case, width=width, theme="dark")
    grid, figure = page.locator(".left").bounding_box(), page.locator(".right").bounding_box()
    assert grid is not None
    assert figure is not None
    assert figure["y"] >= grid["y"] + grid["height"], "the head stands below the grid"
    overflow = page.locator("[data-testid=stMain]").evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 0


def test_empty_text(open_view: Open) -> None:
    page = open_view("empty")
    expect(page.locator("h3")).to_have_text("There is nothing to show for an empty text.")


def test_export_png_and_svg(open_view: Open, tmp_path: Any) -> None:
    page = open_view("hostile")
    with page.expect_download() as download:
        page.locator("[data-part=settings] summary").click()
        page.locator("[data-export=svg]").click()
    download.value.save_as(tmp_path / "picture.svg")
    text = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert download.value.suggested_filename == "synthetic-1-0-head-0-0.svg"
    assert "Synthetic 1.0, float32, seed 0" in text
    assert "<img" not in text
    assert "&lt;img" in text
    with page.expect_download() as download:
        page.locator("[data-export=png]").click()
    download.value.save_as(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_difference_of_two_views(open_view: Open) -> None:
    page = open_view("compare")
    maps = synthetic.attention(4, 4, 20, 20, True)
    box = page.locator(".difference")
    box.wait_for()
    box.scroll_into_view_if_needed()
    area = box.bounding_box()
    assert area is not None
    page.locator(".root[data-state=drawn]").wait_for()
    page.locator("[data-part=heatmap][data-exact=true]").nth(1).wait_for()
    # The label column is about as wide as in the views; scan a line for some cell of row 5.
    difference = None
    for step in range(60, 400, 7):
        page.mouse.move(area["x"] + step, area["y"] + area["height"] * 0.45)
        if shown := page.locator(".stacked").get_attribute("data-hover"):
            difference = json.loads(shown)
            break
    assert difference is not None
    row, column = difference["query"], difference["key"]
    expected = float(maps[0, 0, row, column] - maps[3, 0, row, column])
    assert float(difference["difference"].replace("−", "-")) == pytest.approx(expected, rel=1e-3)


def test_words_are_subtracted_where_tokens_differ(open_page: Open, attention_address: str) -> None:
    """Words of the left's tokens 0 and 1, 2, and of the right's 0 and 2: a sum over keys, a mean over queries."""
    page = open_page(attention_address, case="compare", words="1")
    page.locator(".root[data-state=drawn]").wait_for()
    page.locator("[data-part=heatmap][data-exact=true]").nth(1).wait_for()
    expect(page.locator(".notes .note", has_text="Left out on the right: very")).to_be_visible()
    box = page.locator(".difference").bounding_box()
    assert box is not None
    maps = synthetic.attention(4, 4, 20, 20, True)
    left = maps[0, 0, 1:3, 1:3].sum(-1).mean()
    right = maps[3, 0, 2, 2]
    page.locator(".difference").scroll_into_view_if_needed()
    box = page.locator(".difference").bounding_box()
    assert box is not None
    shown: dict[str, Any] = {}
    for step in range(5, 200, 5):
        page.mouse.move(box["x"] + 60 + step, box["y"] + 40 + step)
        shown = json.loads(page.locator(".stacked").get_attribute("data-hover") or "{}")
        if (shown.get("query"), shown.get("key")) == (1, 1):
            break
    assert float(shown["difference"].replace("−", "-")) == pytest.approx(float(left - right), rel=1e-3)


def test_positions_are_those_of_the_text_where_tokens_are_hidden(open_view: Open, small: np.ndarray) -> None:
    """Every second token hidden: the pin, the tip, the table and the report name the text's positions."""
    page = open_view("hidden", state={"settings": {"pin": {"axis": "query", "index": 21}}})
    assert reported(page)["settings"]["pin"] == {"axis": "query", "index": 21, "also": []}
    rows = page.locator("[data-part=links] tbody tr")
    assert {row.get_attribute("data-query") for row in rows.all()} == {"21"}
    order = np.argsort(-small[0, 0, 21, 1::2])
    assert int(rows.first.get_attribute("data-key") or -1) == 2 * int(order[0]) + 1
    expect(rows.first.locator(".position").first).to_have_text("21")
    assert (hover_cell(page, 4, 2)["query"], hover_cell(page, 4, 2)["key"]) == (9, 5)
    page.mouse.click(*cell_position(page, 4, 2))
    assert wait_for_report(page, '"index": 9')["settings"]["pin"] == {"axis": "query", "index": 9, "also": []}


def test_a_pin_on_a_hidden_token_is_kept_but_not_drawn(open_view: Open) -> None:
    page = open_view("hidden", state={"settings": {"pin": {"axis": "query", "index": 20}}})
    expect(page.locator("[data-part=links] h4")).to_have_text("Largest attention weights")
    assert reported(page)["settings"]["pin"] == {"axis": "query", "index": 20, "also": []}


def test_a_finding_stands_above_the_map(open_view: Open) -> None:
    page = open_view("small")
    expect(page.locator("[data-part=finding]")).to_have_text("Head 0.0, in a sentence.")
    page.locator("[data-choice=combine]").select_option("layer mean")
    expect(page.locator("[data-part=finding]")).to_be_hidden()


def test_marks_are_shown_until_they_are_closed(open_view: Open) -> None:
    page = open_view("small", marks="1")
    marks = page.locator("[data-part=marks]")
    expect(marks.locator("p")).to_have_count(3)
    expect(page.locator(".dot:not(.inline):visible")).to_have_count(3)
    page.locator("[data-part=grid]").focus()
    page.keyboard.press("Escape")
    expect(marks).to_be_hidden()
    expect(page.locator(".dot:visible")).to_have_count(0)
    page.mouse.click(*thumb_position(page, 3, 7, 12, 12))
    wait_for_report(page, '"layer": 3, "head": 7')
    expect(marks).to_be_hidden()


def test_marks_close_by_their_button(open_view: Open) -> None:
    page = open_view("small", marks="1")
    page.get_by_role("button", name="Got it").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=marks]")).to_be_hidden()
    expect(page.locator("[data-part=grid]")).to_be_focused()


def test_tables_stand_where_the_page_puts_them(open_view: Open) -> None:
    page = open_view("small", tables="1")
    expect(page.locator("[data-part=heads]")).to_have_count(1)
    below = page.locator("[data-part=heads]").bounding_box()
    line = page.get_by_text("Between picture and tables").bounding_box()
    assert below is not None
    assert line is not None
    assert line["y"] < below["y"]
    page.locator(".heads tbody tr").nth(5).click()
    expect(page.locator("h3")).to_have_text("head 0.5")


def test_the_menu_of_settings_closes_by_escape_and_by_a_click_elsewhere(open_view: Open) -> None:
    page = open_view("small")
    menu = page.locator("[data-part=settings]")
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.locator("h3").click()):
        menu.locator("summary").click()
        expect(page.locator("[data-choice=scale]")).to_be_visible()
        close()
        expect(page.locator("[data-choice=scale]")).to_be_hidden()


def test_a_grid_that_scrolls_says_which_layers_are_in_sight(open_view: Open) -> None:
    page = open_view("long", exact=False)
    more = page.locator("[data-part=more]")
    expect(more).to_have_text(re.compile(r"Layers 0 to \d+ of 30"))
    page.locator(".grid-scroll").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    expect(more).to_have_text(re.compile(r"Layers \d+ to 29 of 30"))
    expect(open_view("small").locator("[data-part=more]")).to_be_hidden()


def test_difference_needs_equal_counts(open_view: Open, open_page: Open, attention_address: str) -> None:
    page = open_page(attention_address, case="compare", uneven="1")
    message = page.locator(".root[data-state=message] .note")
    expect(message).to_contain_text("20 and 12")


def test_dark_theme_turns_the_ramp(open_view: Open) -> None:
    light, dark = open_view("small"), open_view("small", theme="dark")
    assert light.locator(".root").get_attribute("data-theme") == "light"
    assert dark.locator(".root").get_attribute("data-theme") == "dark"
    x, y = first_corner(light)
    assert sum(pixel(light, ".thumbs", x, y)[:3]) < 300, "the first weight is 1: darkest on a light page"
    assert sum(pixel(dark, ".thumbs", x, y)[:3]) > 500, "and lightest on a dark one"
