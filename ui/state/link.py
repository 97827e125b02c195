"""What a link to a page carries: the parameters that its last run has read. And what it cannot carry."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.share_link import share_link
from ui.state.parameters import LANGUAGE, REGISTRY, RUNS, SWEEPS

KNOWN_IDS = (RUNS, SWEEPS)
"""Lists of what this browser has started: nobody else's business, but for what the link shows."""
_READ, _WHOLE, _LEFT_OUT = "read_parameters", "ran_to_end", "left_out"


def begin_reading() -> None:
    """A page begins to run: nothing is read yet."""
    st.session_state[_READ], st.session_state[_LEFT_OUT] = set(), []
    st.session_state[_WHOLE] = False


def end_reading() -> None:
    """The page has run to its end, and has read all that it depends on; its fragments may still read more."""
    st.session_state[_WHOLE] = True


def note_read(key: str) -> None:
    """A page has asked for what stands under this key of the address."""
    st.session_state.setdefault(_READ, set()).add(str(key))


def leave_out(sentence: str) -> None:
    """Say, translated, what this run shows and no link can carry."""
    said = st.session_state.setdefault(_LEFT_OUT, [])
    if sentence not in said:
        said.append(sentence)


def left_out() -> list[str]:
    """What the page shows and a link does not carry, in sentences."""
    return list(st.session_state.get(_LEFT_OUT, ()))


def carried_values() -> list[tuple[str, str]]:
    """What of the address makes the picture: after a run that ended early all that the app knows."""
    known = {str(parameter): parameter.bound for parameter in REGISTRY}
    values = [(key, value) for key in st.query_params if key in known for value in st.query_params.get_all(key)]
    if st.session_state.get(_WHOLE, False):
        read = st.session_state.get(_READ, set())
        values = [(key, value) for key, value in values if key in read or key == LANGUAGE or _is_bound(key, known)]
    return [*filter(None, (_without_other_ids(key, value, values) for key, value in values))]


def link_lines() -> list[str]:
    """The link to what is shown, as a line of provenance for a file; none outside a browser."""
    page = page_address()
    return [f"link: {share_link(page, carried_values())}"] if page else []


def page_address() -> str:
    """The address of this page in the visitor's browser, without its parameters; empty outside a browser.

    `st.context.url` takes the end of a sub-path that ends like a page's name for that page.
    """
    context = getattr(get_script_run_ctx(suppress_warning=True), "context_info", None)
    return str(getattr(context, "url", ""))


def _is_bound(key: str, known: dict[str, bool]) -> bool:
    """Whether a widget that the page shows is bound to the parameter."""
    return known[key] and key in st.session_state


def _without_other_ids(key: str, value: str, values: list[tuple[str, str]]) -> tuple[str, str] | None:
    """A list of ids without those that nothing else in the link names; None where none is left."""
    if key not in KNOWN_IDS:
        return key, value
    others = [other for name, other in values if name not in KNOWN_IDS]
    named = [one for one in value.split(",") if one and any(one in other for other in others)]
    return (key, ",".join(named)) if named else None
