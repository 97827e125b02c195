"""Ablation for classifiers: what a label's logit loses without each head, attention layer, MLP and block."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Activations, Component, EncodedText, Part, capture_run
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token
from playground.lens.generate.classification import ask_label
from playground.lens.intervene.ablation import AblationMethod, larger_components, part_table, replace_component
from playground.lens.intervene.interventions import MOST_ROWS, Intervention, run_replaced
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelEffects:
    """The change of a label's logit without each component alone; NaN where a block has no such part."""

    tokens: tuple[Token, ...]
    label: str
    logit: float
    """With all components."""
    best: int
    """The label with the highest logit, with all components."""
    kind: SiteKind
    layers: tuple[int, ...]
    """The numbers of the blocks: the rows."""
    heads: Float[np.ndarray, "layer head"]
    parts: tuple[Part, ...]
    larger: Float[np.ndarray, "layer part"]
    """The effects of attention layers, MLPs and whole blocks."""
    best_without_head: Int[np.ndarray, "layer head"]
    """The label with the highest logit without the head; -1 where there is none."""

    @property
    def deciding_heads(self) -> list[tuple[int, int]]:
        """Layer and number of the heads without which another label has the highest logit."""
        changed = (self.best_without_head != self.best) & (self.best_without_head >= 0)
        return [(self.layers[row], int(head)) for row, head in np.argwhere(changed)]


def ablate_label(
    model: "LoadedModel",
    text: str,
    pair: str | None = None,
    *,
    label: int,
    position: int | None = None,
    kind: SiteKind | None = None,
    method: AblationMethod = "mean",
    truncate: bool = False,
    on_progress: OnProgress = no_progress,
) -> LabelEffects:
    """Ablate each component alone and measure a label's logit, as `ablate_heads` does for a predicted token.

    label, position, and what is refused: see `ask_label`. kind: the attention whose heads are ablated, by default that
    of the last stack. Raises UserError for `resampled`, too, which needs another text.
    """
    if method == "resampled":
        raise UserError("Choose mean or zero: to resample takes another text.")
    asked = ask_label(model, text, pair, label=label, position=position, truncate=truncate)
    encoded = EncodedText(tokens=tuple(asked.row.tokens(model)), source=(), arguments={})
    clean = capture_run(model, lambda: asked.answer(1), encoded)
    kind = kind or clean.parts.kind
    layers, parts, larger = larger_components(clean, kind)
    single = clean.heads(kind)
    changed = _logits_without(clean, [*single, *larger], method, asked.answer, on_progress)
    heads, best = _head_tables(layers, single, changed, label)
    assert clean.logits is not None
    before = float(clean.logits[label])
    return LabelEffects(
        tokens=encoded.tokens,
        label=asked.label,
        logit=before,
        best=int(clean.logits.argmax()),
        kind=kind,
        layers=layers,
        heads=heads - before,
        parts=parts,
        larger=part_table(layers, parts, larger, changed[len(single) :, label].tolist()) - before,
        best_without_head=best,
    )


def _head_tables(
    layers: Sequence[int], single: Sequence[Component], changed: Float[np.ndarray, "component label"], label: int
) -> tuple[Float[np.ndarray, "layer head"], Int[np.ndarray, "layer head"]]:
    """The label's logit and the best label without each head; NaN and -1 where there is none."""
    shape = (len(layers), max(component.head or 0 for component in single) + 1)
    logits, best = np.full(shape, np.nan, dtype=np.float32), np.full(shape, -1)
    for component, found in zip(single, changed, strict=False):
        cell = layers.index(component.layer), component.head
        logits[cell], best[cell] = found[label], int(found.argmax())
    return logits, best


def _logits_without(
    clean: Activations,
    components: Sequence[Component],
    method: AblationMethod,
    run: Callable[[int], Tensor],
    on_progress: OnProgress,
) -> Float[np.ndarray, "component label"]:
    """The labels' logits without each component alone, so many copies of the text in a pass as fit."""
    rows: list[Intervention] = [[replace_component(component, method, clean)] for component in components]
    found = []
    for begin in range(0, len(rows), MOST_ROWS):
        on_progress(begin, len(rows))
        batch = rows[begin : begin + MOST_ROWS]
        found.append(run_replaced(clean.parts, batch, run).float().cpu())
    on_progress(len(rows), len(rows))
    return torch.cat(found).numpy()
