"""The live chart in a real browser: one node, a person's zoom, the page's theme, and files to take away."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.charts.palette import TRAIN
from tests.e2e.components.live_chart_app import curves

Open = Callable[..., Page]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """The address of the page with live charts."""
    return serve(HERE / "live_chart_app.py")


def plot_of(page: Page, key: str = "loss") -> Any:
    """Return a chart's plot once it is drawn."""
    plot = page.locator(f".st-key-{key} .live-chart .plot")
    page.locator(f".st-key-{key} .live-chart .plot[data-drawn]").wait_for()
    return plot


def draw_more(page: Page, button: str = "More") -> None:
    """Press a button and wait until the chart is drawn again."""
    plot = plot_of(page)
    before = int(plot.get_attribute("data-drawn"))
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_function(
        "before => Number(document.querySelector('.st-key-loss .plot').dataset.drawn) > before", arg=before
    )


def x_range(page: Page) -> list[float]:
    """Return the steps that the chart shows."""
    return list(plot_of(page).evaluate("node => node.layout.xaxis.range"))


def zoom(page: Page) -> list[float]:
    """Draw a zoom box over the middle of the chart, as a person does, and return the new range."""
    area = page.locator(".st-key-loss .nsewdrag").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.2 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 0.8 * area["height"], steps=6)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('.st-key-loss .plot').layout.xaxis.range[0] > 5")
    return x_range(page)


