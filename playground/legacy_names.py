"""Old spellings of what is stored or linked: one table per artefact, read when it is opened, never written.

A link, a run folder, a model's config.json or a sweep.json from before a renaming opens as if it were new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Renaming:
    """What one kind of artefact was spelt like before."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Old key to today's key."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Today's key to its old values and today's."""


MODEL_CONFIG = Renaming(
    keys={"heads": "n_heads", "norm_place": "norm_position"},
    values={"norm_position": {"before": "pre", "after": "post"}},
)
"""config.json of our own models, and the model part of a run's."""

TRAIN_CONFIG = Renaming(keys={"snapshot_every": "checkpoint_every"})
"""config.json of a run, without its task and model."""

TASK_CONFIG = Renaming()
"""The task part of a run's config.json."""

SWEEP = Renaming()
"""sweep.json."""

STATUS = Renaming(keys={"snapshot": "checkpoint"})
"""status.json of a run and progress.json of a sweep."""

CONTROL = Renaming(values={"action": {"snapshot": "checkpoint"}})
"""A line of a run's control.jsonl."""

ADDRESS = Renaming(
    keys={"look_query": "query", "flow_query": "query"},
    values={
        "mode": {"One text": "one", "Two texts": "texts", "Two models": "models", "BertViz": "bertviz"},
        "generate": {"surprise": "surprisal"},
        "colour": {"surprise": "surprisal"},
    },
)
"""Query parameters of every page."""


FIGURE_SECTIONS = {
    **{"loss": {}, "residuals": {"section": "diagnostics"}, "frontier": {"section": "allocation"}},
    "intervals": {"section": "diagnostics", "picture": "intervals"},
    **{name: {"section": "allocation", "picture": name} for name in ("training", "valleys", "map")},
}
"""Of the figures that all stood in the scaling page's section `curves`: where they stand today."""


def modernise(values: Mapping[str, Any], renaming: Renaming) -> dict[str, Any]:
    """The values in today's spelling. A key that stands there in both spellings keeps today's value."""
    renamed = {renaming.keys.get(key, key): value for key, value in values.items() if key in renaming.keys}
    today = renamed | {key: value for key, value in values.items() if key not in renaming.keys}
    for key, spellings in renaming.values.items():
        value = today.get(key)
        if isinstance(value, str) and value in spellings:
            today[key] = spellings[value]
    return today


def modernise_address(values: Mapping[str, str]) -> dict[str, str]:
    """A link's parameters in today's spelling: one head and one token, where each section had its own."""
    today: dict[str, str] = modernise(values, ADDRESS)
    layer, head = today.pop("look_layer", None), today.pop("look_head", None)
    if layer is not None or head is not None:
        kind, _separator, number = (layer or "").partition(".")
        today = {"kind": kind, "head": f"{number}.{head or 0}"} | today if number else today
    layer, head = today.pop("watch_layer", None), today.pop("watch_head", None)
    if layer is not None or head is not None:
        today = {"head": f"{layer or 0}.{head or 0}"} | today
    if "position" in today:
        today["patch_position" if today.get("section") == "patch" else "query"] = today.pop("position")
    if today.get("section") == "patch" and "clean" in today:
        # Patching had the other sections' target and pair; a link of today names its own beside the clean prompt.
        shared = {
            f"patch_{key}": today.pop(key) for key in ("target", "pair") if f"patch_{key}" not in today and key in today
        }
        today = shared | today
    if today.get("pin", "").startswith("query."):
        today = {"query": today.pop("pin").removeprefix("query.")} | today
    if today.get("section", "curves") == "curves" and today.get("picture") in FIGURE_SECTIONS:
        today.pop("section", None)
        today.update(FIGURE_SECTIONS[today.pop("picture")])
    return today


RUN_PARTS = {"task": TASK_CONFIG, "model": MODEL_CONFIG, "train": TRAIN_CONFIG}
"""The records of a run: in its config.json the training's fields stand beside the others, in a link below "train"."""


def modernise_run_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """A run's config.json, or a link's changes to a preset, its records included."""
    today = modernise(values, TRAIN_CONFIG)
    for name, renaming in RUN_PARTS.items():
        if isinstance(today.get(name), dict):
            today[name] = modernise(today[name], renaming)
    return today
