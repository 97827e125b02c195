"""Samples of a model at each evaluation of its training: texts, answers, masked words.

js           the browser's side
labels.py    labels, translated
samples.py   samples as a payload, thinned to a budget
"""

from collections.abc import Mapping, Sequence

from ui.components.samples_view.labels import samples_view_labels
from ui.components.samples_view.samples import Entry, encode_samples
from ui.components.shared.registration import module, register, style

__all__ = ["encode_samples", "samples_view", "samples_view_labels"]


def samples_module() -> str:
    """The samples view as one ES module."""
    return module("samples_view", "kinds samples", shared="decode connection dom mount tokens")


_component = register("samples", samples_module(), css=style("attention_view", "samples_view"))


def samples_view(entries: Sequence[Entry], *, key: str, run: str = "", labels: Mapping[str, str] | None = None) -> None:
    """Show the samples of a step: the newest, unless another is selected on the slider.

    `entries` are lines of samples.jsonl, oldest first. A new `run` resets the slider to the newest.
    """
    all_labels = {**samples_view_labels(), **(labels or {})}
    _component(key=key, data=encode_samples(entries, run=run, labels=all_labels))
