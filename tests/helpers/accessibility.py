"""What axe-core finds on a page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

STREAMLIT_MARKUP = {
    # Streamlit's own markup, which no page can change.
    "aria-allowed-attr": ("stPopover", "stSelectbox", "stMenuButton", "stTooltip"),
    "nested-interactive": ("stPopover", "stExpander", "stTooltip", "stFileUploader"),
}
"""Rules that fail inside these elements of Streamlit's: by rule, the test ids."""


RUN = "(options) => axe.run(document, { resultTypes: ['violations'], ...options })"
ALL_BUT_CONTRAST = {"rules": {"color-contrast": {"enabled": False}}}
CONTRAST = """() => {
    const alike = new Map();
    const ground = (style) => [style.backgroundColor, style.backgroundImage, style.opacity, style.filter].join();
    const look = (element) => {
        const own = getComputedStyle(element), grounds = new Set();
        for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
            grounds.add(ground(getComputedStyle(at)));
        }
        return [own.color, own.fontSize, own.fontWeight, element.tagName, element.className, ...grounds].join("|");
    };
    const hasText = (element) => element.matches("input, textarea, select") ||
        [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    const walk = (root) => {
        for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot) walk(element.shadowRoot);
            if (hasText(element) && element.checkVisibility()) alike.set(look(element), element);
        }
    };
    walk(document);
    return axe.run([...alike.values()], { resultTypes: ["violations"], runOnly: ["color-contrast"] });
}"""
"""One text of each look, by its colour, size, class and all grounds behind it: axe takes milliseconds for each."""


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    _inject(page)
    return [*_serious(page.evaluate(RUN, ALL_BUT_CONTRAST)), *faint_texts(page)]


def faint_texts(page: Page) -> list[str]:
    """Texts whose contrast axe-core calls too low; one of each look."""
    _inject(page)
    return _serious(page.evaluate(CONTRAST))


def _inject(page: Page) -> None:
    if not page.evaluate("() => 'axe' in globalThis"):
        page.evaluate(Axe().axe_script)


def _serious(results: dict[str, Any]) -> list[str]:
    return [
        f"{result['id']}: {node['target']} {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for result in results["violations"]
        if result["impact"] in ("serious", "critical")
        for node in result["nodes"]
        if not any(name in str(node) for name in STREAMLIT_MARKUP.get(result["id"], ()))
    ]
