"""What axe-core finds on a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

STREAMLIT_MARKUP = {
    # Streamlit's own markup, which no page can change.
    "aria-allowed-attr": ("stPopover", "stSelectbox", "stMenuButton", "stTooltip"),
    "nested-interactive": ("stPopover", "stExpander", "stTooltip", "stFileUploader"),
}
"""Rules that fail inside these elements of Streamlit's: by rule, the test ids."""


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core calls serious or critical; of these rules, where some are named."""
    chosen = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    results = Axe().run(page, options={"resultTypes": ["violations"], **chosen}).response["violations"]
    return [
        f"{result['id']}: {node['target']} {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for result in results
        if result["impact"] in ("serious", "critical")
        for node in result["nodes"]
        if not any(name in str(node) for name in STREAMLIT_MARKUP.get(result["id"], ()))
    ]
