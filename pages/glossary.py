"""Glossary: the terms that stand on the screen, each with its formula and its source."""

from playground.text import _
from ui import shell

shell.guard(_("Glossary"), _("What the words on these pages mean: two lines, a formula, a source."), needs="torch")

import streamlit as st

from playground.glossary import TERMS
from ui.state.address import read_text
from ui.state.parameters import GLOSSARY
from ui.widgets.mirror import mirrored

wanted = st.text_input(
    _("Search"),
    read_text(GLOSSARY),
    **mirrored(GLOSSARY, read_text(GLOSSARY)),
    max_chars=GLOSSARY.limit,
    placeholder=_("for example: induction"),
    width=360,
)
shown = [term for term in TERMS if wanted.lower() in " ".join([*map(_, term.forms), _(term.meaning)]).lower()]
if not shown:
    st.info(_("No term with these letters. Try fewer."), icon=":material/search_off:")
for term in sorted(shown, key=lambda term: _(term.forms[0]).lower()):
    with st.container(border=True, key=f"entry_{term.key}"):
        st.subheader(_(term.forms[0]), anchor=term.key)
        st.write(_(term.meaning))
        if term.formula:
            st.code(term.formula, language=None)
        st.caption(term.source)
