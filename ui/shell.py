"""The frame around every page: navigation, and the guard line that each page begins with."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from playground.once import answering_once, once
from playground.settings import settings
from playground.text import _, speaking
from ui.auto_reruns import count_presses_once
from ui.components.page_frame import page_frame
from ui.left_widgets import forget_left_widgets
from ui.state.address import adopt_old_link
from ui.state.context import enter_page, leave_page
from ui.state.incoming import hold_incoming
from ui.state.link import begin_reading, end_reading
from ui.text import adopt_language, session_language
from ui.warm import ORDER, Stage, WarmUp, warm_up
from ui.widgets.share import show_share

ROOT = Path(__file__).resolve().parent.parent
SHEET = (Path(__file__).parent / "shell.css").read_text(encoding="utf-8")
EMBEDDED_SHEET = (Path(__file__).parent / "embedded.css").read_text(encoding="utf-8")
STYLE, EMBEDDED_STYLE = f"<style>{SHEET}</style>", f"<style>{SHEET}{EMBEDDED_SHEET}</style>"
hold_incoming()
_navigating: ContextVar[bool] = ContextVar("playground_navigating", default=False)


def navigate() -> None:
    """Configure the app and run the page that the address asks for."""
    warm_up()
    count_presses_once()
    forget_left_widgets()
    adopt_language()
    with speaking(session_language()), answering_once():
        st.set_page_config(
            page_title=_("Transformer Playground"),
            page_icon=str(ROOT / "assets" / "images" / "icon.png"),
            layout="wide",
        )
        st.html(EMBEDDED_STYLE if st.context.is_embedded else STYLE)
        page = st.navigation(_pages())
        with opened(page.url_path or settings().shown_pages[0]):
            page.run()


@contextmanager
def opened(name: str) -> Iterator[None]:
    """A run of a page: it begins with what the person has taken along, and what it shows is kept for the next."""
    adopt_old_link()
    begin_reading()
    enter_page(name)
    token = _navigating.set(True)
    try:
        yield
        end_reading()
    finally:
        leave_page(name)
        _navigating.reset(token)


def page_icons() -> dict[str, str]:
    """The pages in the menu's order, with their icons."""
    return {
        "attention": ":material/grid_view:",
        "inside": ":material/frame_inspect:",
        "tokens": ":material/toll:",
        "train": ":material/model_training:",
        "finetune": ":material/tune:",
        "generate": ":material/edit_note:",
        "ablate": ":material/content_cut:",
        "evaluate": ":material/rule:",
        "scaling": ":material/trending_down:",
        "emergence": ":material/stairs:",
        "glossary": ":material/dictionary:",
    }


def page_titles() -> dict[str, str]:
    """The pages' titles, translated."""
    return {
        "attention": _("Attention"),
        "inside": _("Inside the model"),
        "tokens": _("Tokens"),
        "train": _("Train"),
        "finetune": _("Fine-tune"),
        "generate": _("Predict and generate"),
        "ablate": _("Take it apart"),
        "evaluate": _("Evaluate"),
        "scaling": _("Scaling"),
        "emergence": _("Emergence"),
        "glossary": _("Glossary"),
    }


@once
def page_of(name: str) -> st.Page:
    """A page as Streamlit knows it. The first one answers at /."""
    is_first = name == settings().shown_pages[0]
    return st.Page(
        ROOT / "pages" / f"{name}.py",
        title=page_titles()[name],
        icon=page_icons()[name],
        url_path="" if is_first else name,
        default=is_first,
    )


def _pages() -> list[st.Page]:
    """The site map. The first page also answers under its own name, and a page that is not shown with a sentence."""
    shown, titles = settings().shown_pages, page_titles()
    first = st.Page(ROOT / "pages" / f"{shown[0]}.py", title=titles[shown[0]], url_path=shown[0], visibility="hidden")
    hidden = [
        st.Page(_say_not_shown, title=titles[name], url_path=name, visibility="hidden")
        for name in page_icons()
        if name not in shown
    ]
    return [*(page_of(name) for name in shown), first, *hidden]


def _say_not_shown() -> None:
    st.info(
        _("This server does not show this page. Choose another in the menu, or run the app on your own machine."),
        icon=":material/visibility_off:",
    )


def guard(title: str, sentence: str, *, needs: Stage = "model") -> None:
    """Head the page with its title and what one can find out on it, and hold the rest until it is imported.

    A fresh server that is asked for a page's own address runs the page without app.py (Streamlit's older
    multipage mode); then this line runs the whole app in its place.
    """
    if not _navigating.get():
        navigate()
        st.stop()
    is_embedded = bool(st.context.is_embedded)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="page_head"):
        st.title(title, anchor=False, width="content")
        st.caption(sentence, width="stretch")
        if not is_embedded:
            show_share(title)
        page_frame(is_embedded=is_embedded)
    wait_for(needs)


def wait_for(stage: Stage) -> None:
    """Hold the page, with progress, until the background thread has passed a stage; end it if that failed."""
    progress = warm_up()
    slot = st.empty()  # in later runs too: one element less would move all that follows, and build it anew
    if progress.has_passed(stage):
        return
    while not progress.has_passed(stage) and progress.error is None:
        _show(slot, progress)
        time.sleep(0.1)
    slot.empty()
    if progress.error is not None:
        st.error(_("The libraries could not be loaded. Install them again as the README says. ") + progress.error)
        st.stop()


def _show(slot: "st.delta_generator.DeltaGenerator", progress: WarmUp) -> None:
    labels = {
        "torch": _("Loading PyTorch …"),
        "model": _("Loading the built-in model …"),
        "transformers": _("Loading transformers …"),
        "ready": "",
    }
    part = (ORDER.index(progress.stage) + 1) / len(ORDER)
    slot.progress(part, text=labels[progress.stage])
