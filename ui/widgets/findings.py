"""What a picture shows, in sentences above it."""

import streamlit as st

from playground.lens.finding import Finding

_MARKUP = r"\`*_[]|$~<>:&@"


def show_findings(*findings: Finding | None) -> None:
    """The sentences that can be said, in one paragraph without markup; nothing where there are none."""
    said = " ".join(str(finding) for finding in findings if finding is not None)
    if said:
        st.text(said)


def plain_markdown(text: str) -> str:
    """A text, tokens of a model and all, that Markdown shows as it stands.

    >>> plain_markdown("2 *a*")
    '2 \\\\*a\\\\*'
    """
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in text)
