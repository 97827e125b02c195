"""How well a text can be read on its ground, as the browser computes both."""

import re

from playwright.sync_api import Locator

from tests.playground.charts.test_palette import contrast


def contrast_of(text: Locator, ground: Locator) -> float:
    """WCAG's contrast ratio of an element's text to another's background."""
    colour = text.evaluate("(one) => getComputedStyle(one).color")
    behind = ground.evaluate("(one) => getComputedStyle(one).backgroundColor")
    return contrast(as_hex(colour), as_hex(behind))


def as_hex(colour: str) -> str:
    """rgb(1, 2, 3) as #010203."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])
