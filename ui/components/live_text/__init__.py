"""A text area that reports its text half a second after the last keystroke, without Ctrl+Enter."""

from collections.abc import Mapping

import streamlit as st

from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["live_text"]

HTML = """<div class="live-text" inert>
  <label for="text"></label>
  <div class="frame"><textarea id="text" dir="auto" spellcheck="false" autocomplete="off"></textarea></div>
  <div class="count" aria-live="polite"></div>
</div>
"""
_component = register(
    "live_text", module("live_text", "live_text", shared="connection mount"), html=HTML, css=style("live_text")
)


def live_text(
    value: str,
    *,
    label: str,
    key: str,
    placeholder: str = "",
    max_chars: int = 20_000,
    rows: int = 4,
    delay: int = 500,
    revision: str | int = 0,
    label_hidden: bool = False,
) -> str:
    """Show an editable text and return it, updated `delay` milliseconds after the last keystroke.

    `value` is the initial text. The typed text wins over it until `revision` changes, for instance with the choice
    of an example; another value under the same revision counts as an echo and is ignored.
    """
    report = report_of(st.session_state.get(key), "text")
    known = _reported_text(report, revision=str(revision), default=_initial_text(key, value, revision, report))
    data = {
        "value": known[:max_chars],
        "revision": str(revision),
        "label": label,
        "labelHidden": label_hidden,
        "placeholder": placeholder,
        "maxChars": max_chars,
        "rows": rows,
        "delay": delay,
    }
    result = _component(key=key, data=data, on_text_change=keep_report)
    return _reported_text(report_of(result, "text"), revision=str(revision), default=known)[:max_chars]


def _initial_text(key: str, value: str, revision: str | int, report: object) -> str:
    """The initial text of this revision: `value`, again when the component returns to the page."""
    name = f"{key}:sent"
    sent: tuple[str | int, str, bool] | None = st.session_state.get(name)
    lost = sent is not None and sent[2] and report is None
    if sent is None or sent[0] != revision or lost:
        sent = (revision, value, False)
    st.session_state[name] = (sent[0], sent[1], report is not None)
    return sent[1]


def _reported_text(report: object, *, revision: str, default: str) -> str:
    """The reported text if it is one and belongs to the revision on show, else the default."""
    if not isinstance(report, Mapping) or report.get("revision") != revision:
        return default
    text = report.get("value")
    return text if isinstance(text, str) else default
