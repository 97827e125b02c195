"""Configure a new run: a preset, and the changes to it. The address holds both."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.legacy_names import modernise_run_config
from playground.tasks.masked import TALES
from playground.tasks.registry import task_kind_of
from playground.tasks.sources import HUB, PYTHON_DOCUMENTATION
from playground.text import _
from playground.training import TrainConfig
from playground.training.presets import PRESETS
from playground.training.trainer import choose_device
from playground.transformer import TransformerConfig
from ui.sections.train.preset_texts import preset_title
from ui.state.address import read_choice, write_choice
from ui.state.parameters import PRESET
from ui.state.revisions import widget_key
from ui.state.session import keep_error, take_error
from ui.state.training import adopt_draft, draft_revision, read_changes, write_changes
from ui.text import error_sentence
from ui.widgets.fields import edit, editable
from ui.widgets.model import is_hosted
from ui.widgets.upload import upload

RECORDS = ("task", "model", "train")
"""What an address can change."""
FROM_TASK = ("vocabulary", "kind", "classes", "segments")
"""Fields of the model that follow from the task."""
MODEL_FIRST = ("layers", "n_heads", "width", "context", "feed_forward", "positions")
UPLOAD = "upload_settings"
BUILT_IN = (PYTHON_DOCUMENTATION, TALES)
TRAIN_FIRST = ("steps", "batch", "learning_rate", "warm_up", "schedule", "optimizer", "weight_decay", "seed")


@dataclass(frozen=True, kw_only=True)
class RunDraft:
    """The configuration in the fields."""

    preset: str
    config: TrainConfig | None
    """None if the fields make no configuration."""
    problem: str = ""
    """Why they make none, or what in the address was ignored."""


def chosen_preset() -> str:
    """The preset of the field, or of the address before the field is on the page."""
    kept = st.session_state.get(widget_key(PRESET))
    return kept if kept in PRESETS else read_choice(PRESET, list(PRESETS))


def choose_config() -> RunDraft:
    """Choose a preset and change its fields; the changes are written to the address."""
    names = list(PRESETS)
    shown = read_choice(PRESET, names)
    key, index = widget_key(PRESET), names.index(shown)
    preset = st.selectbox(_("Task / preset"), names, index=index, key=key, format_func=preset_title)
    write_choice(PRESET, preset, names[0])
    if preset != shown:
        write_changes({})
    base = PRESETS[preset]()
    key = f"draft.{preset}.{draft_revision()}"
    start, problem = apply_changes(base, read_changes())
    values = _edit_records(start, key)
    try:
        config = build(base, values)
        choose_device(config)
    except UserError as error:
        return RunDraft(preset=preset, config=None, problem=error_sentence(error))
    write_changes(changes_of(base, config))
    return RunDraft(preset=preset, config=config, problem=problem)


def _edit_records(start: TrainConfig, key: str) -> dict[str, dict[str, Any]]:
    """The fields of task, model and training, the usual ones first."""
    model_rest = editable(start.model, (*FROM_TASK, *MODEL_FIRST))
    train_rest = editable(start, ("task", "model", *TRAIN_FIRST))
    st.markdown(f"**{_('Task')}**")
    task = edit(start.task, editable(start.task), key=f"{key}.task")
    st.markdown(f"**{_('Model')}**")
    model = edit(start.model, (*MODEL_FIRST, *model_rest), key=f"{key}.model")
    st.markdown(f"**{_('Training')}**")
    train = edit(start, (*TRAIN_FIRST, *train_rest), key=f"{key}.train")
    return {"task": task, "model": model, "train": train}


def build(base: TrainConfig, values: dict[str, dict[str, Any]]) -> TrainConfig:
    """The configuration with these values; the model gets what its task needs. Raises UserError."""
    task: Any = dataclasses.replace(base.task, **values.get("task", {}))  # type: ignore[type-var]
    _refuse_files(task)
    needs = task.needs()
    shape = {**base.model.to_dict(), **values.get("model", {})}
    shape |= {"kind": needs.kind, "vocabulary": needs.vocabulary, "classes": needs.classes}
    shape |= {"segments": needs.segments}
    shape |= {"context": max(int(shape["context"]), needs.context)}
    model = TransformerConfig.from_dict(shape)
    return dataclasses.replace(base, task=task, model=model, **values.get("train", {}))


def _refuse_files(task: Any) -> None:
    """Raise UserError on a shared server: it reads no files of its own."""
    files = [source for source in getattr(task, "sources", ()) if not is_public(source)]
    if files and is_hosted():
        raise UserError("This shared server reads no files of its own. Paste your text instead.")


def is_public(source: str) -> bool:
    """Whether a source is no file of this machine."""
    return source in BUILT_IN or source.startswith(HUB)


def apply_changes(base: TrainConfig, changes: dict[str, Any]) -> tuple[TrainConfig, str]:
    """The preset with the changes of an address; the preset alone, and a sentence, if they are not valid."""
    if not changes:
        return base, ""
    try:
        changes = modernise_run_config(changes)
        if unknown := changes.keys() - set(RECORDS):
            raise UserError("There is no group of settings called {name}.", name=min(unknown))
        return build(base, {name: _tuples(changes.get(name)) for name in RECORDS}), ""
    except (UserError, TypeError, ValueError):
        return base, _("The address asks for settings that this version does not know; the preset is shown instead.")


def _tuples(values: Any) -> dict[str, Any]:
    """The values with tuples for JSON's lists."""
    if not isinstance(values, dict):
        return {}
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def changes_of(base: TrainConfig, config: TrainConfig) -> dict[str, dict[str, Any]]:
    """The changes to a preset, by record and field."""
    pairs = {"task": (base.task, config.task), "model": (base.model, config.model), "train": (base, config)}
    changes = {name: _record_changes(before, after) for name, (before, after) in pairs.items()}
    return {name: fields for name, fields in changes.items() if fields}


