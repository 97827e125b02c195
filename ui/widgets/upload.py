"""Fields for a file, where this server takes files."""

from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from playground.settings import settings
from playground.text import _
from ui.state.link import leave_out
from ui.state.parameters import Text
from ui.state.revisions import renew, widget_key
from ui.state.uploads import Upload, forget_upload, keep_upload, kept_upload, say_if_gone
from ui.text import inert


def upload(label: str, **options: Any) -> UploadedFile | None:
    """The file that is chosen, as `st.file_uploader` gives it; a sentence where the server takes none."""
    if not settings().uploads:
        st.caption(_("This server takes no files. Paste what is in them, or run the app on your own machine."))
        return None
    file: UploadedFile | None = st.file_uploader(label, **options)
    return file


def kept_file(parameter: Text, label: str, **options: Any) -> Upload | None:
    """The file that is chosen, or was: it is there again after another page, until a person removes it."""
    file = upload(label, key=widget_key(parameter, f"{parameter}_file"), **options)
    if file is not None:
        keep_upload(parameter, file.name, file.getvalue())
    kept = kept_upload(parameter)
    if kept is None:
        say_if_gone(parameter)
        return None
    leave_out(_("The link does not carry the uploaded file."))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("{name}. A link does not carry a file.").format(name=inert(kept.name)), width="content")
        st.button(
            _("Remove the file"),
            key=f"remove_{parameter}",
            icon=":material/close:",
            type="tertiary",
            on_click=_remove,
            args=(parameter,),
        )
    return kept


def _remove(parameter: Text) -> None:
    forget_upload(parameter)
    renew(parameter)
