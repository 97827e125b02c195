"""The scaling page in a real browser: a pasted table becomes curves; a small sweep is run, reloaded, and looked at."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.settling import PATIENCE, settle
from tests.helpers.tables import noisy_table

ROOT = Path(__file__).resolve().parents[2]


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
    page.get_by_label("Table", exact=True).fill(noisy_table())
    page.get_by_role("button", name="Use this table").click()
    expect(page.get_by_text(re.compile("40 runs"))).to_be_visible()
    page.get_by_role("radio", name="Fit", exact=True).click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("Held-out error").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 460
    again = context.new_page()
    again.goto(page.url)
    expect(again.locator(".js-plotly-plot").first).to_be_visible()
    context.close()
    assert trouble == []


def upload(page: Page, address: str, text: str) -> None:
    page.goto(f"{address}/scaling?section=data")
    place = page.locator("input[type=file]")
    expect(place).to_have_count(1)
    place.set_input_files({"name": "points.csv", "mimeType": "text/csv", "buffer": text.encode()})


@pytest.mark.slow
def test_an_uploaded_table_is_mapped_and_its_bad_rows_are_named_and_skipped(server: str, open_page):
    rows = noisy_table().replace("run,params,tokens,loss", "名称,weights,corpus,xent").splitlines()
    rows[3], rows[5] = "模型,1e8,many,2.5", "模型,1e8,1e10,-2"
    page = open_page(server)
    upload(page, server, "\n".join(rows))
    expect(page.get_by_text(re.compile("the header lacks params"))).to_be_visible()
    expect(page.get_by_text(re.compile("say on the left which column is what"))).to_be_visible()
    columns = {"parameters": "weights", "tokens": "corpus", "loss": "xent", "name": "名称"}
    for place, column in columns.items():
        box = page.get_by_role("combobox", name=place, exact=True)
        # While the page runs again, the boxes of before may stand beside those of now.
        expect(box).to_have_count(1)
        box.click()
        page.get_by_role("option", name=column, exact=True).click()
        page.wait_for_function("word => decodeURIComponent(location.search).includes(word)", arg=f'"{column}"')
        settle(page)
    expect(page.get_by_text(re.compile("38 runs"))).to_be_visible()
    expect(page.get_by_text(re.compile("2 rows were skipped"))).to_be_visible()
    page.get_by_role("radio", name="Fit", exact=True).click()
    expect(page.locator(".st-key-picture_loss-params .js-plotly-plot")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("1,2,3\n4,5,6\n", "the header lacks params and tokens"),
        ("params,tokens,loss\n1e6,2e7,4\n2e6,4e7,3.8\n4e6,8e7,3.6\n", "bring at least 6 points"),
        ("params,tokens,loss\n1e6,2e7,0\n", "Row 2: loss is 0"),
        ("\0\1\2", "The file is not text"),
    ],
)
def test_an_upload_that_cannot_be_used_is_answered_with_the_reason(server: str, open_page, table, sentence):
    page = open_page(server)
    upload(page, server, table)
    if sentence == "bring at least 6 points":
        expect(page.get_by_text(re.compile("3 runs"))).to_be_visible()
        page.get_by_role("radio", name="Fit", exact=True).click()
    expect(page.get_by_text(re.compile(re.escape(sentence))).first).to_be_visible()


def click_a_run(page: Page, chart: str) -> tuple[str, str]:
    """Click the first of the chart's runs; its name, and what the click leads to."""
    plot = page.locator(f".st-key-{chart} .js-plotly-plot")
    expect(plot).to_be_visible()
    # The intervals are computed beside the chart, which is drawn anew when they are there.
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    settle(page)
    # Found and measured in one go: a page that runs again may put another chart in its place.
    found = page.wait_for_function(
        """selector => {
            const node = document.querySelector(selector);
            const trace = node?.data?.find(({ mode, customdata }) => mode === "markers" && customdata);
            if (!trace || !node._fullLayout?.xaxis) return null;
            node.scrollIntoView({ block: "center" });
            const { xaxis, yaxis, _size } = node._fullLayout;
            const { left, top } = node.getBoundingClientRect();
            const place = [xaxis.d2p(trace.x[0]) + _size.l + left, yaxis.d2p(trace.y[0]) + _size.t + top];
            return [...place, trace.customdata[0][0], trace.customdata[0].at(-1)];
        }""",
        arg=f".st-key-{chart} .js-plotly-plot",
    )
    x, y, name, own = found.json_value()
    page.mouse.move(x, y)
    expect(plot.locator(".hoverlayer .hovertext")).to_have_count(1)
    page.mouse.click(x, y)
    return name, own


@pytest.mark.slow
def test_a_click_on_a_shipped_run_is_answered_with_a_sentence(server: str, open_page):
    page = open_page(f"{server}/scaling?source=tales&picture=residuals")
    name, own = click_a_run(page, "picture_residuals-flops")
    assert own.startswith("say:")
    answer = page.locator(".st-key-picture_residuals-flops .answer")
    expect(answer).to_have_text(own.removeprefix("say:"))
    expect(answer).to_be_visible()
    # The click has the chart drawn anew.
    expect(page.locator(".hoverlayer .hovertext").first).to_contain_text(name)


@pytest.mark.slow
def test_a_sweep_is_stopped_resumed_and_deleted_while_the_page_looks_again(server: str, open_page):
    page = open_page(f"{server}/scaling?section=live&sweep_sizes=8x1,16x1&sweep_tokens=30000,60000,120000")
    page.get_by_role("button", name="Run the sweep").click()
    expect(page.get_by_text(re.compile("[2-5] of 6 runs"))).to_be_visible()
    low, high = page.locator(".st-key-sweep_chart .js-plotly-plot").evaluate("node => node._fullLayout.xaxis.range")
    assert 6 < low < high < 13
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)
    expect(page.get_by_text("6 of 6 runs")).to_be_visible(timeout=2 * PATIENCE)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it and its runs").click()
    expect(page.get_by_role("button", name="Run the sweep")).to_be_visible()
    assert not re.search("[?&]sweep=", page.url)


@pytest.mark.slow
def test_a_small_sweep_is_watched_through_a_reload_to_its_fit_and_a_run_opens(server: str, browser: Browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(f"{server}/scaling?section=live&sweep_sizes=8x1,16x1&sweep_tokens=30000,60000")
    page.get_by_role("button", name="Run the sweep").click()
    page.wait_for_url(re.compile("sweep=[A-Za-z0-9]"))
    page.reload()
    expect(page.get_by_text("4 of 4 runs")).to_be_visible(timeout=2 * PATIENCE)
    expect(page.locator(".st-key-sweep_chart .js-plotly-plot")).to_be_visible()
    expect(page.locator(".st-key-settling_chart .js-plotly-plot")).to_be_visible()
    with context.expect_page() as opened:
        _name, own = click_a_run(page, "sweep_chart")
    assert opened.value.url == f"{server}/{own}"
    expect(opened.value.get_by_text("Finished").first).to_be_visible()
    opened.value.close()
    page.get_by_role("button", name="Open its fit").click()
    expect(page.get_by_role("radio", name="Fit", exact=True)).to_be_checked()
    page.get_by_role("radio", name="Compute-optimal allocation").click()
    page.get_by_role("radio", name="Training curves").click()
    expect(page.locator(".st-key-picture_training-curves .js-plotly-plot")).to_be_visible()
    context.close()
