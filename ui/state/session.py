"""A session's own state: cancelled jobs, drafts, the branches it sampled and the tokens it masked."""

from collections.abc import Callable, Sequence
from itertools import takewhile
from secrets import token_hex
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.cache import BoundedCache
from ui.state.address import integers, read_integers, read_value, write_integers, write_values
from ui.state.parameters import BRANCH, BRANCHES, MASKED

First = TypeVar("First")
DRAFTS = 12
CANCELLED = 12
"""How many drafts and cancelled jobs a session remembers."""
MOST_BRANCHES, MOST_IDS = 20, 300
"""What an address may have: branches beside the shown one, and tokens of all of them, each a pass of the model."""
BERTVIZ_LAYER = "bertviz_layer"
LOG_AXES, LOG_STEPS, LOG_LOSS = "log_axes", "steps", "loss"
"""Session keys that stand in no address."""


def session_cache() -> BoundedCache:
    """What this session alone may change: its drafts."""
    kept: BoundedCache = st.session_state.setdefault("session_cache", BoundedCache("session", DRAFTS))
    return kept


def first_value(name: str, make: Callable[[], First]) -> First:
    """What an editable table began with in this session: it must not change under the person's hand."""
    if name not in st.session_state:
        st.session_state[name] = make()
    first: First = st.session_state[name]
    return first


def read_branches() -> list[list[int]]:
    """The token ids of the branches that a link brought, the shown one first.

    None once the session has asked; a damaged one is left out.
    """
    if st.session_state.get("branch_read"):
        return []
    st.session_state["branch_read"] = True
    shown = read_integers(BRANCH)[:MOST_IDS]
    parts = [integers(part) for part in (read_value(BRANCHES) or "").split("_")]
    others = [[*shown[: part[0]], *part[1:]] for part in parts[:MOST_BRANCHES] if len(part) > 1]
    return [shown, *_fitting(len(shown), others)]


def write_branches(shown: Sequence[int], others: Sequence[Sequence[int]]) -> None:
    """Put the branches' token ids into the address; what would make it very long stays out of it.

    `branches` has of each other branch how many tokens it shares with the shown one, and its further ids.
    """
    if len(shown) > MOST_IDS:
        shown = []
    write_integers(BRANCH, shown)
    parts = []
    for ids in _fitting(len(shown), others)[:MOST_BRANCHES]:
        kept = sum(1 for _same in takewhile(lambda pair: pair[0] == pair[1], zip(shown, ids, strict=False)))
        parts.append(".".join(map(str, (kept, *ids[kept:]))))
    write_values({BRANCHES: "_".join(parts) or None})


def _fitting(used: int, branches: Sequence[Sequence[int]]) -> list[list[int]]:
    """The first branches, as many as an address and a visitor's patience have room for."""
    fitting = []
    for ids in branches:
        used += len(ids)
        if used > MOST_IDS:
            break
        fitting.append(list(ids))
    return fitting


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


def cancel(job: str) -> None:
    """Remember that a person has cancelled a job; the next run of the page does not start it."""
    st.session_state["cancelled"] = [*st.session_state.get("cancelled", []), job][-CANCELLED:]


def is_cancelled(job: str) -> bool:
    """Whether a person has cancelled this job."""
    return job in st.session_state.get("cancelled", [])


def resume(job: str) -> None:
    """Let a cancelled job start again."""
    st.session_state["cancelled"] = [other for other in st.session_state.get("cancelled", []) if other != job]


def keep_error(action: str, message: str) -> None:
    """Keep, for the run of the script that follows a button's action, why it failed."""
    st.session_state[f"error_{action}"] = message


def take_error(action: str) -> str:
    """Why a button's action failed, once; empty where it did not."""
    return str(st.session_state.pop(f"error_{action}", ""))


def ask_for(work: str, what: str) -> None:
    """Remember, for the runs of the script that follow, that a person wants this work; each time is another one."""
    st.session_state[f"asked_{work}"] = (what, token_hex(8))


def asked_for(work: str) -> tuple[str, str]:
    """What a person wants of this work and has not got, and which time this is; empty where nothing is left to do."""
    what, time = st.session_state.get(f"asked_{work}", ("", ""))
    return str(what), str(time)


def ask_no_more(work: str) -> None:
    """Forget what a person asked for of this work."""
    st.session_state.pop(f"asked_{work}", None)


def keep_ids(work: str, ids: Sequence[str]) -> None:
    """Keep what was queued until it stands in the address, whatever ends this run of the script."""
    st.session_state[f"ids_{work}"] = list(ids)


def kept_ids(work: str) -> list[str]:
    """What was queued and may not stand in the address yet."""
    return list(st.session_state.get(f"ids_{work}", []))
