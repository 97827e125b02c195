"""A field for a file, where this server takes files."""

from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from playground.settings import settings
from playground.text import _


def upload(label: str, **options: Any) -> UploadedFile | None:
    """The file that is chosen, as `st.file_uploader` gives it; a sentence where the server takes none."""
    if not settings().uploads:
        st.caption(_("This server takes no files. Paste what is in them, or run the app on your own machine."))
        return None
    file: UploadedFile | None = st.file_uploader(label, **options)
    return file
