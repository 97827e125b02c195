"""The models that were trained here, for the lists of models."""

from collections.abc import Sequence
from contextlib import suppress

from playground.errors import UserError
from playground.folders import runs_folder
from playground.models import catalogue
from playground.once import once
from playground.settings import settings
from playground.training.run.paths import ABOUT, checkpoint_steps, read_json
from playground.training.run.runs import run_path
from ui.state.training import known_runs

MOST_LISTED = 30
"""Each is read anew whenever a page runs."""


@once
def trained_models() -> dict[str, str]:
    """The last checkpoints of the newest runs: the name that `load` takes, and the run's own name.

    On a shared server those whose ids stand in the address.
    """
    found = {}
    for run_id in known_runs() if settings().hosted else _newest():
        with suppress(UserError, OSError):
            folder = run_path(runs_folder(), run_id)
            if steps := checkpoint_steps(folder):
                found[f"run/{run_id}/{steps[-1]}"] = str(read_json(folder / ABOUT).get("name") or run_id)
    return found


def _newest() -> list[str]:
    with suppress(OSError):
        folders = sorted(runs_folder().iterdir(), key=lambda folder: -folder.stat().st_mtime)
        return [folder.name for folder in folders[:MOST_LISTED]]
    return []


def listed_models(chosen: str, *, first: Sequence[str] = ()) -> dict[str, str]:
    """What a list of models offers, by name, each with what is written there: the catalogue, own runs, the chosen one.

    first: names that stand before all others.
    """
    trained = trained_models()
    names = dict.fromkeys([*first, *(entry.name for entry in catalogue()), *trained, chosen])
    return {name: f"{trained[name]} · {name}" if name in trained else name for name in names}
