"""Wait for events of a page instead of seconds."""

from playwright.sync_api import Page

PATIENCE = 180_000
"""Milliseconds until a test gives up: waits that take under a minute alone ran out of 90 s beside other browsers."""
QUIET = 300
"""Milliseconds without a running script after which a page counts as still."""
STILL = """quiet => {
    const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
    const fresh = document.querySelector("[data-stale=true], [data-testid=stSkeleton]") === null;
    if (state !== "notRunning" || !fresh || !document.querySelector("h1")) window.stillSince = null;
    else window.stillSince ??= performance.now();
    return window.stillSince !== null && performance.now() - window.stillSince > quiet;
}"""


def settle(page: Page, quiet: int = QUIET) -> None:
    """Wait until the script has run and the page has shown its end for `quiet` milliseconds."""
    page.evaluate("() => { window.stillSince = null; }")
    page.wait_for_function(STILL, arg=quiet, polling=50, timeout=PATIENCE)


def settle_work(page: Page) -> None:
    """Wait until no work that the page began is left, neither with a bar nor with a button that cancels it."""
    settle(page)
    at_work = "[data-testid=stProgress], [data-testid=stSpinner]"
    page.wait_for_function("places => !document.querySelector(places)", arg=at_work, timeout=PATIENCE)
    settle(page)
