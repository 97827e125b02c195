"""The run that is about to start: a preset, and everything that was changed in it. The address holds both."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.tasks.masked import TALES
from playground.tasks.registry import kind_of
from playground.tasks.sources import HUB, PYTHON_DOCUMENTATION
from playground.text import _
from playground.training import TrainConfig
from playground.training.device import choose_device
from playground.training.presets import PRESETS
from playground.transformer import TransformerConfig
from ui import state
from ui.sections.train.labels import preset_title, preset_words
from ui.widgets.fields import edit, editable
from ui.widgets.model import is_hosted

FROM_TASK = ("vocabulary", "kind", "classes", "segments")
"""Fields of the model that the task decides."""
MODEL_FIRST = ("layers", "heads", "width", "context", "feed_forward", "positions")
BUILT_IN = (PYTHON_DOCUMENTATION, TALES)
TRAIN_FIRST = ("steps", "batch", "learning_rate", "warm_up", "schedule", "optimizer", "weight_decay", "seed")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the fields say: a configuration, or the sentence that says why it is none."""

    preset: str
    config: TrainConfig | None
    trouble: str = ""


def choose_draft() -> Draft:
    """Choose a preset and change whatever in it; what was changed stands in the address."""
    names = list(PRESETS)
    shown = state.read_word(state.PRESET, names)
    preset = st.selectbox(
        _("What to learn"), names, index=names.index(shown), key=state.PRESET, format_func=preset_title
    )
    state.write_word(state.PRESET, preset, names[0])
    if preset != shown:
        state.write_changes({})
    st.caption(preset_words(preset))
    base = PRESETS[preset]()
    key = f"draft.{preset}.{state.draft_revision()}"
    start, trouble = changed(base, state.read_changes())
    values = _edit_all(start, key)
    try:
        config = build(base, values)
        choose_device(config)
    except UserError as error:
        return Draft(preset=preset, config=None, trouble=str(error))
    state.write_changes(differences(base, config))
    state.keep_draft(config)
    return Draft(preset=preset, config=config, trouble=trouble)


def _edit_all(start: TrainConfig, key: str) -> dict[str, dict[str, Any]]:
    """The fields of the three records, the usual ones first and the rest folded away."""
    model_rest = editable(start.model, (*FROM_TASK, *MODEL_FIRST))
    train_rest = editable(start, ("task", "model", *TRAIN_FIRST))
    with st.expander(_("Task"), icon=":material/edit_note:"):
        task = edit(start.task, editable(start.task), key=f"{key}.task")
    with st.expander(_("Model"), icon=":material/account_tree:"):
        model = edit(start.model, MODEL_FIRST, key=f"{key}.model")
        model |= edit(start.model, model_rest, key=f"{key}.model")
    with st.expander(_("Training"), icon=":material/tune:"):
        train = edit(start, TRAIN_FIRST, key=f"{key}.train")
        train |= edit(start, train_rest, key=f"{key}.train")
    return {"task": task, "model": model, "train": train}


def build(base: TrainConfig, values: dict[str, dict[str, Any]]) -> TrainConfig:
    """The configuration with these values; the model is given what its task needs. Raises UserError."""
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
    """On a shared server nobody may have its files read."""
    files = [source for source in getattr(task, "sources", ()) if not is_public(source)]
    if files and is_hosted():
        raise UserError(_("This shared server reads no files of its own. Paste your text instead."))


def is_public(source: str) -> bool:
    """Whether a source is no file of this machine."""
    return source in BUILT_IN or source.startswith(HUB)


def changed(base: TrainConfig, changes: dict[str, Any]) -> tuple[TrainConfig, str]:
    """The preset with the changes of an address; the preset alone, and a sentence, where they make no sense."""
    if not changes:
        return base, ""
    try:
        parts = {name: _tuples(changes.get(name)) for name in ("task", "model", "train")}
        return build(base, parts), ""
    except (UserError, TypeError, ValueError):
        return base, _("The address asks for settings that this version does not know; the preset is shown instead.")


def _tuples(values: Any) -> dict[str, Any]:
    """JSON's lists are the records' tuples."""
    if not isinstance(values, dict):
        return {}
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def differences(base: TrainConfig, config: TrainConfig) -> dict[str, dict[str, Any]]:
    """What differs from the preset, by record and field."""
    pairs = {"task": (base.task, config.task), "model": (base.model, config.model), "train": (base, config)}
    found = {name: _record_differences(before, after) for name, (before, after) in pairs.items()}
    return {name: fields for name, fields in found.items() if fields}


def _record_differences(before: Any, after: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(after) if field.name not in ("task", "model", *FROM_TASK[1:])]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def adopt(config: TrainConfig) -> None:
    """Take another run's settings into the fields: the first preset of its task, and what differs from it."""
    name = next((name for name, make in PRESETS.items() if kind_of(make().task) == kind_of(config.task)), None)
    if name is None:
        raise UserError(_("No preset has this task."))
    state.adopt_draft(name, differences(PRESETS[name](), config))


def adopt_rate(config: TrainConfig, rate: float) -> None:
    """Take a learning rate into the fields; the last rate stays below the highest."""
    rate = float(f"{rate:.2g}")
    last = min(config.final_learning_rate, rate)
    adopt(dataclasses.replace(config, learning_rate=rate, final_learning_rate=last))


def upload_settings() -> None:
    """Fill the fields from a config.json that somebody took home."""
    with st.expander(_("Settings from a file"), icon=":material/upload:"):
        file = st.file_uploader(_("A run's config.json"), type="json", key=f"upload_{state.draft_revision()}")
    if file is None:
        return
    try:
        adopt(TrainConfig.from_dict(_object(file.getvalue())))
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()


def _object(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except ValueError as error:
        raise UserError(_("This file is not JSON; choose the config.json of a run.")) from error
    if not isinstance(values, dict):
        raise UserError(_("This file holds no settings; choose the config.json of a run."))
    return values
