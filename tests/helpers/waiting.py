"""Waiting for other processes, with an end to patience."""

import time
from collections.abc import Callable

from playwright.sync_api import Locator

PATIENCE = 120.0


def until(holds: Callable[[], object], what: str = "it", seconds: float = PATIENCE) -> float:
    """Wait until something holds, at most so long; returns the seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"waited in vain for {what}"
        time.sleep(0.01)
    return time.monotonic() - began


def press_until(button: Locator, holds: Callable[[], object], seconds: float = PATIENCE / 4) -> int:
    """Press a button, and again whenever nothing has come of it in so long; returns how often.

    A browser that gets little of a processor loses a click now and then, as people know who press again.
    """
    for press in range(1, int(PATIENCE / seconds) + 1):
        button.click()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return press
            time.sleep(0.01)
    raise AssertionError(f"pressed in vain: {button}")
