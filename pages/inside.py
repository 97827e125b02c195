"""Inside a head: how the numbers of one head come about, step by step and by hand."""

from playground.text import _
from ui import shell

shell.guard(
    _("Inside a head"), _("How do the numbers of a head come about? Follow one token through every product and sum.")
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.inside.attention_by_hand import show_by_hand
from ui.sections.inside.head_comparison import show_many_heads
from ui.sections.inside.positions import show_positions
from ui.sections.inside.sections import HAND, MANY, POSITIONS, choose_section, obtain_reading
from ui.sections.inside.walkthrough import show_story
from ui.widgets.model import choose_model

with st.sidebar:
    load_chart_library()
    choice = choose_model()
section = choose_section()
if section == HAND:
    show_by_hand()
elif section == POSITIONS:
    show_positions(choice)
elif section == MANY:
    show_many_heads(*obtain_reading(choice))
else:
    show_story(*obtain_reading(choice))