def test_new_data_keeps_node_zoom_and_legend(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot = plot_of(page)
    plot.evaluate("node => { node.mine = true; node.querySelector('.main-svg').mine = true; }")
    zoomed = zoom(page)
    page.locator(".st-key-loss .legendtoggle").first.click()
    page.wait_for_function("() => document.querySelector('.st-key-loss .plot').data[0].visible === 'legendonly'")
    draw_more(page)
    assert plot.evaluate("node => node.mine && node.querySelector('.main-svg').mine")
    assert x_range(page) == pytest.approx(zoomed)
    assert plot.evaluate("node => node.data[0].x.length") == 50
    assert plot.evaluate("node => node.data[0].visible") == "legendonly"


def test_without_zoom_the_axis_follows_the_data(open_page: Open, address: str) -> None:
    page = open_page(address)
    assert x_range(page)[1] == pytest.approx(40, abs=4)
    draw_more(page)
    assert x_range(page)[1] == pytest.approx(50, abs=5)


def test_a_new_revision_shows_everything(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot_of(page)
    zoom(page)
    draw_more(page, "Other run")
    assert x_range(page)[0] == pytest.approx(1, abs=1)


def test_theme_is_followed_while_the_page_is_open(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot = plot_of(page)
    assert plot.evaluate("node => node.data[1].line.color") == TRAIN.light
    light = plot.evaluate("node => node.layout.font.color")
    page.emulate_media(color_scheme="dark")
    colour = "() => document.querySelector('.st-key-loss .plot').data[1].line.color"
    page.wait_for_function(f"{colour.replace('() =>', 'dark => dark ===')}", arg=TRAIN.dark)
    assert plot.evaluate("node => node.layout.font.color") != light


def test_hover_stays_where_it_is_while_data_arrive(open_page: Open, address: str) -> None:
    page = open_page(address, live="yes")
    plot = plot_of(page)
    area = page.locator(".st-key-loss .nsewdrag").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 0.5 * area["height"])
    page.locator(".st-key-loss .hoverlayer .legend").wait_for()
    drawn = int(plot.get_attribute("data-drawn"))
    page.wait_for_function(
        "drawn => Number(document.querySelector('.st-key-loss .plot').dataset.drawn) > drawn + 2", arg=drawn
    )
    expect(page.locator(".st-key-loss .hoverlayer .legend")).to_be_visible()


def test_table_and_name_for_screen_readers(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot_of(page)
    expect(page.get_by_role("figure", name="Loss of <b>run</b> one")).to_be_visible()
    row = page.locator(".st-key-loss .values tbody tr", has_text="train, smoothed")
    steps, _, smoothed = curves(40)
    expect(row.locator("td").nth(1)).to_have_text(f"{smoothed[-1]:.4g} at {steps[-1]}.00")


def test_csv_holds_what_is_visible(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot_of(page).hover()
    page.locator(".st-key-loss .legendtoggle").first.click()
    page.wait_for_function("() => document.querySelector('.st-key-loss .plot').data[0].visible === 'legendonly'")
    with page.expect_download() as download:
        page.locator(".st-key-loss [data-title='Download CSV: visible values']").click()
    lines = Path(download.value.path()).read_text().splitlines()
    _, _, smoothed = curves(40)
    assert download.value.suggested_filename == "loss-of-b-run-b-one.csv"
    assert lines[0] == "curve,training step,loss (nats per token)"
    assert lines[1] == f'"train, smoothed",1,{smoothed[0]:.6g}'
    assert len(lines) == 1 + 40 + 4


def saved_csv(page: Page, key: str) -> list[str]:
    plot_of(page, key).hover()
    with page.expect_download() as download:
        page.locator(f".st-key-{key} [data-title='Download CSV: visible values']").click()
    return Path(download.value.path()).read_text().splitlines()


def test_csv_of_a_map_names_row_and_column_in_full(open_page: Open, address: str) -> None:
    page = open_page(address, maps="yes")
    lines = saved_csv(page, "map")
    assert lines[0] == "# text: 'a\\nb'"
    assert lines[1].startswith("# link: http://127.0.0.1:")
    assert lines[2] == "query,key,weight"
    assert lines[3:] == ['"0 <b>, a word that is far too long",x,1', "'=1,x,-0.5", "'=1,y,0.25"]


def test_lying_bars_are_told_and_saved_by_their_names(open_page: Open, address: str) -> None:
    page = open_page(address, maps="yes")
    assert saved_csv(page, "bars")[1:] == [',"0 <b>, a word that is far too long",2', ",'=1,-1"]
    expect(page.locator(".st-key-bars .values tbody td").first).to_have_text(re.compile("at 0 <b>, a word"))


def test_a_number_can_be_picked_by_pointer_and_by_keys(open_page: Open, address: str) -> None:
    page = open_page(address, maps="yes")
    plot = plot_of(page, "map")
    area = page.locator(".st-key-map .nsewdrag").bounding_box()
    assert area is not None
    page.mouse.click(area["x"] + 0.25 * area["width"], area["y"] + 0.75 * area["height"])
    expect(page.get_by_text("Picked (0, 1, 0).")).to_be_visible()
    # The page names no picked cell: the browser framed it.
    page.wait_for_function("() => document.querySelector('.st-key-map .plot').layout.shapes[0]?.y0 === 0.5")
    plot.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".st-key-map .hoverlayer .hovertext")).to_contain_text("query 0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Picked (0, 1, 1).")).to_be_visible()


def test_a_click_opens_the_run_whose_curve_is_nearest(open_page: Open, address: str) -> None:
    page = open_page(address, all="yes")
    plot = plot_of(page, "overlay")
    plot.scroll_into_view_if_needed()
    # Where the eighth run is at its tenth step, of nine that share a label there.
    place = plot.evaluate("""node => {
        const { xaxis, yaxis } = node._fullLayout, { left, top } = node.getBoundingClientRect();
        const { x, y } = node.data[7];
        return [left + xaxis._offset + xaxis.d2p(x[9]), top + yaxis._offset + yaxis.d2p(y[9]) + 2];
    }""")
    page.mouse.move(*place)
    page.locator(".st-key-overlay .hoverlayer .legend").wait_for()
    with page.context.expect_page() as opened:
        page.mouse.click(*place)
    assert opened.value.url.endswith("/train?run=r7")


def test_numbers_that_do_not_fit_their_cells_get_fewer_digits_and_a_picture_that_scrolls(
    open_page: Open, address: str
) -> None:
    page = open_page(address, maps="yes")
    plot = plot_of(page, "words")
    assert plot.evaluate("node => node.data[2].text[0]") == "0.123"
    cells, buttons = (page.locator(f".st-key-words .{name}").bounding_box() for name in ("nsewdrag", "modebar"))
    assert cells is not None
    assert buttons is not None
    assert buttons["y"] >= cells["y"] + cells["height"]
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function("() => document.querySelector('.st-key-words .plot').data[2].text[0] === '.12'")
    assert len(plot.evaluate("node => node.data[2].text.filter((number) => number)")) == 60
    page.set_viewport_size({"width": 500, "height": 900})
    scroller = page.locator(".st-key-words .scroller[data-wide]")
    assert scroller.evaluate("node => node.scrollWidth > node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_offers_to_leave_the_page(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot_of(page)
    titles = page.locator(".st-key-loss .modebar-btn").evaluate_all("all => all.map((one) => one.dataset.title)")
    own = ["Download PNG", "Download SVG", "Download CSV: visible values"]
    assert titles == ["Zoom", "Pan", "Reset axes", *own]


def test_picture_is_saved(open_page: Open, address: str) -> None:
    page = open_page(address)
    plot_of(page).hover()
    with page.expect_download() as download:
        page.locator(".st-key-loss [data-title='Download SVG']").click()
    assert Path(download.value.path()).read_text().startswith("<svg")


def test_the_library_is_fetched_once_for_all_charts(open_page: Open, address: str) -> None:
    page = open_page(address, all="yes")
    for key in ("loss", "rate", "measures", "spectrum", "overlay", "finder"):
        plot_of(page, key)
    assert page.locator("script[src*='app/static/plotly-']").count() == 1


def test_deep_link_under_a_base_path(browser: Browser, serve: Callable[..., str]) -> None:
    context = browser.new_context()
    page = context.new_page()
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    page.goto(serve(HERE / "live_chart_app.py", base="some/where") + "/deep")
    plot_of(page)
    assert "/some/where/app/static/plotly-" in page.locator("script[src*='plotly-']").get_attribute("src")
    # Streamlit finds out its own base path by asking.
    assert [url for url in missing if "/_stcore/" not in url] == []
    context.close()


def test_without_the_library_the_last_values_are_shown(browser: Browser, address: str) -> None:
    context = browser.new_context()
    context.route("**/app/static/**", lambda route: route.abort())
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("The chart library could not be loaded")).to_be_visible()
    expect(page.locator(".st-key-loss .values tbody tr")).to_have_count(3)
    expect(page.locator(".st-key-loss caption")).to_be_visible()
    context.close()
