"""Inside the model: a token from its embedding to the next token's probability, step by step, and in a toy example."""

from playground.text import _
from ui import shell

shell.guard(
    _("Inside the model"),
    _("How does a text become the next token's probability? Follow one token through every product and sum."),
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.inside.architecture import show_architecture
from ui.sections.inside.by_hand import show_by_hand
from ui.sections.inside.head_comparison import show_head_comparison
from ui.sections.inside.positions import show_positions
from ui.sections.inside.sections import ARCHITECTURE, COMPARISON, POSITIONS, TOY, choose_section, obtain_trace
from ui.sections.inside.walkthrough import show_walkthrough
from ui.widgets.context_bar import open_bar

with st.sidebar:
    load_chart_library()
bar = open_bar()
section, row = choose_section()
if section == TOY:
    show_by_hand(bar)
elif section == POSITIONS:
    show_positions(bar)
elif section == ARCHITECTURE:
    show_architecture(bar)
elif section == COMPARISON:
    show_head_comparison(*obtain_trace(bar), bar)
else:
    show_walkthrough(*obtain_trace(bar), bar, row)
