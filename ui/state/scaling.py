"""The scaling page's table and sweep, in the address; and what its buttons could not do."""

import json
import time
from collections.abc import Mapping

import streamlit as st

from playground.decoding import well_formed
from playground.folders import runs_folder
from playground.sweeps.folder import SWEEP as SWEEP_FILE
from ui.state.address import pack, read_json_text, read_text, read_value, read_words, write_text, write_values
from ui.state.parameters import COLUMNS, POINT, POINTS, POINTS_UPLOAD, SOURCE, SWEEP, SWEEPS
from ui.state.revisions import renew
from ui.state.uploads import forget_upload, keep_upload, kept_upload

POINTS_IN_ADDRESS = 12_000
"""A longer packed table stays out of the address: servers refuse addresses much longer than this."""
KNOWN_SWEEPS = 12
_SHORT = "points_text"
"""The session's key of a table that fits into an address: the menu opens pages with an empty one."""
SECTION_WIDGET, FIT_SECTION = "scaling_section", "curves"
"""The key of the widget that chooses the section, and the section of the fit."""


def adopt_source(source: str) -> None:
    """Show another source from the next run on."""
    write_values({SOURCE: source})
    renew(SOURCE)


def read_points_text() -> str:
    """The table that a person brought: the address's, or one that is too long for an address."""
    if is_in_address():
        return read_text(POINTS)
    if POINTS_UPLOAD not in st.query_params and isinstance(st.session_state.get(_SHORT), str):
        return str(st.session_state[_SHORT])
    kept = kept_upload(POINTS_UPLOAD)
    return kept.content.decode() if kept else ""


def write_points_text(text: str) -> bool:
    """Keep a table, in the address where it fits; whether it does."""
    fits = len(text) <= POINTS.limit and len(pack(text)) <= POINTS_IN_ADDRESS
    write_text(POINTS, text if text and fits else None)
    if fits:
        st.session_state[_SHORT] = text
        forget_upload(POINTS_UPLOAD)
    else:
        st.session_state.pop(_SHORT, None)
        keep_upload(POINTS_UPLOAD, "points.csv", well_formed(text).encode())
    return fits


def is_in_address() -> bool:
    """Whether a link to this page brings the person's table along."""
    return POINTS in st.query_params


def read_columns() -> dict[str, str]:
    """Which column of the person's table is taken for what; empty where the address is damaged."""
    values = read_json_text(COLUMNS)
    return {str(name): str(column) for name, column in values.items()} if isinstance(values, dict) else {}


def write_columns(columns: Mapping[str, str]) -> None:
    """Put the mapping into the address; the one that is recognised stays out."""
    write_text(COLUMNS, json.dumps(columns, ensure_ascii=False) if columns else None)


def point_of_run(run_id: str) -> dict[str, str] | None:
    """The address parameters of a run's point among its sweep's; None for a run that belongs to no sweep here."""
    for end, letter in enumerate(run_id):
        if letter == "-" and (runs_folder() / run_id[:end] / SWEEP_FILE).is_file():
            return {str(SOURCE): run_id[:end], str(POINT): run_id[end + 1 :]}
    return None


def await_sweep(sweep: str, seconds: float) -> None:
    """Poll a sweep that was resumed for so long, though its status still says that it is stopped."""
    st.session_state["awaited_sweep"] = sweep, time.monotonic() + seconds


def is_awaited(sweep: str) -> bool:
    """Whether a sweep was resumed just now and may not have started yet."""
    awaited, until = st.session_state.get("awaited_sweep", ("", 0.0))
    return bool(awaited == sweep and time.monotonic() < until)


def has_come(sweep: str) -> None:
    """The sweep is at work: nothing is awaited any more."""
    if is_awaited(sweep):
        del st.session_state["awaited_sweep"]


def read_sweep_id() -> str | None:
    """The sweep that the address follows."""
    return read_value(SWEEP) or None


def write_sweep_id(sweep: str | None) -> None:
    """Follow a sweep, and remember it among the sweeps of this address; None follows none."""
    write_values({SWEEP: sweep})
    if sweep is not None and sweep not in read_words(SWEEPS):
        write_values({SWEEPS: ",".join(list(dict.fromkeys([*known_sweeps(), sweep]))[-KNOWN_SWEEPS:])})


def known_sweeps() -> list[str]:
    """The sweeps that this address may see on a shared server: an id is long and random, so it is also the key."""
    shown = read_sweep_id()
    return list(dict.fromkeys([*read_words(SWEEPS), *([shown] if shown else [])]))
