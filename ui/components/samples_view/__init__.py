"""What the model does, at each evaluation of its training: texts, answers, masked words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from ui.components.attention_view.assets import CSS as ATTENTION_CSS
from ui.components.samples_view.labels import default_labels
from ui.components.samples_view.samples import Entry, encode_samples
from ui.components.shared.bundle import bundle

__all__ = ["default_labels", "encode_samples", "samples_view"]

HERE = Path(__file__).parent
_MODULES = [
    *(HERE.parent / "attention_view" / "js" / f"{name}.js" for name in ("decode", "dom", "tokens")),
    *(HERE / "js" / f"{name}.js" for name in ("kinds", "samples")),
]


def samples_module() -> str:
    """Return the samples as one ES module."""
    return bundle(_MODULES)


_component = st.components.v2.component(
    "playground_samples",
    html='<div class="root"></div>',
    css=ATTENTION_CSS + (HERE / "samples_view.css").read_text(encoding="utf-8"),
    js=samples_module(),
)


def samples_view(entries: Sequence[Entry], *, key: str, run: str = "", labels: Mapping[str, str] | None = None) -> None:
    """Show the samples of a step, the newest unless a person chooses another on the slider.

    `entries` are lines of samples.jsonl, oldest first. `run` names where they are from: another name begins at
    its newest.
    """
    words = {**default_labels(), **(labels or {})}
    _component(key=key, data=encode_samples(entries, run=run, labels=words))
