"""At the right of every page's title: show the page on a projector; and the glossary's hints.

In a frame of another page (`?embed=true`) the largest picture stands alone. The projector's mode fills the window with
one picture, the one that is pointed at or the largest in sight, in larger type; P turns it on and off. Where a term of
the glossary first stands in a sentence, and in a label, it is underlined: the pointer, a tap, or the focus of its
paragraph or control shows what it means, and Escape closes that. A component names its scores by `data-term`. In a
narrow window a choice closes the menu that covered the page. While the page has no connection a sentence says so; when
it is back, the page is asked for again.
"""

import streamlit as st

from playground.glossary import TERMS
from playground.text import _
from ui.components.shared.registration import keep_report, module, register, style

__all__ = ["page_frame", "reveal"]

HTML = """<div class="page-frame" inert><button type="button" class="project"></button></div>
"""
REVEALED = "revealed"
_MODULE = module(
    "page_frame", "disconnected entries terms marks hints menu projector reveal page_frame", shared="connection"
)
_component = register("page_frame", _MODULE, html=HTML, css=style("page_frame"))


def page_frame(*, is_embedded: bool) -> None:
    """Draw the button, and watch the page. is_embedded: whether another page shows this one's picture alone."""
    labels = {
        "embedded": is_embedded,
        "project": _("Projector"),
        "projectHint": _("Larger, without menus and captions (P)"),
        "leave": _("Leave projector mode"),
        "disconnected": _(
            "No connection to the server. What you type or choose now is sent when it is back; pale controls work then."
        ),
        "reveal": st.session_state.get(REVEALED),
        "terms": [
            {
                "forms": [_(form) for form in term.forms],
                "otherSenses": [_(phrase) for phrase in term.other_senses],
                "lines": [_(term.meaning), *filter(None, (term.formula,)), term.source],
                "score": term.score,
            }
            for term in TERMS
        ],
    }
    _component(key="page_frame", data=labels, on_reconnected_change=keep_report)


def reveal(key: str) -> None:
    """Bring the container of this key into sight when the page stands again: what a button opened may lie below."""
    turn = st.session_state.get(REVEALED, {"turn": 0})["turn"] + 1
    st.session_state[REVEALED] = {"key": key, "turn": turn}
