"""What a session reads: its language, kept from page to page, and quoted text that is never read as markup."""

import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.errors import UserError
from playground.folders import cache_root, runs_folder
from playground.settings import settings
from playground.text import _, language_source
from ui.state.address import adopt_value, read_value, unless
from ui.state.parameters import LANGUAGE

MARKUP = re.compile(r"[\\`*_\[\]<>!$~|#^]|:[a-z]|//|www\.|@", re.IGNORECASE)
HIDDEN_FOLDER = "…"
KEPT = "language"
"""The session key of the language: a page that is opened from the menu starts with an empty address."""


def adopt_language() -> None:
    """Take the language from the address, else from the session, and put it into both."""
    language = read_value(LANGUAGE)
    if language not in LANGUAGE.values:
        language = session_language()
    st.session_state[KEPT] = language
    adopt_value(LANGUAGE, unless(language, LANGUAGE.values[0]))


def session_language() -> str:
    """The language of the session whose script runs here; English in threads that belong to none."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return LANGUAGE.values[0]
    return str(st.session_state.get(KEPT, LANGUAGE.values[0]))


def inert(text: str) -> str:
    """A text of a person's, or of a file's, for a label or a sentence that Streamlit reads as Markdown.

    Where it could be markup (an image that the browser would fetch, a link, a formula, an icon) it becomes a code span.

    >>> inert("books-decoder"), inert("![i](http://x)"), inert("a`b")
    ('books-decoder', '`![i](http://x)`', '``a`b``')
    """
    plain = without_folders(" ".join(text.split()))
    if not MARKUP.search(plain):
        return plain
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", plain)), default=0))
    edge = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{edge}{plain}{edge}{fence}"


def without_folders(text: str) -> str:
    """A text without the names of a shared server's folders, which are nobody's business."""
    if not settings().hosted:
        return text
    for folder in sorted(map(str, server_folders()), key=len, reverse=True):
        text = text.replace(folder, HIDDEN_FOLDER)
    return text


def server_folders() -> set[Path]:
    """The folders in which a server's own files lie, as they are named and as they are found; never the root."""
    named = {Path.cwd(), Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()), cache_root(), runs_folder()}
    return {folder for name in named for folder in (name, name.resolve()) if len(folder.parts) > 1}


def error_sentence(error: UserError) -> str:
    """An error's sentence for Streamlit: what it quotes is inert."""
    values = {
        name: inert(str(value)) if isinstance(value, str | Path) else value for name, value in error.values.items()
    }
    return _(error.template).format(**values) if values else _(error.template)


def page_link(page: str, *parameters: tuple[str, str]) -> str:
    """The address of another page, in this session's language: a new tab begins a session of its own."""
    language = session_language()
    own = [] if language == LANGUAGE.values[0] else [(str(LANGUAGE), language)]
    return f"{page}?{urlencode([*parameters, *own])}"


language_source(session_language)
