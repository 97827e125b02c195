"""The tables that come with the app, made by `python -m playground emergence`. Needs no torch."""

import json
from pathlib import Path
from typing import Any

from playground.emergence.measures import columns_of
from playground.emergence.records import Checkpoint, read_table
from playground.errors import UserError

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "emergence"
MADE = "made.json"


def table_path(study: str, folder: Path) -> Path:
    """Where the table of a study lies."""
    return folder / f"{study}.csv"


def read_study(study: str, folder: Path | None = None) -> tuple[Checkpoint, ...]:
    """The checkpoints of a study. Raises UserError, with what to do, where its table is missing or damaged."""
    path = table_path(study, folder or FOLDER)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        command = f"python -m playground emergence --study {study} --out {path.parent.name}"
        raise UserError(
            "The table {name} is missing or unreadable. Make it with `{command}`.", name=path.name, command=command
        ) from error
    rows = read_table(text)
    if not rows:
        raise UserError("The table {name} holds no checkpoints; make it anew.", name=path.name)
    lacking = [name for name in columns_of(study) if name not in rows[0].measures]
    if lacking:
        raise UserError(
            "The table {name} lacks the columns {lacking}; make it anew.", name=path.name, lacking=", ".join(lacking)
        )
    return rows


def read_provenance(study: str, folder: Path | None = None) -> dict[str, str]:
    """How the table of a study was made: command, versions, machine; empty where nothing says so."""
    try:
        made: dict[str, Any] = json.loads(((folder or FOLDER) / MADE).read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in made[study].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
