"""The main journey of every page by keyboard alone."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.chat_tokenizer import save_chat_model
from tests.helpers.settling import settle

MOST_TABS = 150
FOCUSED = """() => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    // A component's field stands in a shadow root, where it is named by its label; the key is outside of it.
    const key = "[class*=st-key]";
    const keyed = (node?.closest?.(key) ?? node?.getRootNode?.().host?.closest(key))?.className;
    const label = node?.getAttribute?.("aria-label") ?? node?.labels?.[0]?.textContent;
    return [node?.className, label, node?.textContent, node?.tagName, keyed].map((part) => part ?? "").join(" | ");
}"""


def open_next(page: Page, first: str, shown: str) -> None:
    """Go to the segment of this name and press the one behind it, which writes this into the address."""
    tab_to(page, lambda focus: f"| {first} | BUTTON" in focus)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{shown}**")


@pytest.fixture
def visit(open_page: Callable[[str], Page], app_server: str) -> Callable[[str], Page]:
    """Open a page of the app and wait until it has run."""

    def visit_page(path: str) -> Page:
        page = open_page(f"{app_server}/{path}")
        page.locator("h1").first.wait_for()
        settle(page)
        return page

    return visit_page


def tab_to(page: Page, wanted: Callable[[str], bool]) -> None:
    """Press Tab until what has the focus is wanted."""
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted(page.evaluate(FOCUSED)):
            return
    pytest.fail(f"Tab did not reach it; the focus is at {page.evaluate(FOCUSED)}")


@pytest.mark.slow
def test_a_head_is_chosen_on_the_attention_page(visit: Callable[[str], Page]) -> None:
    page = visit("attention?head=1.1")
    expect(page.get_by_label("All heads: layers")).to_be_visible()
    tab_to(page, lambda focus: "All heads: layers" in focus)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-bar_head_panel").filter(has_text="Head 2.2").first).to_be_visible()


@pytest.mark.slow
def test_a_token_is_looked_at_inside_a_head(visit: Callable[[str], Page]) -> None:
    page = visit("inside?head=1.1")
    expect(page.locator("[class*=st-key-bar_token] input")).to_be_visible()
    expect(page.get_by_text("1. Embedding and position")).to_be_visible()
    tab_to(page, lambda focus: "bar_token" in focus and "INPUT" in focus)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url("**query=**")
    expect(page.get_by_text("1. Embedding and position")).to_be_visible()


@pytest.mark.slow
def test_a_predicted_token_is_appended(visit: Callable[[str], Page]) -> None:
    page = visit("generate?text=The+cat+sat+on+the")
    expect(page.get_by_text("Most probable after").first).to_be_visible()
    tab_to(page, lambda focus: focus.startswith("row paired"))
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-bar_text textarea")).not_to_have_value("The cat sat on the")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "first", "shown"),
    [
        ("evaluate", "Perplexity", "section=bleu"),
        ("finetune", "Held-out measures", "effect=weights"),
    ],
)
def test_the_next_section_is_opened(visit: Callable[[str], Page], path: str, first: str, shown: str) -> None:
    page = visit(path)
    open_next(page, first, shown)


@pytest.mark.slow
def test_a_head_is_ablated_from_the_map(visit: Callable[[str], Page]) -> None:
    page = visit("ablate?text=The+cat+sat+on+the+mat")
    chart = "Effect of ablating each component alone"
    expect(page.locator(f"[aria-label='{chart}'][data-drawn]")).to_be_visible()
    tab_to(page, lambda focus: f"| {chart} |" in focus)
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**parts=decoder.1.1**")
    expect(page.get_by_text(re.compile("^As it is: .+ Without them: "))).to_be_visible()
    expect(page.get_by_text("Head 1.1:")).to_be_visible()


@pytest.mark.slow
def test_a_text_is_typed_and_one_of_its_tokens_is_looked_at(visit: Callable[[str], Page]) -> None:
    page = visit("tokens?text=cat")
    tab_to(page, lambda focus: "| Text |" in focus and "TEXTAREA" in focus)
    page.keyboard.press("Control+a")
    page.keyboard.type("an unbelievable cat")
    expect(page.get_by_role("list", name="The text as tokens").locator("[data-index='8']")).to_be_visible()
    settle(page)
    tab_to(page, lambda focus: "␣cat | BUTTON" in focus and "token_chips" in focus)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Token 8: “␣cat”")).to_be_visible()


@pytest.mark.slow
def test_a_fits_intervals_are_read_in_the_next_tab(visit: Callable[[str], Page]) -> None:
    page = visit("scaling")
    open_next(page, "Fit", "section=diagnostics")
    expect(page.get_by_text(re.compile("runs lie above the law and .+ streaks"))).to_be_visible()
    settle(page)
    open_next(page, "Residuals", "picture=intervals")
    expect(page.locator("[aria-label='Exponents and their intervals'][data-drawn]")).to_be_visible()


@pytest.mark.slow
def test_the_metric_is_switched_and_the_finding_read(visit: Callable[[str], Page]) -> None:
    page = visit("emergence")
    expect(page.get_by_text("Here the metric makes", exact=False).first).to_be_visible()
    open_next(page, "Exact match", "measure=token_accuracy")
    expect(page.get_by_text("the p of pᴸ", exact=False)).to_be_visible()


def start_and_stop(page: Page, start: str) -> None:
    """Press the button whose name or key has this word, then Stop."""
    tab_to(page, lambda focus: start in focus and "BUTTON" in focus)
    page.keyboard.press("Enter")
    page.wait_for_url("**run=**")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    tab_to(page, lambda focus: "Stop" in focus and "BUTTON" in focus)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume from last checkpoint")).to_be_visible()


@pytest.mark.slow
def test_a_training_is_started_and_stopped(visit: Callable[[str], Page]) -> None:
    page = visit("train")
    start_and_stop(page, "Start")


@pytest.mark.slow
def test_a_label_is_chosen_and_attributed(visit: Callable[[str], Page]) -> None:
    page = visit("generate?model=books-encoder&generate=classify&text=She+opened+it.&pair=Nobody+was+there.")
    expect(page.get_by_text("Most probable label").first).to_be_visible()
    tab_to(page, lambda focus: focus.startswith("row") and "follows" in focus)
    page.keyboard.press("Enter")
    page.wait_for_url("**explained=**")
    expect(page.get_by_text("Attribution of").first).to_be_visible()


@pytest.mark.slow
def test_a_fine_tuning_is_started_and_stopped(visit: Callable[[str], Page]) -> None:
    page = visit("finetune?show=new")
    expect(page.locator(".st-key-start_finetuning button")).to_be_enabled()
    start_and_stop(page, "start_finetuning")


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a random model with a chat template."""
    return quote(str(save_chat_model(tmp_path_factory.mktemp("chat") / "m")), safe="")


