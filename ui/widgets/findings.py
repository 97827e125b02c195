"""What a picture shows, in sentences above it."""

from html import escape

import streamlit as st

from playground.lens.finding import Finding


def show_findings(*findings: Finding | None) -> None:
    """The sentences that can be said, in one paragraph without markup; nothing where there are none."""
    said = " ".join(str(finding) for finding in findings if finding is not None)
    if said:
        st.text(said)


def show_caption(sentence: str) -> None:
    """A caption that shows a sentence as it stands, tokens of a model and all; nothing in it is markup."""
    st.html(f'<p class="plain-caption">{escape(sentence)}</p>')
