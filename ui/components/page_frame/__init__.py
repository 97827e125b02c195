"""Two buttons at the right of every page's title: copy the page's link, and show the page on a projector.

The projector's mode takes sidebar, captions and settings away and enlarges the rest; P turns it on and off.
"""

from pathlib import Path

from playground.text import _
from ui.components.shared.registration import bundle, register, style

__all__ = ["page_frame"]

HTML = """<div class="page-frame"><button type="button" class="copy"></button>
<button type="button" class="project"></button><span class="said" role="status"></span></div>
"""
_component = register(
    "page_frame", bundle([Path(__file__).with_name("page_frame.js")]), html=HTML, css=style("page_frame")
)


def page_frame() -> None:
    """Draw the buttons; what they do happens in the browser."""
    labels = {
        "copy": _("Copy link"),
        "copied": _("Link copied"),
        "failed": _("The browser refused; copy the address instead."),
        "project": _("Projector"),
        "projectHint": _("Larger, without menus and captions (P)"),
        "leave": _("Leave projector mode"),
    }
    _component(key="page_frame", data=labels)