def type_instead(page: Page, label: str, text: str) -> None:
    """Go to the text area of this name, and put a text in the place of what stands in it."""
    tab_to(page, lambda focus: f"| {label}" in focus and "TEXTAREA" in focus)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


@pytest.mark.slow
def test_pasted_lines_are_measured(visit: Callable[[str], Page]) -> None:
    page = visit("evaluate?section=bleu")
    type_instead(page, "Hypotheses, one a line", "the cat is on my mat")
    expect(page.get_by_text("5 of 6 n-grams of order 1 count", exact=False)).to_be_visible()
    expect(page.get_by_text("Every word stands in a reference", exact=False)).to_be_hidden()
    type_instead(page, "References, one a line", "the cat is on my mat")
    expect(page.get_by_text("6 of 6 n-grams of order 1 count", exact=False)).to_be_visible()


@pytest.mark.slow
def test_a_turn_is_written_and_answered(visit: Callable[[str], Page], talker: str) -> None:
    page = visit(f"generate?model={talker}&generate=chat&new_tokens=3&seed=1")
    type_instead(page, "Turn 1", "Why?")
    expect(page.get_by_text("23 tokens, 19 of them the template's own", exact=False)).to_be_visible()
    settle(page)
    tab_to(page, lambda focus: "st-key-play" in focus and "BUTTON" in focus)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("^3 tokens · log probability"))).to_be_visible()
    settle(page)
    tab_to(page, lambda focus: "st-key-take_reply" in focus and "BUTTON" in focus)
    page.keyboard.press("Enter")
    page.wait_for_url("**assistant**")
    expect(page.locator(".st-key-turn_1 textarea")).not_to_have_value("")
