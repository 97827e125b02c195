"""The text whose perplexity is asked for: typed, a file, or a built-in sample."""

import streamlit as st

from playground.decoding import decode_upload
from playground.errors import UserError
from playground.models import LoadedModel
from playground.tasks.tales.tales_task import story_text
from playground.text import _
from ui.cache import results
from ui.jobs import require
from ui.state.address import read_choice
from ui.state.parameters import PERPLEXITY_TEXT, TEXT_UPLOAD
from ui.state.uploads import kept_upload
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar, bar_text
from ui.widgets.upload import kept_file

TYPED, FILE, SAMPLE = "typed", "file", "sample"
SAMPLE_WORDS = 600
MOST_CHARACTERS = 400_000


def choose_text(bar: ContextBar, model: LoadedModel) -> str:
    """The text: the bar's, a file or a sample. Raises UserError for a file that is no text, or too long.

    Ends the run while there is none.
    """
    titles = {TYPED: _("Typed"), FILE: _("A file"), SAMPLE: _("A sample")}
    source = choose_option(PERPLEXITY_TEXT, _("Text"), titles)
    if source == SAMPLE:
        st.caption(
            _("Stories of a small world, made by this project's own generator; no model but ours has read them.")
        )
        return _sample()
    if source == FILE:
        return _uploaded()
    text = bar_text(bar, model)
    if not text.strip():
        raise UserError("Type a text to score.")
    return text


def is_typed() -> bool:
    """Whether the text stands in the address, where other pages find it."""
    return _source() == TYPED


def text_program(text: str) -> tuple[list[str], str]:
    """The imports and the line that make the text: from its file, from the generator, or as it is."""
    source = _source()
    kept = kept_upload(TEXT_UPLOAD) if source == FILE else None
    if kept is not None:
        imports = ["pathlib import Path", "playground.decoding import decode_upload"]
        return imports, f"text = decode_upload(Path({kept.name!r}).read_bytes())"
    if source == SAMPLE:
        imports = ["playground.tasks.tales.tales_task import story_text"]
        return imports, f"text = story_text({SAMPLE_WORDS})"
    return [], f"text = {text!r}"


def _source() -> str:
    return read_choice(PERPLEXITY_TEXT, [TYPED, FILE, SAMPLE])


def _sample() -> str:
    def tell(_progress: object) -> str:
        return story_text(SAMPLE_WORDS)

    return require(("sample", SAMPLE_WORDS), tell, title=_("Writing the sample"), cache=results())


def _uploaded() -> str:
    kept = kept_file(TEXT_UPLOAD, _("A text file"), type=["txt", "md"], max_upload_size=5)
    if kept is None:
        st.info(_("Choose a file of plain text."), icon=":material/upload:")
        st.stop()
    text = decode_upload(kept.content)
    st.caption(_("{count:,} characters").format(count=len(text)))
    if len(text) > MOST_CHARACTERS:
        raise UserError(
            "The file has {count:,} characters; at most {most:,} are scored here.",
            count=len(text),
            most=MOST_CHARACTERS,
        )
    return text
