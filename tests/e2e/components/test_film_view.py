"""The film in a real browser: scrubbed, played, hovered, fed with new frames."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.charts.palette import SCORES
from tests.e2e.components.conftest import cell_position, reported, wait_for_report
from tests.helpers import synthetic

Open = Callable[..., Page]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """The address of the page with a film."""
    return serve(HERE / "film_app.py")


@pytest.fixture
def open_film(open_page: Open, address: str) -> Open:
    """Open a case of the film page and wait until it is painted and has reported."""

    def open_it(case: str = "decoder", **more: object) -> Page:
        page = open_page(address, case=case, **more)
        page.locator(".root[data-frames]").wait_for()
        return page

    return open_it


def wait_for_step(page: Page, step: int) -> None:
    """Wait until the film shows this step."""
    page.locator(f".root[data-step='{step}']").wait_for()


RECORD_STEPS = """root => {
    window.shownSteps = [];
    new MutationObserver(() => window.shownSteps.push(Number(root.dataset.step)))
        .observe(root, { attributeFilter: ["data-step"] });
}"""


def wait_for_shown(page: Page, *steps: int) -> None:
    """Wait until the film has shown these steps in this order, since RECORD_STEPS: none stands for long."""
    page.wait_for_function(
        """steps => {
            let next = 0;
            for (const shown of window.shownSteps) if (shown === steps[next]) next += 1;
            return next === steps.length;
        }""",
        arg=steps,
    )


def wait_for_frames(page: Page, count: int) -> None:
    """Wait until the browser has this many frames."""
    page.locator(f".root[data-frames='{count}']").wait_for()


def hovered(page: Page, row: int, column: int) -> dict[str, object]:
    """Point at a cell and return what is shown for it."""
    page.mouse.move(*cell_position(page, row, column))
    page.wait_for_function(
        """([row, column]) => {
            const box = [...document.querySelectorAll(".st-key-film *")].find((node) => node.shadowRoot);
            const hover = JSON.parse(box.shadowRoot.querySelector(".figure").dataset.hover ?? "{}");
            return hover.query === row && hover.key === column;
        }""",
        arg=[row, column],
    )
    return dict(json.loads(page.locator(".figure").get_attribute("data-hover") or "{}"))


def test_opens_at_the_newest_frame_and_the_best_head(open_film: Open) -> None:
    page = open_film()
    wait_for_step(page, 110)
    film = synthetic.film("decoder", 12)
    best = int(film.scores["decoder"]["induction"][-1].argmax())
    state = wait_for_report(page, '"score": "induction"')
    assert state == {"kind": "decoder", "step": None, "layer": best // 4, "head": best % 4, "score": "induction"}
    expect(page.locator("canvas.legend")).to_have_attribute("aria-label", "Attention weight, Square root")


def test_keys_scrub_and_python_hears_of_it(open_film: Open) -> None:
    page = open_film()
    slider = page.get_by_role("slider", name="Training step")
    slider.focus()
    for key in ("ArrowLeft", "ArrowLeft", "PageDown"):
        page.keyboard.press(key)
    wait_for_step(page, 80)
    expect(slider).to_have_attribute("aria-valuetext", "step 80 of 600")
    assert wait_for_report(page, '"step": 80')["step"] == 80
    page.keyboard.press("Home")
    wait_for_step(page, 0)
    page.keyboard.press("End")
    assert wait_for_report(page, '"step": null')["step"] is None


def test_click_on_the_curves_scrubs(open_film: Open) -> None:
    page = open_film()
    curves = page.locator("[data-part=curves]")
    curves.scroll_into_view_if_needed()
    box = curves.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 44 + (box["width"] - 58) * 5 / 11, box["y"] + 60)
    wait_for_step(page, 50)
    expect(page.locator("[data-part=step]")).to_have_text("step 50 of 600")


def test_hover_is_what_was_sent(open_film: Open) -> None:
    page = open_film()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    wait_for_step(page, 100)
    state = wait_for_report(page, '"step": 100')
    maps = synthetic.film("decoder", 12).maps["decoder"][10, state["layer"], state["head"]]
    for row, column in ((9, 4), (15, 0), (7, 7)):
        shown = hovered(page, row, column)
        assert shown["weight"] == pytest.approx((maps[row, column] / 255) ** 2, rel=1e-6)
        assert str(shown["value"]).startswith("≈") or shown["weight"] == 0
    assert hovered(page, 3, 9)["weight"] is None, "a decoder cannot look ahead"


def test_heads_are_chosen_by_key_and_click(open_film: Open) -> None:
    page = open_film()
    page.locator("[data-part=grid]").focus()
    for key in ("Home", "ArrowUp", "ArrowUp", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("h3")).to_have_text("head 1.1")
    expect(page.locator("#active-head")).to_have_text("head 1.1")
    expect(page.locator("[data-part=live]")).to_have_text("head 1.1 chosen")
    wait_for_report(page, '"layer": 1, "head": 1')
    size = page.locator(".thumbs").evaluate("node => Number(node.dataset.width)")
    page.locator(".thumbs").click(position={"x": 20 + 2.5 * (size + 3), "y": 18 + size / 2})
    expect(page.locator("h3")).to_have_text("head 0.2")


def test_scores_of_the_chosen_head(open_film: Open) -> None:
    page = open_film("start")
    wait_for_step(page, 40)
    expect(page.locator("h3")).to_have_text("head 1.2")
    scores = synthetic.film("start", 12).scores["decoder"]
    row = page.locator("[data-part=scores] tr[data-score=previous]")
    expect(row).to_have_attribute("aria-selected", "true")
    for column, frame in enumerate((4, 0, 11)):
        expect(row.locator("td").nth(column)).to_have_text(f"{scores['previous'][frame, 1, 2]:.3f}")
    expect(page.locator("caption")).to_have_text("Scores of head 1.2 at step 40")
    other = page.locator("[data-part=scores] tr[data-score=induction]")
    other.locator("th button[data-term=induction]").click()
    expect(other).to_have_attribute("aria-selected", "true")


def test_only_new_frames_are_sent(open_film: Open) -> None:
    page = open_film()
    wait_for_frames(page, 12)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    wait_for_report(page, '"step": 100')
    page.get_by_role("button", name="More frames").click()
    wait_for_frames(page, 15)
    expect(page.locator(".root")).to_have_attribute("data-since", "110")
    wait_for_step(page, 100)
    page.get_by_role("button", name="Follow the newest").click()
    wait_for_step(page, 140)
    page.get_by_role("button", name="More frames").click()
    wait_for_frames(page, 18)
    wait_for_step(page, 170)


def test_a_browser_without_earlier_frames_asks_for_all(open_film: Open) -> None:
    page = open_film()
    wait_for_frames(page, 12)
    wait_for_report(page, '"score": "induction"')
    page.evaluate("() => { globalThis[Symbol.for('playground.films')] = undefined; }")
    page.get_by_role("button", name="More frames").click()
    wait_for_frames(page, 15)


def test_leaving_and_coming_back_finds_the_film_and_the_choice(open_film: Open) -> None:
    page = open_film()
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    wait_for_report(page, '"step": 0')
    page.get_by_text("Hide").click()
    expect(page.locator(".root")).to_have_count(0)
    page.get_by_text("Hide").click()
    wait_for_frames(page, 12)
    wait_for_step(page, 0)
    page.reload()
    wait_for_frames(page, 12)
    wait_for_step(page, 110)


def test_a_live_film_follows_and_keeps_every_frame(open_film: Open) -> None:
    page = open_film(live="yes", frames=3)
    wait_for_frames(page, 30)
    wait_for_step(page, 290)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuemin", "0")


def test_play_runs_to_the_end_and_loop_begins_anew(open_film: Open) -> None:
    page = open_film()
    page.locator(".root").evaluate(RECORD_STEPS)
    page.get_by_role("button", name="Play").click()
    wait_for_shown(page, 30)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Loop").click()
    wait_for_shown(page, 30, 100, 20)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_translation_has_three_kinds_and_gold_outlines(open_film: Open) -> None:
    page = open_film("translation")
    expect(page.locator("[data-kind=cross]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".figure .note")).to_have_text("Outlined: the gold alignment")
    x, y = cell_position(page, 2, 3)
    box = page.locator(".heatmap .layer").first.bounding_box()
    assert box is not None
    width = float(page.locator("[data-part=heatmap]").get_attribute("data-width") or 0) / 9
    edge = page.locator(".heatmap .layer").first.evaluate(
        "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 8, 1).data]",
        [round(x - box["x"] - width / 2) - 2, round(y - box["y"])],
    )
    gold = [int(SCORES["alignment"].light[start : start + 2], 16) for start in (1, 3, 5)]
    distances = [np.abs(np.subtract(edge[start : start + 3], gold)).max() for start in range(0, 32, 4)]
    assert min(distances) < 25, "a gold cell's edge has its colour"
    page.locator("[data-kind=encoder]").click()
    state = wait_for_report(page, '"kind": "encoder"')
    assert state["kind"] == "encoder"
    expect(page.locator(".figure .note")).to_have_text("")


def test_hostile_tokens_are_text(open_film: Open) -> None:
    page = open_film("hostile")
    hovered(page, 2, 0)
    expect(page.locator(".tip-cell")).to_contain_text("<img␣src=x␣onerror=alert(1)>")
    assert page.locator("img[src=x]").count() == 0


def test_a_long_probe_is_pooled(open_film: Open) -> None:
    page = open_film("long", frames=60)
    wait_for_step(page, 590)
    expect(page.locator(".figure .note")).to_have_text("Each cell shows the largest weight among 2 × 2 tokens.")
    assert 20 < int(page.locator(".root").get_attribute("data-frames") or 0) < 60


def test_the_frame_is_saved_as_a_picture(open_film: Open) -> None:
    page = open_film("translation")
    wait_for_report(page, '"kind": "cross"')
    state = reported(page)
    with page.expect_download() as download:
        page.locator("[data-export=png]").click()
    name = f"synthetic-run-cross-head-{state['layer']}-{state['head']}-step-110.png"
    assert download.value.suggested_filename == name
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [420, 1400])
def test_nothing_is_wider_than_the_window(open_film: Open, width: int) -> None:
    page = open_film("translation", theme="dark", width=width)
    wait_for_step(page, 110)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    right = page.locator(".root").evaluate("node => node.getBoundingClientRect().right")
    assert page.locator(".player").evaluate("node => node.getBoundingClientRect().right") <= right + 1
