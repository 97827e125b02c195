"""A new run's settings, the run that is shown, and its film."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.state.address import integers, read_text, read_value, write_choice, write_text, write_values
from ui.state.parameters import CHANGES, FILM, PRESET, RUN, RUNS

if TYPE_CHECKING:
    from playground.training import TrainConfig
    from playground.training.lr_finder import Trial
    from ui.components.film_view import FilmState

KNOWN_RUNS = 12


def read_changes() -> dict[str, Any]:
    """What the address changes in a preset; empty where it is damaged."""
    try:
        values = json.loads(read_text(CHANGES, "{}"))
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def write_changes(changes: Mapping[str, Any]) -> None:
    """Put what was changed in a preset into the address."""
    write_text(CHANGES, json.dumps(changes, ensure_ascii=False) if changes else None)


def draft_revision() -> int:
    """How often the fields of a new run were filled from elsewhere: widgets take new values only under new keys."""
    return int(st.session_state.get("draft_revision", 0))


def keep_draft(config: "TrainConfig") -> None:
    """Remember what the fields of a new run say, for a fork."""
    st.session_state["draft_config"] = config


def draft_config() -> "TrainConfig | None":
    """What the fields of a new run said last."""
    config: TrainConfig | None = st.session_state.get("draft_config")
    return config


def kept_trials(config: "TrainConfig") -> "list[Trial] | None":
    """The learning-rate range test of these very settings, if that was the last search."""
    kept: tuple[TrainConfig, list[Trial]] | None = st.session_state.get("trials")
    return kept[1] if kept is not None and kept[0] == config else None


def keep_trials(config: "TrainConfig", trials: "list[Trial]") -> None:
    """Remember the last search."""
    st.session_state["trials"] = (config, trials)


def adopt_draft(preset: str, changes: Mapping[str, Any]) -> None:
    """Fill the fields of a new run from elsewhere."""
    st.session_state[PRESET] = preset
    write_choice(PRESET, preset, "")
    write_changes(changes)
    st.session_state["draft_revision"] = draft_revision() + 1


def read_run_id() -> str | None:
    """The run that the address shows."""
    return read_value(RUN) or None


def write_run_id(run: str | None) -> None:
    """Show a run, and remember it among the runs of this address; None shows no run."""
    if run is None:
        st.query_params.pop(RUN, None)
        return
    st.query_params[RUN] = run
    known = known_runs()
    if run not in known:
        st.query_params[RUNS] = ",".join([*known, run][-KNOWN_RUNS:])


def known_runs() -> list[str]:
    """The runs that this address may see on a shared server: an id is long and random, so it is also the key."""
    listed = (read_value(RUNS) or "").split(",")
    shown = read_run_id()
    return list(dict.fromkeys(run for run in (*listed, shown or "") if run))


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
