"""A new run's settings, the run that is shown, and its film."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.state.address import integers, read_json_text, read_value, read_words, write_choice, write_text, write_values
from ui.state.parameters import CHANGES, FILM, PRESET, RUN, RUNS, UNFOLDED
from ui.state.revisions import renew, revision

if TYPE_CHECKING:
    from playground.training import TrainConfig
    from playground.training.lr_finder import Trial
    from ui.components.film_view import FilmState

KNOWN_RUNS = 12
_START, _FORK, _FORK_ASKED = "start_requested", "fork", "fork_asked"


def read_changes() -> dict[str, Any]:
    """What the address changes in a preset; empty where it is damaged."""
    values = read_json_text(CHANGES)
    return values if isinstance(values, dict) else {}


def write_changes(changes: Mapping[str, Any]) -> None:
    """Put what was changed in a preset into the address."""
    write_text(CHANGES, json.dumps(changes, ensure_ascii=False) if changes else None)


def draft_revision() -> int:
    """How often the fields of a new run were filled from elsewhere: widgets take new values only under new keys."""
    return revision(PRESET) + revision(CHANGES)


def request_start() -> None:
    """Ask the script's next run to start a run with what the fields say then."""
    st.session_state[_START] = True


def is_start_requested() -> bool:
    """Whether a run is to be started."""
    return _START in st.session_state


def take_start_request() -> bool:
    """Whether a run is to be started, once."""
    return bool(st.session_state.pop(_START, False))


def ask_fork(run: str, step: int) -> None:
    """Open the dialog that forks a run from a checkpoint; for callbacks."""
    st.session_state[_FORK], st.session_state[_FORK_ASKED] = (run, step), True


def take_fork_request() -> bool:
    """Whether a fork was asked for just now: a fragment then lets the whole page run, which opens the dialog."""
    return bool(st.session_state.pop(_FORK_ASKED, False))


def read_fork(run: str) -> int | None:
    """The step from which the open dialog forks this run; None where none is open."""
    st.session_state.pop(_FORK_ASKED, None)
    asked: tuple[str, int] | None = st.session_state.get(_FORK)
    return asked[1] if asked is not None and asked[0] == run else None


def close_fork() -> None:
    """Forget the dialog."""
    st.session_state.pop(_FORK, None)


def kept_trials(config: "TrainConfig") -> "list[Trial] | None":
    """The learning-rate range test of these very settings, if that was the last search."""
    kept: tuple[TrainConfig, list[Trial]] | None = st.session_state.get("trials")
    return kept[1] if kept is not None and kept[0] == config else None


def keep_trials(config: "TrainConfig", trials: "list[Trial]") -> None:
    """Remember the last search."""
    st.session_state["trials"] = (config, trials)


def adopt_draft(preset: str, changes: Mapping[str, Any]) -> None:
    """Fill the fields of a new run from elsewhere."""
    write_choice(PRESET, preset, "")
    write_changes(changes)
    renew(PRESET)


def read_run_id() -> str | None:
    """The run that the address shows."""
    return read_value(RUN) or None


def write_run_id(run: str | None) -> None:
    """Show a run, and remember it among the runs of this address; None shows no run."""
    if run != read_run_id():
        write_values({FILM: None})  # another run has other heads
    known = known_runs()
    write_values({RUN: run})
    if run is not None and run not in known:
        write_values({RUNS: ",".join([*known, run][-KNOWN_RUNS:])})


def known_runs() -> list[str]:
    """The runs that this address may see on a shared server: an id is long and random, so it is also the key."""
    shown = read_run_id()
    return list(dict.fromkeys([*read_words(RUNS), *([shown] if shown else [])]))


def unfolded_sweeps() -> list[str]:
    """The sweeps whose runs stand one by one in the table."""
    return read_words(UNFOLDED)


def fold_sweep(sweep: str) -> None:
    """Show a sweep's runs one by one in the table, or fold them into its row again."""
    others = [other for other in unfolded_sweeps() if other != sweep]
    shown = others if sweep in unfolded_sweeps() else [*others, sweep]
    write_values({UNFOLDED: ",".join(shown[-KNOWN_RUNS:]) or None})


def read_film() -> "FilmState | None":
    """What a film shows, from the address; None where it says nothing."""
    from ui.components.film_view import FilmState

    parts = (read_value(FILM) or "").split(".")
    if len(parts) != 5 or parts[0] not in ("encoder", "decoder", "cross"):
        return None
    step, layer, head = ([*integers(part), None][0] for part in parts[1:4])
    return FilmState(kind=parts[0], step=step, layer=layer or 0, head=head or 0, score=parts[4])  # type: ignore[arg-type]


def write_film(film: "FilmState") -> None:
    """Put what a film shows into the address: kind, step (empty: the newest), layer, head, score."""
    step = "" if film.step is None else film.step
    write_values({FILM: f"{film.kind}.{step}.{film.layer}.{film.head}.{film.score}"})
