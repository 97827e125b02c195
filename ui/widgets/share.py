"""Share what a page shows: a short link, the code of a frame with the picture alone, a QR code."""

from urllib.parse import urlsplit

import streamlit as st

from playground.errors import UserError
from playground.settings import settings
from playground.share_link import frame_code, qr_code, share_link
from playground.text import _
from ui.components.copy_field import copy_field
from ui.state.context import catch_up
from ui.state.link import carried_values, left_out, page_address
from ui.state.parameters import MODEL, RUN
from ui.text import error_sentence

QR_WIDTH = 280
HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


@st.fragment
def show_share(title: str) -> None:
    """The panel behind a button; what is in it is made when it is opened. title: the page's."""
    panel = st.popover(_("Share"), icon=":material/share:", type="tertiary", key="share", on_change="rerun")
    if not panel.open:
        return
    catch_up()
    link = share_link(page_address(), carried_values())
    with panel, st.container(width=360, gap="small", key="share_panel"):
        copy_field(_("Link"), link, key="share_link")
        for sentence in limits_of_link(link):
            st.caption(sentence)
        copy_field(_("Embed code (picture only)"), frame_code(link, title), key="share_frame", rows=4)
        _show_qr_code(link)


def limits_of_link(link: str) -> list[str]:
    """What whoever opens the link will not find, in sentences."""
    said, values = left_out(), dict(carried_values())
    if urlsplit(link).hostname in HERE:
        said.append(_("This address opens on this machine alone. Others need the machine's name, or a shared server."))
    if values.get(MODEL, "").startswith(("/", "~", ".")) or "\\" in values.get(MODEL, ""):
        said.append(_("The link names the model's folder; whoever opens it needs the folder in the same place."))
    if values.get(RUN) and settings().hosted:
        said.append(_run_sentence(settings().retention_days))
    return said


def _run_sentence(days: float) -> str:
    if not days:
        return _("Others may watch the run and fork it; only you can steer it.")
    sentence = _(
        "Others may watch the run and fork it; only you can steer it. "
        "It is deleted when nobody has continued it for {days:g} days."
    )
    return sentence.format(days=days)


def _show_qr_code(link: str) -> None:
    try:
        drawn = qr_code(link)
    except UserError as error:
        st.caption(error_sentence(error))
        return
    st.image(drawn, width=QR_WIDTH, alt=_("QR code of the link"))
    st.download_button(
        _("Download SVG: QR code"),
        drawn,
        file_name="qr-code.svg",
        mime="image/svg+xml",
        icon=":material/qr_code:",
        type="tertiary",
        on_click="ignore",
        key="save_qr_code",
    )
