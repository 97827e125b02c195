"""Who visits a shared server: a secret in a cookie, of which a run keeps the hash.

A run's id lets whoever has it watch; the cookie of the browser that started it steers. The link that is shared carries
the id alone. On one's own machine everybody steers everything.
"""

import hashlib
import secrets

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.settings import settings

COOKIE = "playground_visitor"
"""Set by asgi.py, out of reach of scripts."""


def visitor() -> str | None:
    """The hash of this visitor's secret; None on one's own machine."""
    if not settings().hosted:
        return None
    secret = st.context.cookies.get(COOKIE) or st.session_state.setdefault(COOKIE, secrets.token_urlsafe(16))
    return hashlib.sha256(str(secret).encode()).hexdigest()[:32]


def whose_turn() -> str:
    """Whose turn a pass takes: the visitor's, whatever tabs he has open; on one's own machine the tab's."""
    context = get_script_run_ctx(suppress_warning=True)
    return visitor() or (context.session_id if context else "")


def may_steer(owner: str | None) -> bool:
    """Whether this visitor is the owner of a run or sweep, or sits at the machine."""
    own = visitor()
    return own is None or owner == own
