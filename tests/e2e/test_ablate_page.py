"""Taking apart in a real browser, from a deep link to a reload; work is cancelled and begun again."""

import contextlib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.helpers.contrast import contrast_of
from tests.helpers.settling import settle

MAP = ".st-key-figure_ablated-decoder-{judge} .heatmaplayer image >> nth=0"


@pytest.mark.slow
def test_a_deep_link_shows_every_head_alone_and_another_measure_stays(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/ablate?text=The+cat+sat+on+the+mat&by=zero")
    expect(page.locator(MAP.format(judge="divergence"))).to_be_visible()
    page.get_by_role("radio", name="Δ logit of target token").click()
    expect(page.locator(MAP.format(judge="logit"))).to_be_visible()
    page.wait_for_url(re.compile("judge=logit"))
    page.reload()
    expect(page.locator(MAP.format(judge="logit"))).to_be_visible()
    assert "by=zero" in page.url


LONG = "+".join(["the+cat+sat+on+the+mat"] * 30)
OTHER = LONG.replace("cat", "dog", 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        f"text={LONG}&section=flow&method=gradients",
        f"text={'+'.join(['the+cat+sat+on+the+mat'] * 10)}&section=flow&method=flow",
        f"clean={LONG}&corrupted={OTHER}&patch_answer=+cat&other=+dog&section=patch",
        f"clean={LONG}&corrupted={OTHER}&patch_answer=+cat&other=+dog&section=patch&patch=head_position",
        f"text={LONG}&smallest=yes",
    ],
)
def test_long_work_can_be_cancelled_and_begun_again(
    address: str, app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(app_server)
    again = page.get_by_role("button", name="Compute it").first
    cancel = page.get_by_role("button", name="Cancel")
    # What is short may end under the hand, and its answer is kept: another text is other work.
    for word in ("cat", "cow", "pig", "hen", "fox", "bee"):
        page.goto(f"{app_server}/ablate?{address.replace('cat', word)}")
        if cancel_whatever_runs(page, cancel, again):
            break
    expect(page.get_by_text("Cancelled.").first).to_be_visible()
    # On a busy machine a second click may have cancelled the next work, too: it has a button of its own.
    own = re.search(r"st-key-resume_\w+", page.locator("[class*=st-key-resume_]").first.get_attribute("class") or "")
    assert own is not None
    again.click()
    expect(page.locator(f".{own[0]}[data-stale=false]")).to_have_count(0)
    expect(cancel.or_(page.locator(".js-plotly-plot, [data-testid=stMetric]")).first).to_be_visible()


def cancel_whatever_runs(page: Page, cancel: Locator, again: Locator) -> bool:
    """Click until something says that it was cancelled; False where everything has been computed before."""
    still = cancel.or_(page.locator(".js-plotly-plot, [data-testid=stMetric]")).first
    still.wait_for()
    while not again.is_visible():
        if not cancel.last.is_visible():
            settle(page)
            if not cancel.last.is_visible():
                return again.is_visible()
        with contextlib.suppress(TimeoutError):
            cancel.last.click(timeout=500)
            again.wait_for(timeout=2000)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chosen_parts_can_be_read(app_server: str, open_page: Callable[[str], Page], scheme: str) -> None:
    page = open_page(f"{app_server}/ablate?section=whole&parts=decoder.1.1")
    page.emulate_media(color_scheme=scheme)
    page.reload()
    chip = page.get_by_title("head 1.1", exact=True)
    chip.wait_for()
    assert contrast_of(chip, page.locator("[data-tag]")) > 4.5
