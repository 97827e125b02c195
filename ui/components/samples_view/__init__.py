"""What the model does, at each evaluation of its training: texts, answers, masked words.

js           the browser's side
labels.py    labels, translated
samples.py   samples as bytes, thinned to a budget
"""

from collections.abc import Mapping, Sequence

from ui.components.samples_view.labels import default_labels
from ui.components.samples_view.samples import Entry, encode_samples
from ui.components.shared.registration import module, register, style

__all__ = ["default_labels", "encode_samples", "samples_view"]


def samples_module() -> str:
    """Return the samples as one ES module."""
    return module("samples_view", "kinds samples", shared="decode dom tokens")


_component = register("samples", samples_module(), css=style("attention_view", "samples_view"))


def samples_view(entries: Sequence[Entry], *, key: str, run: str = "", labels: Mapping[str, str] | None = None) -> None:
    """Show the samples of a step, the newest unless a person chooses another on the slider.

    `entries` are lines of samples.jsonl, oldest first. `run` names where they are from: another name begins at
    its newest.
    """
    words = {**default_labels(), **(labels or {})}
    _component(key=key, data=encode_samples(entries, run=run, labels=words))