def _record_changes(before: Any, after: Any) -> dict[str, Any]:
    followed = FROM_TASK if isinstance(after, TransformerConfig) else ("task", "model")
    names = [field.name for field in dataclasses.fields(after) if field.name not in followed]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def copy_settings(config: TrainConfig) -> None:
    """Fill the fields with another run's settings: the first preset of its task, and the changes to it.

    For callbacks only: the preset is a widget's value, which cannot be set once the widget is on the page.
    Raises UserError if no preset has this task.
    """
    name = next(
        (name for name, make in PRESETS.items() if task_kind_of(make().task) == task_kind_of(config.task)), None
    )
    if name is None:
        raise UserError("No preset has this task.")
    adopt_draft(name, changes_of(PRESETS[name](), config))


def copy_rate(config: TrainConfig, rate: float) -> None:
    """Fill in a peak learning rate; the final one stays at or below it. For callbacks only."""
    rate = float(f"{rate:.2g}")
    last = min(config.final_learning_rate, rate)
    copy_settings(dataclasses.replace(config, learning_rate=rate, final_learning_rate=last))


def upload_settings() -> None:
    """Fill the fields from an exported config.json."""
    key = f"upload_{draft_revision()}"
    label = _("Settings from a file (a run's config.json)")
    upload(label, type="json", key=key, on_change=_read_upload, args=(key,))
    if problem := take_error(UPLOAD):
        st.error(problem, icon=":material/error:")


def _read_upload(key: str) -> None:
    """Runs before the script, while the fields may still be filled."""
    file = st.session_state.get(key)
    if file is None:
        return
    try:
        copy_settings(TrainConfig.from_dict(_json_object(file.getvalue())))
    except UserError as error:
        keep_error(UPLOAD, error_sentence(error))


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except ValueError as error:
        raise UserError("This file is not JSON; choose the config.json of a run.") from error
    if not isinstance(values, dict):
        raise UserError("This file holds no settings; choose the config.json of a run.")
    return values
