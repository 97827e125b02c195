"""How long this server keeps a run."""

import streamlit as st

from playground.settings import settings
from playground.text import _


def say_retention() -> None:
    """The sentence for whoever wants to keep a run; nothing where runs stay for good."""
    if days := settings().retention_days:
        sentence = _("This server deletes a run that nobody has continued for {days:g} days: download what is to stay.")
        st.caption(sentence.format(days=days))
