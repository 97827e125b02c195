"""The settings of a new fine-tuning: fields, and their changes to the defaults in the address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.models.cache import looks_like_path
from playground.tasks.finetune.labels import LabelsConfig
from playground.text import _
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.trained_parts import METHODS, TrainedParts
from ui.sections.finetune.data import COLUMNS, LONGEST_TYPED, choose_data
from ui.sections.finetune.labels import method_help, trained_titles
from ui.state.address import read_json_text, read_text, write_text
from ui.state.parameters import FINETUNING, MODEL
from ui.state.revisions import revision
from ui.state.trained import listed_models
from ui.text import error_sentence
from ui.widgets.choice import choose_segment
from ui.widgets.fields import can_show, edit
from ui.widgets.model import is_hosted

DEFAULT_BASE = "books-encoder"
RATES = {"head": 5e-3, "last": 5e-4, "lora": 2e-3, "biases": 2e-3, "all": 3e-4}
"""Peak learning rates to begin with, by what is trained."""
PARTS_OF = {"last": ("layers",), "lora": ("rank", "alpha", "matrices")}
TRAIN_FIRST = ("steps", "batch", "learning_rate", "length", "layer_decay", "seed")
TRAIN_REST = (
    *("warm_up", "schedule", "optimizer", "weight_decay", "clip", "accumulation"),
    *("evaluate_every", "evaluate_rows", "checkpoint_every", "frames"),
)
NAME_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class FinetuneDraft:
    """The settings in the fields."""

    config: FinetuneConfig | None
    """None where they make no fine-tuning."""
    problem: str = ""


def choose_finetuning() -> FinetuneDraft:
    """Base, data, what is trained, and how; the changes are written to the address."""
    kept = _read_kept()
    key = f"finetune.{revision(FINETUNING)}"
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        base = _choose_base(kept, key)
        method = _choose_method(kept, key)
    try:
        _refuse_base(base)
        data, task = choose_data(kept, key)
        parts, train = _edit_rest(kept, key, method)
        own = "" if base == _first_base() else base  # the shared model is not kept: it may be another one next time
        write_text(FINETUNING, json.dumps(_changes(own, data, method, parts, train), ensure_ascii=False))
        given = {"learning_rate": RATES[method], **train}
        trained = TrainedParts(method=method, **parts)  # type: ignore[arg-type]
        config = FinetuneConfig(base=base, task=task, parts=trained, **given)
    except UserError as error:
        return FinetuneDraft(config=None, problem=error_sentence(error))
    return FinetuneDraft(config=config)


def settings_of(config: FinetuneConfig) -> str:
    """A run's settings as the address carries them; an uploaded table by its name here, a long text not at all."""
    task, parts = config.task, config.parts
    kind = f"labels.{task.source}" if isinstance(task, LabelsConfig) else config.task_name
    data = {"kind": kind} | {name: getattr(task, name) for name in COLUMNS.get(kind, ())}
    if text := getattr(task, "text", ""):
        data |= {"text": text} if len(text) <= LONGEST_TYPED else {}
    elif sources := getattr(task, "sources", ()):
        data["table"] = Path(sources[0]).name
    trained = {name: getattr(parts, name) for name in PARTS_OF.get(parts.method, ())}
    train = {name: getattr(config, name) for name in (*TRAIN_FIRST, *TRAIN_REST)}
    return json.dumps(_changes(config.base, data, parts.method, trained, train), ensure_ascii=False)


def _read_kept() -> Mapping[str, Any]:
    value = read_json_text(FINETUNING)
    return value if isinstance(value, dict) else {}


def _choose_base(kept: Mapping[str, Any], key: str) -> str:
    asked = kept.get("base")
    shown = asked[:NAME_LENGTH] if isinstance(asked, str) and asked.strip() else _first_base()
    titles = listed_models(shown)
    base: str | None = st.selectbox(
        _("Model to fine-tune"),
        list(titles),
        index=list(titles).index(shown),
        format_func=lambda name: titles.get(name, name),
        key=f"{key}.base",
        accept_new_options=True,
        width=300,
        help=_("Choose one, or type a Hugging Face model id (owner/name), run/…, or the path of a local folder."),
    )
    return (base or _first_base()).strip()[:NAME_LENGTH]


def _first_base() -> str:
    """The model that the pages share, where one was chosen."""
    return read_text(MODEL).strip()[:NAME_LENGTH] or DEFAULT_BASE


def _choose_method(kept: Mapping[str, Any], key: str) -> str:
    titles = trained_titles()
    asked = str(kept.get("method") or "")
    shown = asked if asked in METHODS else "lora"
    method: str = choose_segment(
        _("What is trained"),
        list(METHODS),
        shown,
        key=f"{key}.method",
        format_func=titles.__getitem__,
        help=method_help(),
        wrap=True,
    )
    return method


def _refuse_base(base: str) -> None:
    """Raise UserError on a shared server for a folder: the same answer for one that is there and one that is not."""
    if is_hosted() and looks_like_path(base):
        raise UserError("This shared server opens no folders of its own; choose another model.")


def _edit_rest(kept: Mapping[str, Any], key: str, method: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is trained in detail, and how long; what the address says stands in the fields."""
    names = PARTS_OF.get(method, ())
    ours = kept if kept.get("method", method) == method else {}
    asked = _asked(TrainedParts(), ours.get("parts"), names)
    parts = edit(TrainedParts(), names, key=f"{key}.{method}.parts", asked=asked) if names else {}
    defaults = FinetuneConfig(base=DEFAULT_BASE, task=LabelsConfig(), learning_rate=RATES[method])
    asked = _asked(defaults, ours.get("train"), (*TRAIN_FIRST, *TRAIN_REST))
    train = edit(defaults, TRAIN_FIRST, key=f"{key}.{method}.train", asked=asked)
    with st.expander(_("All settings"), icon=":material/tune:", key="finetune_settings"):
        train |= edit(defaults, TRAIN_REST, key=f"{key}.{method}.rest", asked=asked)
    return parts, train


def _asked(record: Any, values: object, names: tuple[str, ...]) -> dict[str, Any]:
    """What the address says of these fields; a sentence says where it says something else."""
    given = values if isinstance(values, dict) else {}
    read = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    asked = {name: value for name, value in read.items() if name in names and can_show(record, name, value)}
    if given and len(asked) < len(given):
        st.warning(
            _("The address asks for settings that this version does not know; the fields show the defaults."),
            icon=":material/warning:",
        )
    return asked


def _changes(
    base: str, data: dict[str, Any], method: str, parts: dict[str, Any], train: dict[str, Any]
) -> dict[str, Any]:
    """Only what differs from the defaults."""
    defaults = FinetuneConfig(base=DEFAULT_BASE, task=LabelsConfig(), learning_rate=RATES[method])
    changed = {name: value for name, value in train.items() if value != getattr(defaults, name)}
    values = {"base": base, "data": data, "method": method, "parts": parts, "train": changed}
    return {name: value for name, value in values.items() if value}
