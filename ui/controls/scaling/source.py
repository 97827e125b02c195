"""Whose points are looked at: a sweep that is shipped, one of this machine's own sweeps, or a table."""

import datetime
from pathlib import Path

import streamlit as st

from playground.errors import UserError
from playground.models import runs_folder
from playground.scaling.results import read_points_file
from playground.training.layout import is_run_id
from ui import state
from ui.controls.model import is_hosted
from ui.controls.scaling.study import SHIPPED, Study, study_of_sweep, study_of_table
from ui.text import _

TABLE = "table"
SWEEP_FILE = "sweep.json"


def choose_source() -> str:
    """Which points; the word of the address is a shipped sweep's name, a sweep's id, or the table."""
    titles = source_titles()
    words = list(titles)
    # A link to a table alone means the table, whatever sweeps this machine has.
    first = TABLE if state.is_in_address() else words[0]
    wanted = state.read_word(state.SOURCE, [first, *words])
    word: str = st.selectbox(
        _("Points"),
        words,
        index=words.index(wanted),
        format_func=titles.__getitem__,
        key=f"source_{state.source_revision()}",
    )
    # Always in the address: which source comes first differs from machine to machine and from day to day.
    state.write_word(state.SOURCE, word, "")
    return word


def source_titles() -> dict[str, str]:
    """Every source by its word; what is shipped comes first, then this machine's sweeps, the newest first."""
    shipped = {folder.name: _("Shipped sweep: {name}").format(name=folder.name) for folder in shipped_sweeps()}
    own = {folder.name: _("Sweep of {when}").format(when=_when(folder)) for folder in own_sweeps()}
    return {**shipped, **own, TABLE: _("Your own table")}


def shipped_sweeps() -> list[Path]:
    """The folders of sweeps that came with the app."""
    return sorted(path.parent for path in SHIPPED.glob("*/points.csv"))


def own_sweeps() -> list[Path]:
    """Sweeps among this machine's runs that have finished cells; on a shared server those of the address."""
    root = runs_folder()
    if is_hosted():
        found = [root / name for name in state.known_sweeps() if is_run_id(name)]
    else:
        found = [path.parent for path in root.glob(f"*/{SWEEP_FILE}")]
    found = [folder for folder in found if (folder / SWEEP_FILE).is_file() and read_points_file(folder)]
    return sorted(found, key=lambda folder: (folder / SWEEP_FILE).stat().st_mtime, reverse=True)


def _when(folder: Path) -> str:
    begun = datetime.datetime.fromtimestamp((folder / SWEEP_FILE).stat().st_mtime).astimezone()
    return begun.strftime("%Y-%m-%d %H:%M")


def find_study(word: str) -> Study | None:
    """The points of a source; None, with a sentence where it cannot be read, and none where there is no table yet."""
    try:
        if word == TABLE:
            text = state.read_points_text()
            return study_of_table(text, state.read_columns()) if text.strip() else None
        shipped = word in [folder.name for folder in shipped_sweeps()]
        folder = (SHIPPED if shipped else runs_folder()) / word
        origin = _("the shipped sweep {name} (assets/sweeps/{name}/card.md)") if shipped else _("the sweep {name}")
        return study_of_sweep(
            folder, title=source_titles()[word], origin=origin.format(name=word[:12]), opens=not shipped
        )
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def choose_counting(study: Study) -> Study:
    """Parameters with or without embeddings and head, where the sweep says both; of a table why there is no choice."""
    if study.without_embeddings is None:
        st.caption(
            _(
                "Parameters N count as in your table: how many of them are embeddings, a table does not say. "
                "Put in the counts that you want to compare, one table each."
            )
        )
        return study
    words = {"all": _("all"), "without": _("without embeddings and head")}
    known = list(words)
    chosen: str = st.radio(
        _("Parameters N"),
        known,
        index=known.index(state.read_word(state.COUNT, known)),
        format_func=words.__getitem__,
        key="choose_count",
    )
    state.write_word(state.COUNT, chosen, "all")
    return study.counted_without_embeddings() if chosen == "without" else study
