"""Files too large for an address: kept by the server for the visitor who brought them, while there is room.

The address has a mark of the file, so that it comes back with a reload. A link that is passed on has the mark, too, but
shows the file to nobody else; on one's own machine there is nobody else.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import streamlit as st

from playground.text import _
from ui.cache import BoundedCache
from ui.state.address import read_text, write_text
from ui.state.parameters import Text
from ui.state.visitor import visitor

UPLOADS_BYTES = 200 << 20
MARK = 24
"""Characters of a file's hash in an address."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was too large for the address."""

    name: str
    content: bytes


@cache
def uploads() -> BoundedCache:
    """The last large files of all visitors, by visitor and mark."""
    return BoundedCache("uploads", UPLOADS_BYTES, lambda upload: len(upload.content))


def keep_upload(parameter: Text, name: str, content: bytes) -> None:
    """Keep a file for this visitor, and its mark in the address and for the session."""
    mark = hashlib.sha256(content).hexdigest()[:MARK]
    uploads().put((visitor(), mark), Upload(name=name, content=content))
    _remember(parameter, mark)


def kept_upload(parameter: Text) -> Upload | None:
    """The file of the address, or else of the session; None where there is none, or it is kept no longer."""
    mark = _mark(parameter)
    upload: Upload | None = uploads().get((visitor(), mark)) if mark else None
    if upload is not None:
        _remember(parameter, mark)
    return upload


def say_if_gone(parameter: Text) -> None:
    """Say so where the address has the mark of a file that is not here."""
    if _mark(parameter) and kept_upload(parameter) is None:
        st.info(
            _("This link's file is no longer on this server, or somebody else uploaded it. Choose it again."),
            icon=":material/upload_file:",
        )


def forget_upload(parameter: Text) -> None:
    """Show no file from the next run on; it stays on the server for a return to its address."""
    st.session_state.pop(_kept(parameter), None)
    write_text(parameter, None)


def _mark(parameter: Text) -> str:
    return read_text(parameter) or str(st.session_state.get(_kept(parameter), ""))


def _remember(parameter: Text, mark: str) -> None:
    st.session_state[_kept(parameter)] = mark
    write_text(parameter, mark)


def _kept(parameter: Text) -> str:
    """The session's key: a page that is opened from the menu starts with an empty address."""
    return f"kept_{parameter}"
