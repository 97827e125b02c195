"""What a session has asked and cancelled, what it wrote and masked."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.cache import Answers
from ui.state.address import read_integers, write_integers
from ui.state.parameters import BRANCH, MASKED

Finding = TypeVar("Finding")
KEPT_FINDINGS = 12
BERTVIZ_LAYER, INSIDE = "bertviz_layer", "inside"
LOG_AXES, LOG_STEPS, LOG_LOSS = "log_axes", "steps", "loss"
"""Session keys that stand in no address."""


def findings(slot: str = "findings", most: int = KEPT_FINDINGS) -> Answers:
    """A session's own answers to its questions; only the last few are kept. slot: of another kind, another store."""
    found: Answers = st.session_state.setdefault(slot, Answers(name=slot, most=most))
    return found


def first_value(name: str, make: Callable[[], Finding]) -> Finding:
    """What an editable table began with in this session: it must not change under the person's hand."""
    if name not in st.session_state:
        st.session_state[name] = make()
    first: Finding = st.session_state[name]
    return first


def read_branch() -> list[int]:
    """The token ids of the branch that a link brought; none once the session has asked, or where it is damaged."""
    if st.session_state.get("branch_read"):
        return []
    st.session_state["branch_read"] = True
    return read_integers(BRANCH)


def write_branch(ids: Sequence[int]) -> None:
    """Put a branch's token ids into the address; a very long one stays out of it."""
    write_integers(BRANCH, ids if len(ids) <= 300 else [])


def read_masked() -> list[int]:
    """The positions that a person has masked; none where the address is damaged."""
    return read_integers(MASKED)


def write_masked(positions: Sequence[int]) -> None:
    """Put the masked positions into the address."""
    write_integers(MASKED, positions)


def run_again() -> None:
    """Run what runs now once more: a fragment alone where only that runs."""
    context = get_script_run_ctx()
    st.rerun(scope="fragment" if context is not None and context.fragment_ids_this_run else "app")


def cancel(work: str) -> None:
    """Remember that a person wants no answer to this question now; the next run begins nothing for it."""
    st.session_state["cancelled"] = [*st.session_state.get("cancelled", []), work][-KEPT_FINDINGS:]


def is_cancelled(work: str) -> bool:
    """Whether the work on this question was cancelled."""
    return work in st.session_state.get("cancelled", [])


def resume(work: str) -> None:
    """Begin again what was cancelled."""
    st.session_state["cancelled"] = [other for other in st.session_state.get("cancelled", []) if other != work]
